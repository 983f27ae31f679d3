import { describe, expect, it } from '@jest/globals';
import { badgeSchema, badgeUrn } from '../../../test/support/custom-schema.js';
import { patch, refusal, user } from '../../../test/support/patching.js';
import { limits } from '../limits.js';
import { profiles } from '../profile.js';
import type { JsonObject, JsonValue, ScimResource } from '../resource.js';

const work = { value: 'babs@example.com', type: 'work', primary: true };
const home = { value: 'babs@jensen.org', type: 'home' };

/** The e-mail addresses that operations leave of others. */
const emails = (before: JsonValue[], operations: JsonObject[], profile = profiles.default): JsonValue | undefined => {
  const { resource } = patch(before.length === 0 ? user() : user({ emails: before }), operations, profile);
  const { emails: after, ...others } = resource;
  expect(others).toStrictEqual(user());
  return after;
};

const refused = (before: JsonValue[], operation: JsonObject, profile = profiles.default): [string, string] => {
  const { row, detail } = refusal(user({ emails: before }), [operation], profile);
  return [row, detail];
};

const badge = (attributes: JsonObject): ScimResource => ({ schemas: [badgeUrn], label: 'B1', ...attributes });
const patchBadge = (before: JsonObject, ...operations: JsonObject[]): ScimResource =>
  patch(badge(before), operations, profiles.default, badgeSchema).resource;

describe('a value that is added and is there already (RFC 7644 section 3.5.2.1)', () => {
  it.each<[what: string, added: JsonObject, after: JsonValue[]]>([
    ['equal in everything', { type: 'work', value: 'babs@example.com', primary: true }, [work, home]],
    ['equal in value and type', { value: 'babs@example.com', type: 'work' }, [work, home]],
    [
      'equal in value and type, with another display',
      { value: 'babs@example.com', type: 'work', display: 'Babs' },
      [{ ...work, display: 'Babs' }, home],
    ],
    [
      'equal but for case, which is kept as sent',
      { value: 'Babs@Example.com', type: 'WORK' },
      [{ value: 'Babs@Example.com', type: 'WORK', primary: true }, home],
    ],
  ])('%s is not there twice', (_what, added, after) => {
    for (const value of [added, [added], [added, added]]) {
      expect(emails([work, home], [{ op: 'add', path: 'emails', value }])).toStrictEqual(after);
    }
  });

  it.each<[what: string, added: JsonObject]>([
    ['of another type', { value: 'babs@example.com', type: 'home' }],
    ['without a type', { value: 'babs@example.com' }],
    ['of the same type with another value', { value: 'b@x', type: 'work' }],
    ['without a value', { type: 'work' }],
  ])('one %s is another', (_what, added) => {
    expect(emails([work, home], [{ op: 'add', path: 'emails', value: added }])).toStrictEqual([work, home, added]);
  });

  it('is found among simple values too', () => {
    expect(patchBadge({ tags: ['a'] }, { op: 'add', path: 'tags', value: ['b', 'A', 'c'] })).toStrictEqual(
      badge({ tags: ['A', 'b', 'c'] }),
    );
  });
});

