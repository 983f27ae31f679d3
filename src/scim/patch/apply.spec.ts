import { describe, expect, it } from '@jest/globals';
import { badgeSchema, badgeUrn } from '../../../test/support/custom-schema.js';
import { group, patch, refusal, user } from '../../../test/support/patching.js';
import { profiles } from '../profile.js';
import type { JsonObject, JsonValue, ScimResource } from '../resource.js';
import { enterpriseUserUrn } from '../schema/enterprise-user.js';

const work = { value: 'babs@example.com', type: 'work', primary: true };
const home = { value: 'babs@jensen.org', type: 'home' };

describe('operations in order (RFC 7644 section 3.5.2)', () => {
  it('each sees what the one before left', () => {
    const operations = [
      { op: 'add', path: 'emails[type eq "work"].value', value: 'a@x' },
      { op: 'replace', path: 'emails[value eq "a@x"].display', value: 'A' },
      { op: 'add', path: 'emails', value: [{ value: 'b@x' }] },
      { op: 'remove', path: 'emails[not (type pr)]' },
      { op: 'replace', path: 'nickName', value: 'A' },
      { op: 'remove', path: 'nickName' },
    ];
    expect(patch(user(), operations, profiles.strict)).toStrictEqual({
      resource: user({ emails: [{ type: 'work', value: 'a@x', display: 'A' }] }),
      links: [],
    });
  });

  it('several fill one value that the first creates', () => {
    const at = (sub: string): string => `addresses[type eq "work"].${sub}`;
    const operations = [
      { op: 'Add', path: at('streetAddress'), value: '1 Main St' },
      { op: 'Add', path: at('locality'), value: 'Springfield' },
      { op: 'Add', path: at('country'), value: 'US' },
    ];
    expect(patch(user(), operations).resource).toStrictEqual(
      user({ addresses: [{ type: 'work', streetAddress: '1 Main St', locality: 'Springfield', country: 'US' }] }),
    );
  });

  it('what is required may not go, not even to come back', () => {
    expect(
      refusal(user(), [
        { op: 'remove', path: 'userName' },
        { op: 'add', path: 'userName', value: 'bj' },
      ]),
    ).toStrictEqual({
      row: 'mutability',
      detail: '"userName" is required and cannot be removed.',
    });
  });
});

describe('one operation that fails (RFC 7644 section 3.5.2)', () => {
  const before = user(
    { active: true, name: { givenName: 'B' }, emails: [work, home], phoneNumbers: [{ value: '1' }] },
    { division: 'D', manager: { value: '1' } },
  );
  const many = [
    { op: 'replace', path: 'active', value: false },
    { op: 'replace', path: 'name.givenName', value: 'Babs' },
    { op: 'remove', path: 'phoneNumbers' },
    { op: 'replace', path: 'emails[type eq "work"].value', value: 'a@x' },
    { op: 'replace', path: 'emails[type eq "home"].primary', value: true },
    { op: 'add', path: 'emails', value: [{ value: 'b@x' }] },
    { op: 'replace', path: `${enterpriseUserUrn}:manager`, value: { value: '2' } },
    { op: 'remove', path: `${enterpriseUserUrn}:division` },
  ];

  it.each<[what: string, operation: JsonObject, row: string]>([
    ['by its path', { op: 'remove', path: 'shoeSize' }, 'invalidPath'],
    ['by its filter', { op: 'remove', path: 'emails[type eq]' }, 'invalidFilter'],
    ['by its target', { op: 'replace', path: 'emails[type ne "x" and type eq "x"]', value: {} }, 'noTarget'],
    ['by its value', { op: 'replace', path: 'active', value: 5 }, 'invalidValue'],
    ['by mutability', { op: 'replace', path: 'id', value: '1' }, 'mutability'],
    ['midway through a value', { op: 'replace', value: { title: 'T', userName: null } }, 'mutability'],
  ])('%s leaves the resource as it was, wherever it stands', (_what, operation, row) => {
    for (const operations of [
      [operation, ...many],
      [...many, operation],
    ]) {
      expect(refusal(before, operations).row).toBe(row);
    }
  });

  it('and success as well: the resource that was given is not the one that comes out', () => {
    const copy = structuredClone(before);
    expect(patch(before, many).resource).toStrictEqual(
      user(
        {
          active: false,
          name: { givenName: 'Babs' },
          emails: [{ ...work, value: 'a@x', primary: false }, { ...home, primary: true }, { value: 'b@x' }],
        },
        { manager: { value: '2' } },
      ),
    );
    expect(before).toStrictEqual(copy);
  });
});

