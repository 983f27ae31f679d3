import { describe, expect, it } from '@jest/globals';
import { badgeSchema, badgeUrn, lockUrn } from '../../../test/support/custom-schema.js';
import { errorOf, groupSchema, userSchema } from '../../../test/support/patching.js';
import type { JsonObject, JsonValue } from '../resource.js';
import { enterpriseUserUrn } from '../schema/enterprise-user.js';
import { groupUrn } from '../schema/group.js';
import { userUrn } from '../schema/user.js';
import { Projection } from './projection.js';

const work = { value: 'babs@example.com', type: 'work', primary: true };
const home = { value: 'babs@jensen.org', type: 'home' };
const schemas = [userUrn, enterpriseUserUrn];
const id = '2819c223';
const name = { familyName: 'Jensen', givenName: 'Barbara' };
const manager = { value: '26118915', $ref: '../Users/26118915', displayName: 'John Smith' };
const enterprise = { department: 'Tours', manager };
const meta = { resourceType: 'User', version: 'W/"1"' };
const babs = {
  schemas,
  id,
  externalId: 'bjensen',
  userName: 'babs',
  name,
  emails: [work, home],
  meta,
  [enterpriseUserUrn]: enterprise,
};

const badge = {
  schemas: [badgeUrn, lockUrn],
  id: '7',
  label: 'B1',
  pin: '1234',
  log: 'opened',
  holder: { value: '1', note: 'n', trail: 't', stamp: 's' },
  doors: [{ value: 'front', code: '1' }, { code: '2' }],
  vault: [{ value: 'gold' }],
  [lockUrn]: { vendor: 'Acme' },
};

const including = (names: string[], resource: JsonObject = babs, schema = userSchema): JsonObject =>
  Projection.read(schema, names, undefined).apply(resource);
const excluding = (names: string[], resource: JsonObject = babs, schema = userSchema): JsonObject =>
  Projection.read(schema, undefined, names).apply(resource);
const byDefault = (resource: JsonObject, schema = userSchema): JsonObject =>
  Projection.read(schema, undefined, undefined).apply(resource);

describe('the attributes parameter (RFC 7644 section 3.9)', () => {
  it.each<[names: string[], projected: JsonObject]>([
    [['userName'], { schemas, id, userName: 'babs' }],
    [['USERNAME', ' externalid '], { schemas, id, externalId: 'bjensen', userName: 'babs' }],
    [['name'], { schemas, id, name }],
    [['name.familyName'], { schemas, id, name: { familyName: 'Jensen' } }],
    [['name.familyName', 'name.givenName'], { schemas, id, name }],
    [['name.familyName', 'name'], { schemas, id, name }],
    [['name', 'name.familyName'], { schemas, id, name }],
    [['name.middleName'], { schemas, id }],
    [['emails.value'], { schemas, id, emails: [{ value: work.value }, { value: home.value }] }],
    [['emails.primary'], { schemas, id, emails: [{ primary: true }] }],
    [['meta'], { schemas, id, meta }],
    [['meta.version'], { schemas, id, meta: { version: 'W/"1"' } }],
    [[`${userUrn}:userName`], { schemas, id, userName: 'babs' }],
    [[userUrn], { schemas, id, userName: 'babs', name, emails: [work, home] }],
    [[enterpriseUserUrn], { schemas, id, [enterpriseUserUrn]: enterprise }],
    [[enterpriseUserUrn.toUpperCase()], { schemas, id, [enterpriseUserUrn]: enterprise }],
    [[`${enterpriseUserUrn}:department`], { schemas, id, [enterpriseUserUrn]: { department: 'Tours' } }],
    [
      [`${enterpriseUserUrn}:manager.displayName`],
      { schemas, id, [enterpriseUserUrn]: { manager: { displayName: 'John Smith' } } },
    ],
    [['department'], { schemas, id }],
    [['schemas', 'id'], { schemas, id }],
    [[], { schemas, id }],
  ])('%j gives what is always returned and what it names', (names, projected) => {
    expect(including(names)).toStrictEqual(projected);
  });

  it.each([
    'shoeSize',
    'name.shoeSize',
    'urn:example:unknown:2.0:User:userName',
    'a.b.c',
    '',
    '__proto__',
    'constructor',
    'name.__proto__',
  ])('ignores the unknown name %j', (unknown) => {
    expect(including([unknown, 'userName'])).toStrictEqual({ schemas, id, userName: 'babs' });
  });
});

