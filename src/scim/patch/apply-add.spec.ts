import { describe, expect, it } from '@jest/globals';
import { badgeSchema, badgeUrn } from '../../../test/support/custom-schema.js';
import { patch, refusal, user } from '../../../test/support/patching.js';
import { profiles } from '../profile.js';
import type { JsonObject, JsonValue, ScimResource } from '../resource.js';
import { enterpriseUserUrn } from '../schema/enterprise-user.js';
import { userUrn } from '../schema/user.js';

const work = { value: 'babs@example.com', type: 'work', primary: true };
const home = { value: 'babs@jensen.org', type: 'home' };
const manager = `${enterpriseUserUrn}:manager`;

const added = (before: ScimResource, path: string, value: JsonValue): ScimResource =>
  patch(before, [{ op: 'add', path, value }], profiles.strict).resource;

const refused = (before: ScimResource, operation: JsonObject, profile = profiles.strict): [string, string] => {
  const { row, detail } = refusal(before, [{ op: 'add', ...operation }], profile);
  return [row, detail];
};

describe('add to a single-valued attribute (RFC 7644 section 3.5.2.1)', () => {
  it.each<[what: string, before: ScimResource, path: string, value: JsonValue, after: ScimResource]>([
    ['sets one that has no value', user(), 'nickName', 'Babs', user({ nickName: 'Babs' })],
    ['replaces the value of one that has', user({ nickName: 'B' }), 'nickName', 'Babs', user({ nickName: 'Babs' })],
    ['finds it in any case', user(), 'NICKNAME', 'Babs', user({ nickName: 'Babs' })],
    ['finds it under the base URN', user(), `${userUrn}:nickName`, 'Babs', user({ nickName: 'Babs' })],
    ['sets a required one', user(), 'userName', 'bj', user({ userName: 'bj' })],
    ['sets a common one', user(), 'externalId', '701984', user({ externalId: '701984' })],
    ['sets one of an extension', user(), `${enterpriseUserUrn}:division`, 'D', user({}, { division: 'D' })],
    [
      'keeps the others of the extension',
      user({}, { department: 'T' }),
      `${enterpriseUserUrn}:division`,
      'D',
      user({}, { department: 'T', division: 'D' }),
    ],
  ])('%s', (_what, before, path, value, after) => {
    expect(added(before, path, value)).toStrictEqual(after);
  });

  it.each<[value: JsonValue]>([[null], [[]]])('leaves it as it is for %j: there is nothing to add', (value) => {
    const before = user({ nickName: 'Babs', name: { givenName: 'B' }, emails: [work] }, { division: 'D' });
    for (const path of [
      'nickName',
      'name',
      'name.givenName',
      'emails',
      'emails.value',
      'emails[type eq "work"].value',
      'emails[type eq "other"].value',
      'userName',
      `${enterpriseUserUrn}:division`,
      enterpriseUserUrn,
      'schemas',
    ]) {
      expect(added(before, path, value)).toStrictEqual(before);
    }
  });
});

describe('add to a complex attribute (RFC 7644 section 3.5.2.1)', () => {
  const before = user({ name: { givenName: 'B', familyName: 'Jensen' } });

  it.each<[what: string, path: string, value: JsonValue, name: JsonObject]>([
    [
      'merges its sub-attributes',
      'name',
      { givenName: 'Babs', middleName: 'J' },
      { givenName: 'Babs', familyName: 'Jensen', middleName: 'J' },
    ],
    ['finds them in any case', 'name', { GIVENNAME: 'Babs' }, { givenName: 'Babs', familyName: 'Jensen' }],
    ['sets one', 'name.givenName', 'Babs', { givenName: 'Babs', familyName: 'Jensen' }],
    ['adds one', 'name.middleName', 'J', { givenName: 'B', familyName: 'Jensen', middleName: 'J' }],
    [
      'takes none away by null',
      'name',
      { givenName: null, familyName: [], middleName: 'J' },
      { givenName: 'B', familyName: 'Jensen', middleName: 'J' },
    ],
    ['changes nothing by {}', 'name', {}, { givenName: 'B', familyName: 'Jensen' }],
  ])('%s', (_what, path, value, name) => {
    expect(added(before, path, value)).toStrictEqual(user({ name }));
  });

  it('makes one that is not there', () => {
    expect(added(user(), 'name.familyName', 'Jensen')).toStrictEqual(user({ name: { familyName: 'Jensen' } }));
    expect(added(user(), 'name', {})).toStrictEqual(user());
    expect(added(user(), 'name', { givenName: null })).toStrictEqual(user());
  });

  it.each<[path: string, value: JsonValue, after: JsonValue]>([
    [manager, { value: '2' }, { value: '2' }],
    [manager, { $ref: '../Users/2' }, { value: '2' }],
    [manager, { value: '2', displayName: 'Jim' }, { value: '2' }],
    [`${manager}.value`, '2', { value: '2' }],
    [`${manager}.$ref`, 'https://example.com/v2/Users/2', { value: '2' }],
  ])('sets the manager by %s and %j', (path, value, after) => {
    for (const enterprise of [undefined, { manager: { value: '1' } }]) {
      expect(added(user({}, enterprise), path, value)).toStrictEqual(user({}, { manager: after }));
    }
  });
});