describe('the resource that comes out', () => {
  it('keeps what the server put there', () => {
    const stored = { ...user({ id: '1', password: '$scrypt$hash' }), meta: { version: 'W/"1"' } };
    expect(patch(stored, [{ op: 'add', path: 'nickName', value: 'B' }]).resource).toStrictEqual({
      ...stored,
      nickName: 'B',
    });
  });

  it('is equal to the one that went in when nothing changes, in the schema’s order', () => {
    const stored = user({ nickName: 'B', emails: [work, home] }, { division: 'D' });
    const operations = [
      { op: 'replace', path: 'nickName', value: 'B' },
      { op: 'add', path: 'emails', value: [{ primary: true, type: 'work', value: work.value }] },
      { op: 'replace', path: 'emails[type eq "home"].value', value: home.value },
      { op: 'remove', path: 'title' },
      { op: 'add', value: { [enterpriseUserUrn]: { division: 'D' } } },
    ];
    const { resource } = patch(stored, operations);
    expect(resource).toStrictEqual(stored);
    expect(Object.keys(resource)).toStrictEqual(['schemas', 'userName', 'nickName', 'emails', enterpriseUserUrn]);
  });

  it('must have what is required of its values (RFC 7643 section 2.2)', () => {
    const badge: ScimResource = { schemas: [badgeUrn], label: 'B1' };
    expect(
      refusal(badge, [{ op: 'add', path: 'doors', value: [{ zone: '1' }] }], profiles.strict, badgeSchema),
    ).toStrictEqual({
      row: 'invalidValue',
      detail: 'doors.value is required.',
    });
    expect(
      refusal(badge, [{ op: 'add', path: 'holder', value: { value: '1' } }], profiles.strict, badgeSchema),
    ).toStrictEqual({
      row: 'invalidValue',
      detail: 'holder.note is required.',
    });
  });
});

describe('what clients send', () => {
  const deactivations: [client: string, operation: JsonObject][] = [
    ['Okta', { op: 'replace', value: { active: false } }],
    ['Microsoft Entra ID', { op: 'Replace', path: 'active', value: 'False' }],
    ['Microsoft Entra ID, newer', { op: 'replace', path: 'active', value: false }],
    ['one that adds', { op: 'Add', path: 'active', value: 'false' }],
    ['one that adds without a path', { op: 'add', value: { Active: 'FALSE' } }],
    [
      'one that names the schema',
      { op: 'replace', path: 'urn:ietf:params:scim:schemas:core:2.0:User:active', value: false },
    ],
    [
      'one that wraps it in the schema',
      { op: 'replace', value: { 'urn:ietf:params:scim:schemas:core:2.0:User': { active: false } } },
    ],
    [
      'one that sends its whole profile',
      { op: 'replace', value: { schemas: ['urn:x'], id: '1', groups: [], meta: {}, active: false, costCentre: 'x' } },
    ],
  ];

  it.each(deactivations)('deactivates a leaver: %s', (_client, operation) => {
    expect(patch(user({ active: true }), [operation]).resource).toStrictEqual(user({ active: false }));
  });

  it.each<[value: JsonValue]>([['no'], ['0'], [0], ['disabled'], [''], [['False']], [{ value: false }]])(
    'fails loudly for active %j: a leaver is not passed over in silence',
    (value) => {
      for (const operation of [
        { op: 'replace', path: 'active', value },
        { op: 'replace', value: { active: value } },
      ]) {
        expect(refusal(user({ active: true }), [operation]).row).toBe('invalidValue');
      }
    },
  );

  it('Okta renames a group by a value with its id', () => {
    const operation = { op: 'replace', value: { id: 'abf4dd94', displayName: 'Test SCIMv2' } };
    expect(patch(group(), [operation])).toStrictEqual({ resource: group({ displayName: 'Test SCIMv2' }), links: [] });
  });

  it('Microsoft Entra ID sends dotted names and URNs in one value', () => {
    const value = {
      displayName: 'Barbara Jensen',
      'name.givenName': 'Barbara',
      'name.familyName': 'Jensen',
      'name.formatted': 'Barbara Jensen',
      'emails[type eq "work"].value': 'babs@example.com',
      [`${enterpriseUserUrn}:employeeNumber`]: '701984',
      [`${enterpriseUserUrn}:manager`]: '26118915',
    };
    for (const op of ['add', 'replace']) {
      expect(patch(user(), [{ op, value }]).resource).toStrictEqual(
        user(
          {
            name: { givenName: 'Barbara', familyName: 'Jensen', formatted: 'Barbara Jensen' },
            displayName: 'Barbara Jensen',
            emails: [{ type: 'work', value: 'babs@example.com' }],
          },
          { employeeNumber: '701984', manager: { value: '26118915' } },
        ),
      );
    }
  });

  it('Microsoft Entra ID assigns application roles as JSON in strings, kept as sent', () => {
    const role = { value: '{"id":"06b0","value":"Admin","displayName":"Admin"}' };
    expect(patch(user(), [{ op: 'Add', path: 'roles', value: [role] }]).resource).toStrictEqual(
      user({ roles: [role] }),
    );
  });

  it('Microsoft Entra ID clears a manager in several ways', () => {
    const before = user({}, { manager: { value: '1' } });
    const path = `${enterpriseUserUrn}:manager`;
    for (const operation of [
      { op: 'Remove', path },
      { op: 'Replace', path, value: '' },
      { op: 'Replace', path, value: null },
      { op: 'Replace', path: `${path}.value`, value: '' },
      { op: 'Replace', path, value: { value: '' } },
    ]) {
      expect(patch(before, [operation]).resource).toStrictEqual(user());
    }
  });
});