describe('the excludedAttributes parameter (RFC 7644 section 3.9)', () => {
  const { externalId, userName, emails } = babs;

  it.each<[names: string[], projected: JsonObject]>([
    [['id', 'schemas'], babs],
    [['shoeSize', '__proto__'], babs],
    [[], babs],
    [['emails', 'META'], { schemas, id, externalId, userName, name, [enterpriseUserUrn]: enterprise }],
    [
      ['name.familyName', enterpriseUserUrn],
      { schemas, id, externalId, userName, name: { givenName: 'Barbara' }, emails, meta },
    ],
    [['name.familyName', 'name.givenName', enterpriseUserUrn], { schemas, id, externalId, userName, emails, meta }],
    [
      ['emails.type', 'emails.primary', enterpriseUserUrn],
      { schemas, id, externalId, userName, name, emails: [{ value: work.value }, { value: home.value }], meta },
    ],
    [
      [`${enterpriseUserUrn}:manager`],
      { schemas, id, externalId, userName, name, emails, meta, [enterpriseUserUrn]: { department: 'Tours' } },
    ],
    [[userUrn], { schemas, id, externalId, meta, [enterpriseUserUrn]: enterprise }],
  ])('%j leaves out what it names, and nothing that is always returned', (names, projected) => {
    expect(excluding(names)).toStrictEqual(projected);
  });

  it('prunes each member of a group', () => {
    const members = [
      { value: '1', display: 'Babs' },
      { value: '2', display: 'Jim' },
    ];
    const group = { schemas: [groupUrn], id: 'g', displayName: 'Tour Guides', members };
    expect(excluding(['members.display'], group, groupSchema)).toStrictEqual({
      ...group,
      members: [{ value: '1' }, { value: '2' }],
    });
  });
});

describe('both parameters', () => {
  it('cannot be used together', () => {
    expect(errorOf(() => Projection.read(userSchema, ['id'], ['name']))).toStrictEqual({
      row: 'invalidValue',
      detail: 'attributes and excludedAttributes cannot be used together.',
    });
  });

  it('take 500 names and no more', () => {
    const names = Array.from({ length: 500 }, () => 'userName');
    expect(including(names)).toStrictEqual({ schemas, id, userName: 'babs' });
    for (const parameters of [[[...names, 'x']], [undefined, [...names, 'x']]]) {
      expect(errorOf(() => Projection.read(userSchema, parameters[0], parameters[1]))).toStrictEqual({
        row: 'invalidValue',
        detail: 'No more than 500 attributes can be named.',
      });
    }
  });
});

describe('the returned characteristic (RFC 7643 section 2.2)', () => {
  const always = { schemas: badge.schemas, id: '7' };

  it('leaves out by default what is never returned or only on request, and values of which nothing is left', () => {
    expect(byDefault(badge, badgeSchema)).toStrictEqual({
      ...always,
      label: 'B1',
      holder: { value: '1', note: 'n', stamp: 's' },
      doors: [{ value: 'front' }],
      [lockUrn]: { vendor: 'Acme' },
    });
  });

  it.each<[names: string[], projected: JsonObject]>([
    [['pin', 'vault', 'vault.value', 'doors.code'], {}],
    [['log'], { log: 'opened' }],
    [['holder'], { holder: { value: '1', note: 'n', stamp: 's' } }],
    [['holder.trail'], { holder: { trail: 't', stamp: 's' } }],
    [['holder.note'], { holder: { note: 'n', stamp: 's' } }],
  ])('decides over attributes=%j', (names, projected) => {
    expect(including(names, badge, badgeSchema)).toStrictEqual({ ...always, ...projected });
  });

  it('keeps what is only returned on request out of the rest of excludedAttributes', () => {
    expect(excluding(['label', 'doors', 'holder.value', lockUrn], badge, badgeSchema)).toStrictEqual({
      ...always,
      holder: { note: 'n', stamp: 's' },
    });
  });

  it('keeps a password out, even one that is named', () => {
    expect(
      including(['password', userUrn], { schemas: [userUrn], id, userName: 'babs', password: 's3cret' }),
    ).toStrictEqual({ schemas: [userUrn], id, userName: 'babs' });
  });
});

