import { describe, expect, it } from '@jest/globals';
import { badgeSchema, badgeUrn, lockedBadgeSchema, lockUrn } from '../../../test/support/custom-schema.js';
import { group, patch, refusal, user } from '../../../test/support/patching.js';
import { profiles } from '../profile.js';
import type { JsonObject, JsonValue, ScimResource } from '../resource.js';
import { enterpriseUserUrn } from '../schema/enterprise-user.js';
import { userUrn } from '../schema/user.js';

const work = { value: 'babs@example.com', type: 'work', primary: true };
const home = { value: 'babs@jensen.org', type: 'home' };

const removed = (before: ScimResource, path: string, value?: JsonValue): ScimResource =>
  patch(before, [{ op: 'remove', path, ...(value === undefined ? {} : { value }) }], profiles.strict).resource;

const refused = (before: ScimResource, operation: JsonObject, profile = profiles.strict): [string, string] => {
  const { row, detail } = refusal(before, [{ op: 'remove', ...operation }], profile);
  return [row, detail];
};

describe('remove of an attribute (RFC 7644 section 3.5.2.2)', () => {
  const before = user(
    { nickName: 'Babs', active: true, name: { givenName: 'B', familyName: 'Jensen' }, emails: [work, home] },
    { division: 'D', manager: { value: '1' } },
  );
  const without = (name: string): ScimResource => {
    const { [name]: _gone, ...rest } = before;
    return rest as ScimResource;
  };

  it.each<[path: string, after: ScimResource]>([
    ['nickName', without('nickName')],
    [`${userUrn}:NickName`, without('nickName')],
    ['active', without('active')],
    ['name', without('name')],
    ['name.givenName', { ...before, name: { familyName: 'Jensen' } }],
    ['emails', without('emails')],
    [`${enterpriseUserUrn}:division`, { ...before, [enterpriseUserUrn]: { manager: { value: '1' } } }],
    [`${enterpriseUserUrn}:manager`, { ...before, [enterpriseUserUrn]: { division: 'D' } }],
    [`${enterpriseUserUrn}:manager.value`, { ...before, [enterpriseUserUrn]: { division: 'D' } }],
    [enterpriseUserUrn, { ...without(enterpriseUserUrn), schemas: [userUrn] }],
  ])('%s leaves it without a value', (path, after) => {
    expect(removed(before, path)).toStrictEqual(after);
  });

  it('takes an attribute of one value away whatever value is sent along', () => {
    expect(removed(before, 'nickName', 'someone else')).toStrictEqual(without('nickName'));
    expect(removed(before, `${enterpriseUserUrn}:manager`, [])).toStrictEqual({
      ...before,
      [enterpriseUserUrn]: { division: 'D' },
    });
  });

  it('takes the complex attribute away with its last sub-attribute, and the extension with its last attribute', () => {
    expect(removed(user({ name: { givenName: 'B' } }), 'name.givenName')).toStrictEqual(user());
    expect(removed(user({}, { manager: { value: '1' } }), `${enterpriseUserUrn}:manager.value`)).toStrictEqual(user());
  });

  it.each([
    'nickName',
    'name',
    'name.givenName',
    'emails',
    'emails.type',
    'emails[type eq "work"]',
    'emails[type ne "work"].value',
    'externalId',
    'password',
    `${enterpriseUserUrn}:manager`,
    `${enterpriseUserUrn}:manager.value`,
    enterpriseUserUrn,
  ])('%s changes nothing where there is nothing, in any profile', (path) => {
    for (const profile of Object.values(profiles)) {
      expect(patch(user(), [{ op: 'remove', path }], profile).resource).toStrictEqual(user());
    }
  });
});