describe('add to a multi-valued attribute (RFC 7644 section 3.5.2.1)', () => {
  it.each<[what: string, before: ScimResource, path: string, value: JsonValue, emails: JsonValue[]]>([
    ['makes it', user(), 'emails', [work], [work]],
    ['appends values', user({ emails: [work] }), 'emails', [home], [work, home]],
    ['appends one object', user({ emails: [work] }), 'emails', home, [work, home]],
    [
      'sets a sub-attribute of every value',
      user({ emails: [work, home] }),
      'emails.display',
      'B',
      [
        { ...work, display: 'B' },
        { ...home, display: 'B' },
      ],
    ],
    ['makes a value of a sub-attribute alone', user(), 'emails.value', 'a@x', [{ value: 'a@x' }]],
    [
      'merges into the values that match',
      user({ emails: [work, home] }),
      'emails[type eq "home"]',
      { display: 'H' },
      [work, { ...home, display: 'H' }],
    ],
    ['merges nothing', user({ emails: [work, home] }), 'emails[type eq "home"]', {}, [work, home]],
    [
      'sets a sub-attribute of those that match',
      user({ emails: [work, home] }),
      'emails[type eq "home"].value',
      'a@x',
      [work, { ...home, value: 'a@x' }],
    ],
  ])('%s', (_what, before, path, value, emails) => {
    expect(added(before, path, value)).toStrictEqual(user({ emails }));
  });

  it.each<[path: string, value: JsonValue, created: JsonObject]>([
    ['emails[type eq "other"].value', 'a@x', { type: 'other', value: 'a@x' }],
    ['emails[TYPE eq "Other"].VALUE', 'a@x', { type: 'Other', value: 'a@x' }],
    ['emails[type eq "other"]', { value: 'a@x' }, { type: 'other', value: 'a@x' }],
    ['emails[type eq "other"]', { TYPE: 'Other', value: 'a@x' }, { type: 'Other', value: 'a@x' }],
    ['emails[type eq "other" and primary eq false].value', 'a@x', { type: 'other', primary: false, value: 'a@x' }],
    ['emails[value eq "a@x"].type', 'other', { value: 'a@x', type: 'other' }],
    ['emails[type eq "other"].type', 'Other', { type: 'Other' }],
  ])('creates the value that %s describes and no value is', (path, value, created) => {
    expect(added(user({ emails: [work, home] }), path, value)).toStrictEqual(user({ emails: [work, home, created] }));
    expect(added(user(), path, value)).toStrictEqual(user({ emails: [created] }));
  });

  it.each<[path: string, value: JsonValue]>([
    ['emails[type ne "work" and type ne "home"].value', 'a@x'],
    ['emails[type co "other"].value', 'a@x'],
    ['emails[type eq "other" or type eq "pager"].value', 'a@x'],
    ['emails[not (type pr)].value', 'a@x'],
    ['emails[type eq null].value', 'a@x'],
    ['emails[type eq "other" and type eq "pager"].value', 'a@x'],
    ['emails[type eq "other"].type', 'pager'],
    ['emails[type eq "other"]', { type: 'pager', value: 'a@x' }],
  ])('finds nothing that %s describes, or that %j would be', (path, value) => {
    for (const profile of [profiles.strict, profiles.default]) {
      expect(refused(user({ emails: [work, home] }), { path, value }, profile)).toStrictEqual([
        'noTarget',
        `${JSON.stringify(path)} matches no value of emails.`,
      ]);
    }
  });

  it('appends to the values of an extension', () => {
    const parts = 'urn:example:schemas:extension:2.0:Lock:parts';
    const before = { schemas: [badgeUrn], label: 'B1' };
    const { resource } = patch(
      before,
      [
        { op: 'add', path: 'urn:example:schemas:extension:2.0:Lock:vendor', value: 'Acme' },
        { op: 'add', path: parts, value: [{ value: '1', type: 'bolt' }] },
        { op: 'add', path: `${parts}[type eq "bolt"].value`, value: '2' },
      ],
      profiles.strict,
      badgeSchema,
    );
    expect(resource).toStrictEqual({
      schemas: [badgeUrn, 'urn:example:schemas:extension:2.0:Lock'],
      label: 'B1',
      'urn:example:schemas:extension:2.0:Lock': { vendor: 'Acme', parts: [{ value: '2', type: 'bolt' }] },
    });
  });
});

