import { describe, expect, it } from '@jest/globals';
import { badgeSchema, badgeUrn } from '../../../test/support/custom-schema.js';
import { group, patch, refusal, user } from '../../../test/support/patching.js';
import { profiles } from '../profile.js';
import type { JsonObject, JsonValue, ScimResource } from '../resource.js';
import { enterpriseUserUrn } from '../schema/enterprise-user.js';
import { userUrn } from '../schema/user.js';

const work = { value: 'babs@example.com', type: 'work', primary: true };
const home = { value: 'babs@jensen.org', type: 'home' };

const applied = (op: string, before: ScimResource, value: JsonValue, profile = profiles.strict): ScimResource =>
  patch(before, [{ op, value }], profile).resource;

describe('add without a path (RFC 7644 section 3.5.2.1)', () => {
  it('sets what has one value, merges what is complex and appends to what has several', () => {
    const before = user(
      { nickName: 'B', title: 'Guide', name: { givenName: 'B', familyName: 'Jensen' }, emails: [work] },
      { division: 'D' },
    );
    const value = {
      nickName: 'Babs',
      name: { givenName: 'Barbara' },
      emails: [home],
      [enterpriseUserUrn]: { department: 'T' },
    };
    expect(applied('add', before, value)).toStrictEqual(
      user(
        {
          nickName: 'Babs',
          title: 'Guide',
          name: { givenName: 'Barbara', familyName: 'Jensen' },
          emails: [work, home],
        },
        { division: 'D', department: 'T' },
      ),
    );
  });

  it('takes nothing away by null', () => {
    const before = user({ nickName: 'B', name: { givenName: 'B' }, emails: [work] }, { division: 'D' });
    const value = { nickName: null, name: null, emails: [], [enterpriseUserUrn]: null };
    expect(applied('add', before, value)).toStrictEqual(before);
  });
});

describe('replace without a path (RFC 7644 section 3.5.2.3)', () => {
  const before = user(
    { nickName: 'B', title: 'Guide', name: { givenName: 'B', familyName: 'Jensen' }, emails: [work, home] },
    { division: 'D', manager: { value: '1' } },
  );

  it('replaces what it names and keeps the rest', () => {
    const value = {
      nickName: 'Babs',
      name: { givenName: 'Barbara' },
      emails: [{ value: 'a@x' }],
      [enterpriseUserUrn]: { division: 'E' },
    };
    expect(applied('replace', before, value)).toStrictEqual(
      user(
        {
          nickName: 'Babs',
          title: 'Guide',
          name: { givenName: 'Barbara', familyName: 'Jensen' },
          emails: [{ value: 'a@x' }],
        },
        { division: 'E', manager: { value: '1' } },
      ),
    );
  });

  it('takes away what it names as null or []', () => {
    const value = { nickName: null, name: null, emails: [], title: 'Guide', [enterpriseUserUrn]: null };
    expect(applied('replace', before, value)).toStrictEqual(user({ title: 'Guide' }));
  });

  it.each<[what: string, value: JsonObject]>([
    ['names in any case', { NICKNAME: 'Babs', Name: { GIVENNAME: 'Barbara' } }],
    ['dotted names', { nickName: 'Babs', 'name.givenName': 'Barbara' }],
    ['names with the base URN', { [`${userUrn}:nickName`]: 'Babs', [`${userUrn}:name.givenName`]: 'Barbara' }],
    ['the base URN with an object', { [userUrn]: { nickName: 'Babs', 'name.givenName': 'Barbara' } }],
    ['the base URN in any case', { [userUrn.toUpperCase()]: { nickName: 'Babs', name: { givenName: 'Barbara' } } }],
  ])('reads %s', (_what, value) => {
    expect(applied('replace', before, value)).toStrictEqual({
      ...before,
      nickName: 'Babs',
      name: { givenName: 'Barbara', familyName: 'Jensen' },
    });
  });

  it.each<[what: string, value: JsonObject]>([
    [
      'the URN of an attribute',
      { [`${enterpriseUserUrn}:manager`]: { value: '2' }, [`${enterpriseUserUrn}:division`]: 'E' },
    ],
    [
      'the URN of a sub-attribute',
      { [`${enterpriseUserUrn}:manager.value`]: '2', [`${enterpriseUserUrn}:division`]: 'E' },
    ],
    ['names within the extension', { [enterpriseUserUrn.toLowerCase()]: { 'manager.value': '2', DIVISION: 'E' } }],
  ])('reads %s of an extension', (_what, value) => {
    expect(applied('replace', before, value)[enterpriseUserUrn]).toStrictEqual({
      division: 'E',
      manager: { value: '2' },
    });
  });

  it('reads value paths', () => {
    const value = { 'emails[type eq "home"].value': 'a@x', 'emails[type eq "work"].primary': false };
    expect(applied('replace', user({ emails: [work, home] }), value)).toStrictEqual(
      user({
        emails: [
          { ...work, primary: false },
          { ...home, value: 'a@x' },
        ],
      }),
    );
  });

  it('changes nothing by {}', () => {
    expect(applied('replace', before, {})).toStrictEqual(before);
  });

  it('takes every key for what it names, in order', () => {
    expect(
      applied('replace', user(), { name: { givenName: 'A', familyName: 'J' }, 'name.givenName': 'B' }),
    ).toStrictEqual(user({ name: { givenName: 'B', familyName: 'J' } }));
  });
});

