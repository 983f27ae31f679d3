import { describe, expect, it } from '@jest/globals';
import { badgeSchema, badgeUrn } from '../../../test/support/custom-schema.js';
import { group, patch, refusal, user } from '../../../test/support/patching.js';
import { profiles } from '../profile.js';
import type { JsonObject, JsonValue, ScimResource } from '../resource.js';
import { enterpriseUserUrn } from '../schema/enterprise-user.js';
import { userUrn } from '../schema/user.js';

const work = { value: 'babs@example.com', type: 'work', primary: true };
const home = { value: 'babs@jensen.org', type: 'home' };
const manager = `${enterpriseUserUrn}:manager`;

const replaced = (before: ScimResource, path: string, value: JsonValue, profile = profiles.strict): ScimResource =>
  patch(before, [{ op: 'replace', path, value }], profile).resource;

const refused = (before: ScimResource, operation: JsonObject, profile = profiles.strict): [string, string] => {
  const { row, detail } = refusal(before, [{ op: 'replace', ...operation }], profile);
  return [row, detail];
};

describe('replace of a single-valued attribute (RFC 7644 section 3.5.2.3)', () => {
  it.each<[what: string, before: ScimResource, path: string, value: JsonValue, after: ScimResource]>([
    ['sets the value', user({ nickName: 'B' }), 'nickName', 'Babs', user({ nickName: 'Babs' })],
    ['sets the value of one that has none', user(), 'nickName', 'Babs', user({ nickName: 'Babs' })],
    ['deactivates', user({ active: true }), 'active', false, user({ active: false })],
    ['reactivates', user({ active: false }), 'active', true, user({ active: true })],
    ['renames', user(), `${userUrn}:userName`, 'bj', user({ userName: 'bj' })],
    ['renames a group', group(), 'displayName', 'Guides', group({ displayName: 'Guides' })],
    ['sets a password, prepared (RFC 7644 section 5)', user(), 'password', 'pa\u00a0ss', user({ password: 'pa ss' })],
    ['sets it in an extension', user(), `${enterpriseUserUrn}:department`, 'T', user({}, { department: 'T' })],
  ])('%s', (_what, before, path, value, after) => {
    expect(replaced(before, path, value)).toStrictEqual(after);
  });

  it.each<[value: JsonValue]>([[null], [[]]])('by %j leaves it without a value (RFC 7643 section 2.5)', (value) => {
    const before = user({ nickName: 'B', active: true, name: { givenName: 'B' }, emails: [work] }, { division: 'D' });
    const paths = ['nickName', 'active', 'name', 'emails', `${enterpriseUserUrn}:division`];
    const { resource } = patch(
      before,
      paths.map((path) => ({ op: 'replace', path, value })),
      profiles.strict,
    );
    expect(resource).toStrictEqual(user());
    expect(replaced(before, enterpriseUserUrn, value)).toStrictEqual(
      user({ nickName: 'B', active: true, name: { givenName: 'B' }, emails: [work] }),
    );
  });
});

describe('replace of a complex attribute (RFC 7644 section 3.5.2.3)', () => {
  const before = user({ name: { givenName: 'B', familyName: 'Jensen' } });

  it.each<[what: string, path: string, value: JsonValue, name: JsonObject]>([
    ['keeps what it does not name', 'name', { givenName: 'Babs' }, { givenName: 'Babs', familyName: 'Jensen' }],
    ['sets one sub-attribute', 'name.givenName', 'Babs', { givenName: 'Babs', familyName: 'Jensen' }],
    [
      'takes away what it names as null',
      'name',
      { givenName: null, middleName: 'J' },
      { familyName: 'Jensen', middleName: 'J' },
    ],
    ['takes one away by null', 'name.givenName', null, { familyName: 'Jensen' }],
    ['changes nothing by {}', 'name', {}, { givenName: 'B', familyName: 'Jensen' }],
  ])('%s', (_what, path, value, name) => {
    expect(replaced(before, path, value)).toStrictEqual(user({ name }));
  });

  it('takes the whole away with what is left of it', () => {
    expect(replaced(before, 'name', { givenName: null, FAMILYNAME: null })).toStrictEqual(user());
    expect(replaced(user({}, { manager: { value: '1' } }), manager, { value: null, $ref: null })).toStrictEqual(user());
  });

  it.each<[path: string, value: JsonValue]>([
    [manager, { value: '2' }],
    [manager, { value: '2', $ref: '../Users/2', displayName: 'Jim' }],
    [manager, { $ref: '../Users/2' }],
    [manager, { $ref: null, value: '2' }],
    [`${manager}.value`, '2'],
  ])('sets the manager by %s and %j', (path, value) => {
    expect(replaced(user({}, { manager: { value: '1' } }), path, value)).toStrictEqual(
      user({}, { manager: { value: '2' } }),
    );
  });
});