describe('an add that is refused', () => {
  const before = user({ nickName: 'B', name: { givenName: 'B' }, emails: [work] });

  it.each<[what: string, operation: JsonObject, row: string, detail: string]>([
    ['has no value', { path: 'nickName' }, 'invalidValue', 'add needs a value.'],
    ['has neither path nor value', {}, 'invalidValue', 'add needs a value.'],
    [
      'gives an array to a single-valued attribute',
      { path: 'nickName', value: ['B'] },
      'invalidValue',
      'nickName must be a string, not "[\\"B\\"]".',
    ],
    [
      'gives an object to a string',
      { path: 'nickName', value: { value: 'B' } },
      'invalidValue',
      'nickName must be a string, not "{\\"value\\":\\"B\\"}".',
    ],
    [
      'gives a scalar to a complex attribute',
      { path: 'name', value: 'B' },
      'invalidValue',
      'name must be an object, not "B".',
    ],
    [
      'gives an array to a complex attribute',
      { path: 'name', value: [{ givenName: 'B' }] },
      'invalidValue',
      'name must be an object, not "[{\\"givenName\\":\\"B\\"}]".',
    ],
    [
      'gives a scalar to a multi-valued attribute',
      { path: 'emails', value: 'a@x' },
      'invalidValue',
      'emails must be an array, not "a@x".',
    ],
    [
      'gives a list of scalars to a multi-valued attribute',
      { path: 'emails', value: ['a@x'] },
      'invalidValue',
      'emails[0] must be an object, not "a@x".',
    ],
    [
      'gives an array to one value',
      { path: 'emails[type eq "work"]', value: [{ value: 'a@x' }] },
      'invalidValue',
      'emails[type eq "work"] must be an object, not "[{\\"value\\":\\"a@x\\"}]".',
    ],
    [
      'gives an array to a value that is to be created',
      { path: 'emails[type eq "home"]', value: [{ value: 'a@x' }] },
      'invalidValue',
      'emails[type eq "home"] must be an object, not "[{\\"value\\":\\"a@x\\"}]".',
    ],
    [
      'gives an object to a sub-attribute',
      { path: 'emails[type eq "work"].value', value: { value: 'a@x' } },
      'invalidValue',
      'emails[type eq "work"].value must be a string, not "{\\"value\\":\\"a@x\\"}".',
    ],
    [
      'gives a sub-attribute another type',
      { path: 'name.givenName', value: 5 },
      'invalidValue',
      'name.givenName must be a string, not "5".',
    ],
    [
      'gives a multi-valued attribute JSON in a string',
      { path: 'emails', value: '[{"value":"a@x"}]' },
      'invalidValue',
      'emails must be an array, not "[{\\"value\\":\\"a@x\\"}]".',
    ],
    [
      'names an unknown attribute',
      { path: 'shoeSize', value: 43 },
      'invalidPath',
      '"shoeSize" does not name an attribute of User.',
    ],
    [
      'names an unknown sub-attribute',
      { path: 'name', value: { nick: 'B' } },
      'invalidSyntax',
      'name has no sub-attribute "nick".',
    ],
    ['names a readOnly attribute', { path: 'groups', value: [{ value: 'g' }] }, 'mutability', '"groups" is readOnly.'],
  ])('%s', (_what, operation, row, detail) => {
    expect(refused(before, operation)).toStrictEqual([row, detail]);
  });
});