describe('a value without a path that is refused', () => {
  it.each<[value: JsonValue]>([['Babs'], [null], [[]], [[{ active: false }]], [5], [true], ['{"active":false}']])(
    'is %j',
    (value) => {
      for (const op of ['add', 'replace']) {
        expect(refusal(user({ active: true }), [{ op, value }])).toStrictEqual({
          row: 'invalidValue',
          detail: `${op} without a path needs an object of attributes as its value.`,
        });
      }
    },
  );

  it.each<[what: string, value: JsonObject, row: string, detail: string]>([
    ['an unknown dotted key', { 'name.nick': 'B' }, 'invalidPath', '"name.nick" does not name an attribute of User.'],
    [
      'a key with too many dots',
      { 'name.given.name': 'B' },
      'invalidPath',
      '"name.given.name" is not a path such as name.familyName or emails[type eq "work"].value.',
    ],
    [
      'an unknown attribute of a known extension',
      { [`${enterpriseUserUrn}:shoeSize`]: { a: 1 } },
      'invalidPath',
      `"${enterpriseUserUrn}:shoeSize" does not name an attribute of User.`,
    ],
    [
      'an attribute of an unknown extension',
      { 'urn:example:2.0:User:shoeSize': 43 },
      'invalidPath',
      '"urn:example:2.0:User:shoeSize" does not name an attribute of User.',
    ],
    [
      'an extension that is no object',
      { [enterpriseUserUrn]: 'D' },
      'invalidValue',
      'replace without a path needs an object of attributes as its value.',
    ],
    [
      'a value path on derived groups',
      { 'groups[value eq "g"].display': 'G' },
      'mutability',
      '"groups[value eq \\"g\\"].display" is readOnly.',
    ],
    [
      'a required attribute to clear',
      { userName: null },
      'mutability',
      '"userName" is required and cannot be removed.',
    ],
    [
      'a bad filter',
      { 'emails[type eq work].value': 'a@x' },
      'invalidFilter',
      'The filter has "work" at character 16; expected a value: a double-quoted string, a number, true, false or null.',
    ],
  ])('has %s, in any profile', (_what, value, row, detail) => {
    for (const profile of Object.values(profiles)) {
      expect(refusal(user(), [{ op: 'replace', value: { nickName: 'B', ...value } }], profile)).toStrictEqual({
        row,
        detail,
      });
    }
  });

  it('has sub-attributes of readOnly attributes, in the strict profile only', () => {
    const badge = { schemas: [badgeUrn], label: 'B1' };
    const operation = { op: 'add', value: { 'audit.by': 'me' } };
    expect(patch(badge, [operation], profiles.default, badgeSchema).resource).toStrictEqual(badge);
    expect(refusal(badge, [operation], profiles.strict, badgeSchema)).toStrictEqual({
      row: 'mutability',
      detail: '"audit.by" is readOnly.',
    });
  });

  it('has readOnly keys, in the strict profile only', () => {
    const value = { id: '1', meta: { version: 'x' }, groups: [], 'meta.created': 'x', [`${userUrn}:id`]: '2' };
    const more = { ...value, [enterpriseUserUrn]: { 'manager.displayName': 'J' }, nickName: 'Babs' };
    expect(applied('replace', user(), more, profiles.default)).toStrictEqual(user({ nickName: 'Babs' }));
    for (const [key, item] of Object.entries(value)) {
      expect(refusal(user(), [{ op: 'replace', value: { [key]: item } }], profiles.strict)).toStrictEqual({
        row: 'mutability',
        detail: `"${key}" is readOnly.`,
      });
    }
  });
});