describe('what is returned on request, in answers to those who set it (RFC 7643 section 7 "returned")', () => {
  const written = { holder: { value: '1', trail: 't', stamp: 's' }, log: 'opened' };
  const stored = { schemas: [badgeUrn], id: '7', ...written };
  const answer = (data: JsonValue[], names: { attributes?: string[]; excluded?: string[] } = {}): JsonObject => {
    const { schemas, id, ...rest } = Projection.read(badgeSchema, names.attributes, names.excluded)
      .supplying(...data)
      .apply(stored);
    expect([schemas, id]).toStrictEqual([[badgeUrn], '7']);
    return rest;
  };
  const quiet = { value: '1', stamp: 's' };

  it.each<[data: JsonValue[], answered: JsonObject]>([
    [[], { holder: quiet }],
    [[{ label: 'B1' }], { holder: quiet }],
    [[{ log: 'opened' }], { holder: quiet, log: 'opened' }],
    [[{ LOG: null }], { holder: quiet, log: 'opened' }],
    [[{ [`${badgeUrn}:log`]: 'opened' }], { holder: quiet, log: 'opened' }],
    [[{ [badgeUrn]: { log: 'opened' } }], { holder: quiet, log: 'opened' }],
    [[{ holder: { value: '1' } }], { holder: quiet }],
    [[{ holder: { value: '1', Trail: 't' } }], { holder: written.holder }],
    [[{ 'holder.trail': 't' }], { holder: written.holder }],
    [[{ 'holder.trail': { a: 1 } }], { holder: written.holder }],
    [[{ holder: [{ value: '1' }, { trail: 't' }] }], { holder: written.holder }],
    [[{ holder: null }], { holder: written.holder }],
    [[{ log: 'a' }, { 'holder.trail': 'b' }], written],
  ])('%j', (data, answered) => {
    expect(answer(data)).toStrictEqual(answered);
  });

  it.each<JsonValue>([
    null,
    'log',
    ['log'],
    { [badgeUrn]: 'log' },
    { 'log[a eq "1"]': 1 },
    { logs: { log: 1 } },
    { __proto__x: 1 },
  ])('not for what names nothing: %j', (data) => {
    expect(answer([data])).toStrictEqual({ holder: quiet });
  });

  it('unless they name what they want, or what they do not', () => {
    expect(answer([written], { attributes: ['label'] })).toStrictEqual({});
    expect(answer([written], { attributes: ['holder'] })).toStrictEqual({ holder: quiet });
    expect(answer([written], { excluded: ['log'] })).toStrictEqual({ holder: written.holder });
    expect(answer([written], { excluded: ['holder.trail', 'label'] })).toStrictEqual({ holder: quiet, log: 'opened' });
  });

  it('asks the database for it', () => {
    const projection = Projection.read(badgeSchema, undefined, undefined);
    expect([projection.wants('log'), projection.supplying({ log: 'x' }).wants('log')]).toStrictEqual([false, true]);
  });

  it('changes nothing where nothing is returned on request', () => {
    const projection = Projection.read(userSchema, undefined, undefined);
    expect(projection.supplying({ userName: 'babs' })).toBe(projection);
  });
});

describe('what a projection says of itself', () => {
  it('changes nothing when the client asks for nothing, unless something is returned on request', () => {
    expect(Projection.read(userSchema, undefined, undefined).isIdentity).toBe(true);
    expect(byDefault(babs)).toStrictEqual(babs);
    expect(Projection.read(badgeSchema, undefined, undefined).isIdentity).toBe(false);
    expect(Projection.read(userSchema, [], undefined).isIdentity).toBe(false);
    expect(Projection.read(userSchema, undefined, []).isIdentity).toBe(false);
  });

  it('is explicit when the client names what it wants', () => {
    expect(Projection.read(userSchema, ['id'], undefined).isExplicit).toBe(true);
    expect(Projection.read(userSchema, undefined, ['id']).isExplicit).toBe(false);
    expect(Projection.read(userSchema, undefined, undefined).isExplicit).toBe(false);
  });

  it.each<[attributes: string[] | undefined, excluded: string[] | undefined, wanted: boolean]>([
    [undefined, undefined, true],
    [['members'], undefined, true],
    [['members.value'], undefined, true],
    [[groupUrn], undefined, true],
    [['displayName'], undefined, false],
    [undefined, ['members'], false],
    [undefined, ['members.display'], true],
    [undefined, ['displayName'], true],
  ])('with attributes %j and excludedAttributes %j wants the members: %j', (attributes, excluded, wanted) => {
    expect(Projection.read(groupSchema, attributes, excluded).wants('members')).toBe(wanted);
  });

  it('wants no attribute that does not exist or is never returned', () => {
    const projection = Projection.read(userSchema, ['shoeSize', 'password'], undefined);
    expect([projection.wants('shoeSize'), projection.wants('password')]).toStrictEqual([false, false]);
  });
});