describe('primary values (RFC 7644 section 3.5.2)', () => {
  const demoted = { ...work, primary: false };

  it.each<[what: string, operation: JsonObject, after: JsonValue[]]>([
    [
      'one that is added',
      { op: 'add', path: 'emails', value: [{ value: 'b@x', primary: true }] },
      [demoted, home, { value: 'b@x', primary: true }],
    ],
    [
      'one that is there and added again as primary',
      { op: 'add', path: 'emails', value: [{ ...home, primary: true }] },
      [demoted, { ...home, primary: true }],
    ],
    [
      'one that is added beside the former, which is only named again',
      {
        op: 'add',
        path: 'emails',
        value: [
          { value: work.value, type: 'work' },
          { value: 'b@x', primary: true },
        ],
      },
      [demoted, home, { value: 'b@x', primary: true }],
    ],
    [
      'one that is added and named again in the same list',
      {
        op: 'add',
        path: 'emails',
        value: [
          { ...home, primary: true },
          { ...home, display: 'H' },
        ],
      },
      [demoted, { ...home, primary: true, display: 'H' }],
    ],
    [
      'one that is set to primary',
      { op: 'replace', path: 'emails[type eq "home"].primary', value: true },
      [demoted, { ...home, primary: true }],
    ],
    [
      'one that is set to primary by a string',
      { op: 'Add', path: 'emails[type eq "home"].primary', value: 'True' },
      [demoted, { ...home, primary: true }],
    ],
    [
      'one that replaces another',
      { op: 'replace', path: 'emails[type eq "home"]', value: { value: 'b@x', primary: true } },
      [demoted, { value: 'b@x', primary: true }],
    ],
    [
      'one that is created',
      { op: 'add', path: 'emails[type eq "other" and primary eq true].value', value: 'b@x' },
      [demoted, home, { type: 'other', primary: true, value: 'b@x' }],
    ],
  ])('%s demotes the others', (_what, operation, after) => {
    expect(emails([work, home], [operation])).toStrictEqual(after);
  });

  it('the later of two operations wins', () => {
    expect(
      emails(
        [work, home],
        [
          { op: 'add', path: 'emails', value: { value: 'a@x', primary: true } },
          { op: 'add', path: 'emails', value: { value: 'b@x', primary: true } },
        ],
      ),
    ).toStrictEqual([demoted, home, { value: 'a@x', primary: false }, { value: 'b@x', primary: true }]);
  });

  it('one value may cease to be primary, and stays primary when it is made so again', () => {
    const path = 'emails[type eq "work"].primary';
    expect(emails([work, home], [{ op: 'replace', path, value: false }])).toStrictEqual([demoted, home]);
    expect(emails([work, home], [{ op: 'replace', path, value: true }])).toStrictEqual([work, home]);
  });

  it.each<[what: string, operation: JsonObject, detail: string]>([
    [
      'a list',
      {
        op: 'add',
        path: 'emails',
        value: [
          { value: 'a@x', primary: true },
          { value: 'b@x', primary: true },
        ],
      },
      'emails has more than one value with "primary": true.',
    ],
    [
      'a path that matches two',
      { op: 'replace', path: 'emails[value pr].primary', value: true },
      'emails would have more than one value with "primary": true.',
    ],
    [
      'a path without a filter',
      { op: 'replace', path: 'emails.primary', value: true },
      'emails would have more than one value with "primary": true.',
    ],
  ])('two cannot be made by %s', (_what, operation, detail) => {
    expect(refused([work, home], operation)).toStrictEqual(['invalidValue', detail]);
  });
});

describe('values that an operation makes equal (RFC 7643 section 2.4)', () => {
  it.each<[what: string, before: JsonValue[], operation: JsonObject, after: JsonValue[]]>([
    [
      'by setting a sub-attribute',
      [{ value: 'a@x', type: 'work' }, home, { type: 'home', value: 'a@x' }],
      { op: 'replace', path: 'emails[value eq "a@x"].type', value: 'other' },
      [{ type: 'other', value: 'a@x' }, home],
    ],
    [
      'by removing a sub-attribute',
      [
        { value: 'a@x', type: 'work' },
        { value: 'a@x', type: 'home' },
      ],
      { op: 'remove', path: 'emails.type' },
      [{ value: 'a@x' }],
    ],
    [
      'by replacing several by one',
      [
        { value: 'a@x', type: 'work' },
        { value: 'b@x', type: 'work' },
      ],
      { op: 'replace', path: 'emails[type eq "work"]', value: { value: 'c@x' } },
      [{ value: 'c@x' }],
    ],
    [
      'by demoting one',
      [
        { value: 'a@x', primary: true },
        { value: 'a@x', primary: false },
      ],
      { op: 'add', path: 'emails', value: { value: 'b@x', primary: true } },
      [
        { value: 'a@x', primary: false },
        { value: 'b@x', primary: true },
      ],
    ],
  ])('%s are one', (_what, before, operation, after) => {
    expect(emails(before, [operation])).toStrictEqual(after);
  });
});

describe('the number of values', () => {
  it('cannot be made more than a request may hold, by one operation after another', () => {
    const many = Array.from({ length: limits.arrayElements }, (_, index) => ({ value: `${index}@x` }));
    const full = { op: 'add', path: 'emails', value: many };
    expect(emails([], [full, full])).toHaveLength(10_000);
    expect(refused(many, { op: 'add', path: 'emails', value: { value: 'one@more' } })).toStrictEqual([
      'payloadTooLarge',
      'emails may have no more than 10000 values.',
    ]);
  });
});

describe('the work of one request', () => {
  const many = Array.from({ length: 5_000 }, (_, index) => ({ value: `${index}@x` }));
  const missing = Array.from({ length: 20 }, () => ({ op: 'remove', path: 'emails[value eq "a@x"]' }));

  it('is bounded: operations times values', () => {
    expect(emails(many, missing)).toStrictEqual(many);
    expect(refusal(user({ emails: many }), [...missing, { op: 'remove', path: 'emails' }])).toStrictEqual({
      row: 'payloadTooLarge',
      detail: 'The operations go through more than 100000 values; send them in several requests.',
    });
  });
});

