import { describe, expect, it } from '@jest/globals';
import { errorOf, group, groupSchema, patch, refusal, user, userSchema } from '../../test/support/patching.js';
import { bindFilter } from './filter/bind.js';
import { parseFilter } from './filter/parser.js';
import { readPatch } from './patch/operation.js';
import { profiles, type Profile } from './profile.js';
import type { JsonObject, JsonValue, ScimResource } from './resource.js';
import { enterpriseUserUrn } from './schema/enterprise-user.js';
import { groupUrn } from './schema/group.js';
import { userUrn } from './schema/user.js';
import { readResource } from './validate/validate.js';

interface Refused {
  readonly row: string;
  readonly detail: string;
}

const babs = { schemas: [userUrn], userName: 'babs' };
const tourGuides = { schemas: [groupUrn], displayName: 'Tour Guides' };

const work = { type: 'work', value: 'a@x' };
const replace = (value: JsonValue, path?: string): JsonObject => ({
  op: 'replace',
  ...(path === undefined ? {} : { path }),
  value,
});

const read = (body: JsonValue, profile: Profile): ScimResource => readResource(body, userSchema, profile).resource;

describe('what the default profile reads in a body and the strict one refuses', () => {
  it.each<[tolerance: string, body: JsonObject, resource: ScimResource, refused: Refused]>([
    [
      'a boolean as a string, as Microsoft Entra ID writes it',
      { ...babs, active: 'False' },
      user({ active: false }),
      { row: 'invalidValue', detail: 'active must be true or false, not "False".' },
    ],
    [
      'a boolean as a string within a value',
      { ...babs, emails: [{ value: 'a@x', primary: 'true' }] },
      user({ emails: [{ value: 'a@x', primary: true }] }),
      { row: 'invalidValue', detail: 'emails[0].primary must be true or false, not "true".' },
    ],
    [
      'one object where an array belongs',
      { ...babs, emails: { value: 'a@x' } },
      user({ emails: [{ value: 'a@x' }] }),
      { row: 'invalidValue', detail: 'emails must be an array, not "{\\"value\\":\\"a@x\\"}".' },
    ],
    [
      'an unknown attribute, by dropping it',
      { ...babs, shoeSize: 43 },
      user(),
      { row: 'invalidSyntax', detail: '"shoeSize" is not an attribute of User.' },
    ],
    [
      'an extension that is not registered, by dropping it',
      { ...babs, 'urn:okta:custom:1.0:User': { shoeSize: 43 } },
      user(),
      { row: 'invalidSyntax', detail: '"urn:okta:custom:1.0:User" is not an attribute of User.' },
    ],
    [
      'an unknown sub-attribute, by dropping it: OneLogin calls the manager managerId',
      { ...babs, [enterpriseUserUrn]: { division: 'D', manager: { managerId: '1' } } },
      user({}, { division: 'D' }),
      { row: 'invalidSyntax', detail: 'manager has no sub-attribute "managerId".' },
    ],
    [
      'an unknown attribute of an extension, by dropping it',
      { ...babs, [enterpriseUserUrn]: { division: 'D', shoeSize: 43 } },
      user({}, { division: 'D' }),
      { row: 'invalidSyntax', detail: '"shoeSize" is not an attribute of EnterpriseUser.' },
    ],
    [
      'attributes wrapped in the base schema’s URN',
      { schemas: [userUrn], [userUrn]: { userName: 'babs' } },
      user(),
      { row: 'invalidSyntax', detail: `"${userUrn}" is not an attribute of User.` },
    ],
    [
      'an unknown URN in schemas, by dropping it',
      { ...babs, schemas: [userUrn, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/User'] },
      user(),
      {
        row: 'invalidSyntax',
        detail:
          'schemas holds "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/User", ' +
          'which is not a schema of User.',
      },
    ],
    [
      'the URN of an older protocol in place of the base schema',
      { ...babs, schemas: ['urn:scim:schemas:core:1.0'] },
      user(),
      { row: 'invalidSyntax', detail: 'schemas holds "urn:scim:schemas:core:1.0", which is not a schema of User.' },
    ],
    [
      'an extension’s URN alone in schemas',
      { ...babs, schemas: [enterpriseUserUrn] },
      user(),
      { row: 'invalidSyntax', detail: `schemas must hold "${userUrn}".` },
    ],
    [
      'a body without schemas',
      { userName: 'babs' },
      user(),
      { row: 'invalidSyntax', detail: `schemas must be an array that holds "${userUrn}".` },
    ],
    [
      'empty schemas',
      { ...babs, schemas: [] },
      user(),
      { row: 'invalidSyntax', detail: `schemas must be an array that holds "${userUrn}".` },
    ],
    [
      'a string as the manager, as Microsoft Entra ID writes it',
      { ...babs, [enterpriseUserUrn]: { manager: '26118915' } },
      user({}, { manager: { value: '26118915' } }),
      { row: 'invalidValue', detail: 'manager must be an object, not "26118915".' },
    ],
    [
      'an empty string as no manager',
      { ...babs, [enterpriseUserUrn]: { manager: '' } },
      user(),
      { row: 'invalidValue', detail: 'manager must be an object, not "".' },
    ],
  ])('%s', (_tolerance, body, resource, refused) => {
    expect(read(body, profiles.default)).toStrictEqual(resource);
    expect(read(body, profiles['entra-legacy'])).toStrictEqual(resource);
    expect(errorOf(() => read(body, profiles.strict))).toStrictEqual(refused);
  });

  it('one string for an array of several is read by neither where values are complex', () => {
    for (const profile of Object.values(profiles)) {
      expect(errorOf(() => read({ ...babs, emails: 'a@x' }, profile))).toStrictEqual({
        row: 'invalidValue',
        detail: 'emails must be an array, not "a@x".',
      });
    }
  });

  it('one object as the members of a group', () => {
    const body = { ...tourGuides, members: { value: '1' } };
    expect(readResource(body, groupSchema, profiles.default).resource).toStrictEqual({
      ...tourGuides,
      members: [{ value: '1' }],
    });
    expect(errorOf(() => readResource(body, groupSchema, profiles.strict))).toStrictEqual({
      row: 'invalidValue',
      detail: 'members must be an array, not "{\\"value\\":\\"1\\"}".',
    });
  });
});

describe('what the default profile does with a PATCH operation and the strict one refuses', () => {
  it.each<[tolerance: string, before: ScimResource, operation: JsonObject, after: ScimResource, refused: Refused]>([
    [
      'reads a boolean as a string',
      user({ active: true }),
      { op: 'Replace', path: 'active', value: 'False' },
      user({ active: false }),
      { row: 'invalidValue', detail: 'active must be true or false, not "False".' },
    ],
    [
      'reads a boolean as a string in the path, and makes it one',
      user(),
      { op: 'add', path: 'roles[primary eq "True"].value', value: 'Admin' },
      user({ roles: [{ primary: true, value: 'Admin' }] }),
      { row: 'invalidFilter', detail: '"primary" is of type boolean; compare it with a boolean.' },
    ],
    [
      'creates the value that replace does not find',
      user(),
      replace('a@x', 'emails[type eq "work"].value'),
      user({ emails: [work] }),
      { row: 'noTarget', detail: '"emails[type eq \\"work\\"].value" matches no value of emails.' },
    ],
    [
      'drops readOnly keys of a value without a path, as Okta sends an id',
      group(),
      replace({ id: 'abf4', displayName: 'Guides' }),
      group({ displayName: 'Guides' }),
      { row: 'mutability', detail: '"id" is readOnly.' },
    ],
    [
      'drops readOnly sub-attributes named as keys',
      user(),
      replace({ [`${enterpriseUserUrn}:manager.displayName`]: 'John', displayName: 'B' }),
      user({ displayName: 'B' }),
      { row: 'mutability', detail: `"${enterpriseUserUrn}:manager.displayName" is readOnly.` },
    ],
    [
      'drops unknown keys of a value without a path',
      user(),
      replace({ shoeSize: 43, displayName: 'B' }),
      user({ displayName: 'B' }),
      { row: 'invalidPath', detail: '"shoeSize" does not name an attribute of User.' },
    ],
    [
      'drops an extension that is not registered, so that the rest, such as a deactivation, is done',
      user({ active: true }),
      replace({ 'urn:okta:custom:1.0:User': { shoeSize: 43 }, active: false }),
      user({ active: false }),
      { row: 'invalidPath', detail: '"urn:okta:custom:1.0:User" does not name an attribute of User.' },
    ],
    [
      'takes an empty path for none',
      user(),
      replace({ displayName: 'B' }, ''),
      user({ displayName: 'B' }),
      { row: 'invalidPath', detail: 'Operations[0].path must not be empty.' },
    ],
    [
      'reads a string as the manager',
      user(),
      replace('26118915', `${enterpriseUserUrn}:manager`),
      user({}, { manager: { value: '26118915' } }),
      { row: 'invalidValue', detail: `${enterpriseUserUrn}:manager must be an object, not "26118915".` },
    ],
    [
      'replaces all values by one object',
      user({ emails: [work] }),
      replace({ value: 'b@x' }, 'emails'),
      user({ emails: [{ value: 'b@x' }] }),
      { row: 'invalidValue', detail: 'emails must be an array, not "{\\"value\\":\\"b@x\\"}".' },
    ],
  ])('%s', (_tolerance, before, operation, after, refused) => {
    expect(patch(before, [operation]).resource).toStrictEqual(after);
    expect(patch(before, [operation], profiles['entra-legacy']).resource).toStrictEqual(after);
    expect(refusal(before, [operation], profiles.strict)).toStrictEqual(refused);
  });

  it('reads a PATCH message without schemas', () => {
    const message = { Operations: [{ op: 'remove', path: 'nickName' }] };
    expect(readPatch(message, profiles.default)).toStrictEqual([{ op: 'remove', path: 'nickName' }]);
    expect(errorOf(() => readPatch(message, profiles.strict))).toStrictEqual({
      row: 'invalidSyntax',
      detail: 'schemas must be ["urn:ietf:params:scim:api:messages:2.0:PatchOp"].',
    });
  });

  it('reads a boolean as a string in a filter', () => {
    const filter = parseFilter('active eq "True"');
    expect(bindFilter(filter, userSchema, profiles.default)).toMatchObject({ kind: 'compare', op: 'eq', value: true });
    expect(errorOf(() => bindFilter(filter, userSchema, profiles.strict))).toStrictEqual({
      row: 'invalidFilter',
      detail: '"active" is of type boolean; compare it with a boolean.',
    });
  });
});

describe('what the profiles do differently and both accept', () => {
  const both = (before: ScimResource, operation: JsonObject): [byDefault: ScimResource, strictly: ScimResource] => [
    patch(before, [operation]).resource,
    patch(before, [operation], profiles.strict).resource,
  ];

  it('an empty string clears an optional string, as Microsoft Entra ID means it, or is stored', () => {
    expect(both(user({ nickName: 'B' }), replace('', 'nickName'))).toStrictEqual([user(), user({ nickName: '' })]);
    expect(both(user({ name: { givenName: 'B', familyName: 'J' } }), replace('', 'name.givenName'))).toStrictEqual([
      user({ name: { familyName: 'J' } }),
      user({ name: { givenName: '', familyName: 'J' } }),
    ]);
    expect(both(user({ emails: [work] }), replace('', 'emails[type eq "work"].value'))).toStrictEqual([
      user({ emails: [{ type: 'work' }] }),
      user({ emails: [{ type: 'work', value: '' }] }),
    ]);
  });

  it('an empty string clears no required string, and no boolean', () => {
    for (const profile of Object.values(profiles)) {
      expect(refusal(user(), [replace('', 'userName')], profile)).toStrictEqual({
        row: 'invalidValue',
        detail: 'userName must not be empty.',
      });
      expect(refusal(user({ active: true }), [replace('', 'active')], profile)).toStrictEqual({
        row: 'invalidValue',
        detail: 'active must be true or false, not "".',
      });
    }
  });

  it('schemas among the keys of a value is passed over, or says which extensions remain', () => {
    const before = user({}, { division: 'D' });
    expect(both(before, replace({ schemas: [userUrn], displayName: 'B' }))).toStrictEqual([
      user({ displayName: 'B' }, { division: 'D' }),
      user({ displayName: 'B' }),
    ]);
  });
});

describe('what the entra-legacy profile reads beyond the default', () => {
  const role = { value: 'admin', display: 'Admin' };
  const text = JSON.stringify(role);
  const manager = `${enterpriseUserUrn}:manager`;
  const extended = user({}, { manager: { value: '26118915' } });
  const cases: [what: string, body: JsonObject, resource: ScimResource][] = [
    ['an array of one where one value belongs', { ...babs, displayName: ['Babs'] }, user({ displayName: 'Babs' })],
    ['an array of null as unassigned', { ...babs, displayName: [null] }, user()],
    [
      'a manager as an array of one, with an empty reference',
      { ...babs, [enterpriseUserUrn]: { manager: [{ $ref: null, value: '26118915' }] } },
      extended,
    ],
    ['a value as the JSON text of an object', { ...babs, roles: [text] }, user({ roles: [role] })],
    ['the only value as the JSON text of an object', { ...babs, roles: text }, user({ roles: [role] })],
  ];

  it.each(cases)('is %s', (_, body, resource) => {
    expect(read(body, profiles['entra-legacy'])).toEqual(resource);
  });

  it('is a manager as an array of one in a PATCH', () => {
    const operation = { op: 'Replace', path: manager, value: [{ $ref: null, value: '26118915' }] };
    expect(patch(user(), [operation], profiles['entra-legacy']).resource).toEqual(extended);
    expect(patch(user(), [{ op: 'Add', path: manager, value: [null] }], profiles['entra-legacy']).resource).toEqual(
      user(),
    );
  });

  it('is neither a text that is no JSON object nor a member as a JSON text', () => {
    for (const roles of [['{'], '{', ['admin']]) {
      expect(() => read({ ...babs, roles }, profiles['entra-legacy'])).toThrow(
        expect.objectContaining({ row: 'invalidValue' }),
      );
    }
    expect(() =>
      patch(group(), [{ op: 'add', path: 'members', value: ['{"value":"x"}'] }], profiles['entra-legacy'], groupSchema),
    ).toThrow(expect.objectContaining({ row: 'invalidValue' }));
  });
});