describe('keys that every object has', () => {
  const inert = (before: ScimResource, json: string, after: ScimResource): void => {
    const value = JSON.parse(json) as JsonValue;
    expect(applied('replace', before, value, profiles.default)).toStrictEqual(after);
    expect(({} as JsonObject)['admin']).toBeUndefined();
  };

  it.each(['constructor', 'prototype', 'toString', 'hasOwnProperty'])('%s is dropped at every level', (key) => {
    const hostile = `"${key}": {"admin": true, "active": true}`;
    inert(
      user({ active: false }),
      `{${hostile}, "name": {${hostile}, "givenName": "B"}, "emails": [{${hostile}, "value": "a@x"}],
        "${enterpriseUserUrn}": {${hostile}, "division": "D"}}`,
      user({ active: false, name: { givenName: 'B' }, emails: [{ value: 'a@x' }] }, { division: 'D' }),
    );
  });

  it('__proto__ is dropped from values', () => {
    const hostile = '"__proto__": {"admin": true, "familyName": "J", "primary": true}';
    inert(
      user(),
      `{"name": {${hostile}, "givenName": "B"}, "emails": [{${hostile}, "value": "a@x"}]}`,
      user({ name: { givenName: 'B' }, emails: [{ value: 'a@x' }] }),
    );
  });

  it.each(['__proto__', '__proto__.admin', 'constructor.prototype', 'constructor.prototype.admin', 'name.__proto__'])(
    '%s is no path',
    (key) => {
      const value = JSON.parse(`{"${key}": {"admin": true}}`) as JsonValue;
      for (const operation of [
        { op: 'replace', value },
        { op: 'add', path: key, value: true },
      ]) {
        expect(refusal(user(), [operation]).row).toBe('invalidPath');
      }
      expect(({} as JsonObject)['admin']).toBeUndefined();
    },
  );

  it.each(['__proto__', 'constructor', 'toString'])('%s is refused in the strict profile', (key) => {
    const at = (json: string): string =>
      refusal(user(), [{ op: 'add', value: JSON.parse(json) as JsonValue }], profiles.strict).row;
    expect(at(`{"${key}": {"admin": true}}`)).toBe('invalidPath');
    expect(at(`{"name": {"${key}": {"admin": true}}}`)).toBe('invalidSyntax');
    expect(at(`{"${enterpriseUserUrn}": {"${key}": {"admin": true}}}`)).toBe('invalidPath');
  });
});

describe('members without a path', () => {
  it('are changed as under the path members', () => {
    expect(patch(group(), [{ op: 'add', value: { members: [{ value: '1' }], displayName: 'Guides' } }])).toStrictEqual({
      resource: group({ displayName: 'Guides' }),
      links: [{ kind: 'add', links: [{ value: '1' }] }],
    });
  });
});