describe('replace of a multi-valued attribute (RFC 7644 section 3.5.2.3)', () => {
  const other = { value: 'b@x', type: 'home', display: 'B' };
  const before = user({ emails: [work, home, other] });

  it.each<[what: string, path: string, value: JsonValue, emails: JsonValue[]]>([
    ['replaces all', 'emails', [{ value: 'a@x' }], [{ value: 'a@x' }]],
    ['replaces all, exact duplicates once', 'emails', [home, { type: 'home', value: home.value }], [home]],
    ['replaces one value wholly', 'emails[type eq "work"]', { value: 'a@x' }, [{ value: 'a@x' }, home, other]],
    [
      'replaces every value that matches',
      'emails[type eq "home"].display',
      'H',
      [work, { ...home, display: 'H' }, { ...other, display: 'H' }],
    ],
    [
      'asks all of a filter of the same value',
      'emails[type eq "home" and display eq "b"].value',
      'a@x',
      [work, home, { ...other, value: 'a@x' }],
    ],
    [
      'compares without regard to case',
      'emails[value eq "B@X"].type',
      'other',
      [work, home, { ...other, type: 'other' }],
    ],
    [
      'sets a sub-attribute of every value',
      'emails.display',
      'B',
      [{ ...work, display: 'B' }, { ...home, display: 'B' }, other],
    ],
    [
      'takes a sub-attribute away by null',
      'emails[type eq "work"].primary',
      null,
      [{ value: work.value, type: 'work' }, home, other],
    ],
    ['takes matching values away by null', 'emails[type eq "home"]', null, [work]],
    ['takes matching values away by []', 'emails[type eq "home"]', [], [work]],
  ])('%s', (_what, path, value, emails) => {
    expect(replaced(before, path, value)).toStrictEqual(user({ emails }));
  });

  it('makes an attribute that is not there, as add does', () => {
    expect(replaced(user(), 'emails', [work])).toStrictEqual(user({ emails: [work] }));
    expect(replaced(user(), 'emails.value', 'a@x')).toStrictEqual(user({ emails: [{ value: 'a@x' }] }));
    expect(replaced(user(), 'emails.value', null)).toStrictEqual(user());
  });

  it('leaves it without a value by a list of nothing', () => {
    expect(replaced(before, 'emails', [null, {}])).toStrictEqual(user());
  });
});

describe('replace at a value path that matches nothing (RFC 7644 section 3.5.2.3)', () => {
  const before = user({ emails: [work] });
  const noTarget = (path: string): [string, string] => [
    'noTarget',
    `${JSON.stringify(path)} matches no value of emails.`,
  ];

  it.each<[path: string, value: JsonValue]>([
    ['emails[type eq "home"].value', 'a@x'],
    ['emails[type eq "home"]', { value: 'a@x' }],
    ['emails[type eq "home"].value', null],
  ])('has no target: %s and %j in the strict profile', (path, value) => {
    expect(refused(before, { path, value })).toStrictEqual(noTarget(path));
    expect(refused(user(), { path, value })).toStrictEqual(noTarget(path));
  });

  it.each<[path: string, value: JsonValue, created: JsonObject]>([
    ['emails[type eq "home"].value', 'a@x', { type: 'home', value: 'a@x' }],
    ['emails[type eq "home"]', { value: 'a@x' }, { type: 'home', value: 'a@x' }],
    ['emails[type eq "home" and primary eq "False"].value', 'a@x', { type: 'home', primary: false, value: 'a@x' }],
  ])('creates the value that %s describes by default', (path, value, created) => {
    expect(replaced(before, path, value, profiles.default)).toStrictEqual(user({ emails: [work, created] }));
  });

  it.each<[value: JsonValue]>([[null], ['']])('creates nothing for %j', (value) => {
    expect(replaced(before, 'emails[type eq "home"].value', value, profiles.default)).toStrictEqual(before);
  });

  it.each<[path: string, value: JsonValue]>([
    ['emails[type ne "work"].value', 'a@x'],
    ['emails[value sw "x"].value', 'a@x'],
    ['emails[type eq "home" or type eq "other"].value', 'a@x'],
    ['emails[type eq "home"].type', 'other'],
    ['emails[type ne "work"].value', null],
  ])('has no target in any profile where nothing is described: %s and %j', (path, value) => {
    for (const profile of Object.values(profiles)) {
      expect(refused(before, { path, value }, profile)).toStrictEqual(noTarget(path));
    }
  });

  it('is told by the filter, not by the value: nothing else is touched', () => {
    expect(replaced(before, 'emails[type eq "home"].value', work.value, profiles.default)).toStrictEqual(
      user({ emails: [work, { type: 'home', value: work.value }] }),
    );
  });
});