describe('remove of values (RFC 7644 section 3.5.2.2)', () => {
  const other = { value: 'b@x', display: 'B' };
  const before = user({ emails: [work, home, other] });

  it.each<[path: string, emails: JsonValue[]]>([
    ['emails[type eq "work"]', [home, other]],
    ['emails[TYPE eq "WORK"]', [home, other]],
    ['emails[type eq "work" and value ew "example.com"]', [home, other]],
    ['emails[type eq "work" and value ew "jensen.org"]', [work, home, other]],
    ['emails[type eq "work" or type eq "home"]', [other]],
    ['emails[not (type eq "work")]', [work]],
    ['emails[type ne "work"]', [work]],
    ['emails[primary eq true]', [home, other]],
    ['emails[primary eq false]', [work, home, other]],
    ['emails[type eq "pager"]', [work, home, other]],
    ['emails[type pr]', [other]],
    ['emails.type', [{ value: work.value, primary: true }, { value: home.value }, other]],
    ['emails.display', [work, home, { value: 'b@x' }]],
    ['emails[type eq "work"].primary', [{ value: work.value, type: 'work' }, home, other]],
    ['emails[type eq "work"].value', [{ type: 'work', primary: true }, home, other]],
    ['emails[type eq "pager"].value', [work, home, other]],
  ])('%s', (path, emails) => {
    expect(removed(before, path)).toStrictEqual(user({ emails }));
  });

  it('leaves the attribute without a value when the last goes, or the last of what it held', () => {
    expect(removed(before, 'emails[value pr]')).toStrictEqual(user());
    expect(removed(user({ emails: [{ value: 'a@x' }, { value: 'b@x' }] }), 'emails.value')).toStrictEqual(user());
  });

  it.each<[what: string, value: JsonValue, emails: JsonValue[]]>([
    ['by value', [{ value: 'b@x' }], [work, home]],
    ['by value in any case', [{ value: 'BABS@EXAMPLE.COM' }], [home, other]],
    ['by value and type', [{ value: work.value, type: 'work' }], [home, other]],
    ['as one object', { value: 'b@x' }, [work, home]],
    ['as a string', 'b@x', [work, home]],
    ['as strings', ['b@x', home.value], [work]],
    ['with a null $ref, as Microsoft Entra ID writes it', [{ $ref: null, value: 'b@x' }], [work, home]],
    ['that is not there', [{ value: 'c@x' }], [work, home, other]],
    ['with a type that none has', [{ value: work.value, type: 'home' }], [work, home, other]],
    ['by type alone, which no value is', [{ type: 'work' }], [work, home, other]],
    ['as an empty list', [], [work, home, other]],
    ['as null', null, [work, home, other]],
    ['as a list of nothing', [null, {}], [work, home, other]],
  ])('takes only those away that are listed: one %s', (_what, value, emails) => {
    expect(patch(before, [{ op: 'remove', path: 'emails', value }]).resource).toStrictEqual(user({ emails }));
  });

  it('tells values that are the same apart by their type', () => {
    const twice = user({
      emails: [
        { value: 'a@x', type: 'work' },
        { value: 'a@x', type: 'home' },
      ],
    });
    expect(removed(twice, 'emails', [{ value: 'a@x', type: 'home' }])).toStrictEqual(
      user({ emails: [{ value: 'a@x', type: 'work' }] }),
    );
    expect(removed(twice, 'emails', [{ value: 'a@x' }])).toStrictEqual(user());
  });

  it('lists values that have no value of their own by everything they hold', () => {
    const kept = { type: 'work', region: 'Y' };
    const addresses = [{ type: 'work', region: 'X' }, kept];
    expect(removed(user({ addresses }), 'addresses', [{ region: 'x', type: 'work' }])).toStrictEqual(
      user({ addresses: [kept] }),
    );
    expect(removed(user({ addresses }), 'addresses', [{ type: 'work' }])).toStrictEqual(user({ addresses }));
  });

  it.each<[value: JsonValue, detail: string]>([
    [5, 'emails[0].value must be a string, not "5".'],
    [[['a@x']], 'emails[0].value must be a string, not "[\\"a@x\\"]".'],
    [[{ value: true }], 'emails[0].value must be a string, not "true".'],
  ])('refuses %j for a list', (value, detail) => {
    expect(refused(before, { path: 'emails', value })).toStrictEqual(['invalidValue', detail]);
  });
});

describe('a remove that is refused (RFC 7644 section 3.5.2.2)', () => {
  it.each<[what: string, before: ScimResource, operation: JsonObject, row: string, detail: string]>([
    ['no path', user(), {}, 'noTarget', 'remove needs a path.'],
    ['a value but no path', group(), { value: { members: [{ value: '1' }] } }, 'noTarget', 'remove needs a path.'],
    [
      'a required attribute',
      user(),
      { path: 'userName' },
      'mutability',
      '"userName" is required and cannot be removed.',
    ],
    [
      'the name of a group',
      group(),
      { path: 'displayName' },
      'mutability',
      '"displayName" is required and cannot be removed.',
    ],
    ['schemas', user(), { path: 'schemas' }, 'mutability', 'schemas is required.'],
    ['the base schema', user(), { path: userUrn }, 'mutability', 'The base schema cannot be removed.'],
    ['a readOnly attribute', user(), { path: 'id' }, 'mutability', '"id" is readOnly.'],
    ['a readOnly complex attribute', user(), { path: 'meta' }, 'mutability', '"meta" is readOnly.'],
    [
      'derived groups',
      user(),
      { path: 'groups[value eq "g"]' },
      'mutability',
      '"groups[value eq \\"g\\"]" is readOnly.',
    ],
    [
      'part of a member',
      group(),
      { path: 'members[value eq "1"].value' },
      'mutability',
      '"members[value eq \\"1\\"].value" is immutable; add and remove whole values of members instead.',
    ],
    [
      'an unknown attribute',
      user(),
      { path: 'shoeSize' },
      'invalidPath',
      '"shoeSize" does not name an attribute of User.',
    ],
  ])('of %s', (_what, before, operation, row, detail) => {
    for (const profile of Object.values(profiles)) {
      expect(refused(before, operation, profile)).toStrictEqual([row, detail]);
    }
  });

  const badge = {
    schemas: [badgeUrn, lockUrn],
    label: 'B1',
    serial: 's',
    holder: { note: 'n', value: '1' },
    [lockUrn]: { vendor: 'A' },
  };
  const refusedOf = (path: string, schema = badgeSchema): [string, string] => {
    const { row, detail } = refusal(badge, [{ op: 'remove', path }], profiles.strict, schema);
    return [row, detail];
  };

  it.each([
    ['serial', 'serial is immutable; it already has a value and cannot be changed.'],
    ['holder.value', 'holder.value is immutable; it already has a value and cannot be changed.'],
    ['holder', 'holder.value is immutable; it already has a value and cannot be changed.'],
    ['holder.note', '"holder.note" is required and cannot be removed.'],
    [`${lockUrn}:vendor`, `"${lockUrn}:vendor" is required and cannot be removed.`],
  ])('of %s, immutable or required by its schema', (path, detail) => {
    expect(refusedOf(path)).toStrictEqual(['mutability', detail]);
  });

  it('of an extension that the resource type requires', () => {
    expect(patch(badge, [{ op: 'remove', path: lockUrn }], profiles.strict, badgeSchema).resource).toStrictEqual({
      schemas: [badgeUrn],
      label: 'B1',
      serial: 's',
      holder: { note: 'n', value: '1' },
    });
    expect(refusedOf(lockUrn, lockedBadgeSchema)).toStrictEqual(['invalidValue', `${lockUrn}:vendor is required.`]);
  });
});