describe('very many values that one operation changes', () => {
  it('are a set: those that it made equal are there once', () => {
    const six = Array.from({ length: 6 }, (_, index) => ({ value: 'a@x', display: `${index}` }));
    const edit = { op: 'replace', path: 'emails.display', value: 'same' };
    expect(emails(six, [edit])).toStrictEqual([{ value: 'a@x', display: 'same' }]);
    const others = six.map(({ display }) => ({ value: `${display}@x`, display }));
    expect(emails(others, [edit])).toStrictEqual(others.map(({ value }) => ({ value, display: 'same' })));
  });
});

describe('the characters that the operations of one request look at', () => {
  const display = 'x'.repeat(60_000);
  const edit = (index: number) => ({ op: 'replace', path: 'emails[type eq "work"].value', value: `${index}@x` });
  const edits = (count: number) => Array.from({ length: count }, (_, index) => edit(index));
  const long = [{ value: 'a@x', type: 'work', display }];

  it('are bounded', () => {
    expect(emails(long, edits(20))).toStrictEqual([{ value: '19@x', type: 'work', display }]);
    expect(refusal(user({ emails: long }), edits(40))).toStrictEqual({
      row: 'payloadTooLarge',
      detail: 'The operations go through more than 2000000 characters of values; send them in several requests.',
    });
  });
});

describe('values with other kinds of sub-attributes', () => {
  it('lose one that is multi-valued when nothing is left of it', () => {
    const before = { doors: [{ value: 'front', hours: ['9', '10'] }] };
    expect(patchBadge(before, { op: 'replace', path: 'doors[value eq "front"].hours', value: [null] })).toStrictEqual(
      badge({ doors: [{ value: 'front' }] }),
    );
  });

  it('keep one that is required (RFC 7644 section 3.5.2.2)', () => {
    for (const operation of [{ op: 'remove' }, { op: 'replace', value: null }]) {
      const path = 'doors[zone eq "1"].value';
      expect(
        refusal(badge({ doors: [{ value: 'a', zone: '1' }] }), [{ ...operation, path }], profiles.default, badgeSchema),
      ).toStrictEqual({ row: 'mutability', detail: `${JSON.stringify(path)} is required and cannot be removed.` });
    }
  });

  it('may be listed for removal as simple values or as their objects', () => {
    for (const value of ['A', ['a'], [{ value: 'a' }], { value: 'a' }, [{ $ref: null, value: 'a' }]]) {
      expect(patchBadge({ tags: ['a', 'b'] }, { op: 'remove', path: 'tags', value })).toStrictEqual(
        badge({ tags: ['b'] }),
      );
    }
    expect(patchBadge({ tags: ['a'] }, { op: 'remove', path: 'tags', value: [{ display: 'a' }] })).toStrictEqual(
      badge({ tags: ['a'] }),
    );
  });
});

describe('values whose sub-attributes have types of their own', () => {
  it.each<[what: string, before: JsonValue[]]>([
    ['there', [work]],
    ['to be made', []],
  ])('take no empty string where a boolean belongs: %s (RFC 7643 section 2.3.2)', (_what, before) => {
    const operation = { op: 'add', path: 'emails[type eq "work"].primary', value: '' };
    expect(refused(before, operation)).toStrictEqual([
      'invalidValue',
      'emails[type eq "work"].primary must be true or false, not "".',
    ]);
  });
});

describe('what an operation says twice or needlessly (RFC 7644 section 3.5.2)', () => {
  it('the last of two values with the same identity wins, also when it is as it was before', () => {
    const before = [{ ...home, display: 'Old' }];
    const value = [{ ...home, display: 'New' }, ...before];
    expect(emails(before, [{ op: 'add', path: 'emails', value }])).toStrictEqual(before);
  });

  it('an empty string as the whole set clears it, where the profile takes it for nothing', () => {
    expect(emails([work], [{ op: 'replace', path: 'emails', value: '' }])).toBeUndefined();
  });

  it('the value of a remove by value path is passed over', () => {
    const operation = { op: 'remove', path: 'emails[type eq "work"]', value: { value: 'other@example.com' } };
    expect(emails([work, home], [operation])).toStrictEqual([home]);
  });
});