describe('a replace that is refused', () => {
  const before = user({ nickName: 'B', emails: [work] }, { manager: { value: '1' } });

  it.each<[what: string, operation: JsonObject, row: string, detail: string]>([
    ['has no value', { path: 'nickName' }, 'invalidValue', 'replace needs a value.'],
    [
      'clears a required attribute',
      { path: 'userName', value: null },
      'mutability',
      '"userName" is required and cannot be removed.',
    ],
    [
      'clears a required attribute by []',
      { path: 'userName', value: [] },
      'mutability',
      '"userName" is required and cannot be removed.',
    ],
    ['empties a required attribute', { path: 'userName', value: '' }, 'invalidValue', 'userName must not be empty.'],
    [
      'sets what is no user name',
      { path: 'userName', value: ' ' },
      'invalidValue',
      'userName is not a valid user name: it starts or ends with a space.',
    ],
    ['sets id', { path: 'id', value: '1' }, 'mutability', '"id" is readOnly.'],
    ['sets meta', { path: 'meta.created', value: '1970-01-01T00:00:00Z' }, 'mutability', '"meta.created" is readOnly.'],
    ['sets the derived groups', { path: 'groups', value: [] }, 'mutability', '"groups" is readOnly.'],
    [
      'sets the manager’s name',
      { path: `${manager}.displayName`, value: 'J' },
      'mutability',
      `"${manager}.displayName" is readOnly.`,
    ],
    [
      'sets a manager and the $ref to another',
      { path: manager, value: { value: '1', $ref: '../Users/2' } },
      'invalidValue',
      'manager: "value" and "$ref" name different resources ("../Users/2").',
    ],
    [
      'sets active to a word',
      { path: 'active', value: 'disabled' },
      'invalidValue',
      'active must be true or false, not "disabled".',
    ],
    [
      'sets two primary values',
      { path: 'emails', value: [work, { ...home, primary: true }] },
      'invalidValue',
      'emails has more than one value with "primary": true.',
    ],
    [
      'has brackets on a single value',
      { path: 'name[givenName eq "B"]', value: {} },
      'invalidPath',
      '"name[givenName eq \\"B\\"]" has brackets, but only a multi-valued complex attribute takes them.',
    ],
    [
      'has a bad filter',
      { path: 'emails[type eq]', value: {} },
      'invalidFilter',
      'The filter has "]" at character 15; expected a value: a double-quoted string, a number, true, false or null.',
    ],
  ])('%s', (_what, operation, row, detail) => {
    expect(refused(before, operation)).toStrictEqual([row, detail]);
  });

  it('does not repeat a password', () => {
    for (const value of [424242, ['s3cret'], { value: 's3cret' }, 's3cret\u0007']) {
      const [row, detail] = refused(user(), { path: 'password', value });
      expect(row).toBe('invalidValue');
      expect(detail).not.toMatch(/424242|s3cret/);
    }
  });
});

describe('replace of immutable attributes (RFC 7644 section 3.5.2.3)', () => {
  const badge = {
    schemas: [badgeUrn],
    label: 'B1',
    serial: 'a',
    history: [{ value: 'x' }],
    holder: { note: 'n', value: '1' },
  };
  const patched = (path: string, value: JsonValue): ScimResource =>
    patch(badge, [{ op: 'replace', path, value }], profiles.strict, badgeSchema).resource;

  it.each<[path: string, value: JsonValue]>([
    ['serial', 'a'],
    ['history', [{ value: 'x' }]],
    ['holder.value', '1'],
    ['holder', { value: '1', note: 'n' }],
  ])('%s may be set to what it is', (path, value) => {
    expect(patched(path, value)).toStrictEqual(badge);
  });

  it.each<[path: string, value: JsonValue, name: string]>([
    ['serial', 'A', 'serial'],
    ['serial', null, 'serial'],
    ['history', [{ value: 'y' }], 'history'],
    ['history[value eq "x"].value', 'y', 'history'],
    ['holder.value', '2', 'holder.value'],
    ['holder', { value: null }, 'holder.value'],
  ])('%s may not be set to %j', (path, value, name) => {
    expect(refusal(badge, [{ op: 'replace', path, value }], profiles.strict, badgeSchema)).toStrictEqual({
      row: 'mutability',
      detail: `${name} is immutable; it already has a value and cannot be changed.`,
    });
  });

  it('they may be set once', () => {
    const bare = { schemas: [badgeUrn], label: 'B1', holder: { note: 'n' } };
    const operations = [
      { op: 'add', path: 'serial', value: 'a' },
      { op: 'replace', path: 'holder.value', value: '1' },
      { op: 'add', path: 'history', value: [{ value: 'x' }] },
    ];
    expect(patch(bare, operations, profiles.strict, badgeSchema).resource).toStrictEqual(badge);
  });
});
