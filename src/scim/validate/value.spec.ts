import { describe, expect, it } from '@jest/globals';
import { badgeSchema } from '../../../test/support/custom-schema.js';
import { errorOf, groupSchema, userSchema } from '../../../test/support/patching.js';
import { limits } from '../limits.js';
import { profiles } from '../profile.js';
import type { JsonValue } from '../resource.js';
import type { ResourceSchema } from '../schema/registry.js';
import type { Attribute } from '../schema/schema.js';
import { readValue } from './value.js';

const named = (schema: ResourceSchema, name: string): Attribute => {
  const found = schema.attribute(name);
  if (!found) throw new Error(`${schema.name} has no ${name}`);
  return found;
};
const ofUser = (name: string): Attribute => named(userSchema, name);
const ofBadge = (name: string): Attribute => named(badgeSchema, name);

const read = (attribute: Attribute, value: JsonValue | undefined): JsonValue | undefined =>
  readValue(attribute, value, profiles.strict);

const refusal = (attribute: Attribute, value: JsonValue, profile = profiles.strict): [row: string, detail: string] => {
  const { row, detail } = errorOf(() => readValue(attribute, value, profile));
  return [row, detail];
};

describe('data types (RFC 7643 section 2.3)', () => {
  it.each<[type: string, attribute: Attribute, given: JsonValue, value: JsonValue]>([
    ['string', ofUser('nickName'), 'Babs', 'Babs'],
    ['string of markup', ofUser('nickName'), '<script>alert(1)</script>', '<script>alert(1)</script>'],
    ['empty string', ofUser('nickName'), '', ''],
    ['string at the limit', ofUser('nickName'), 'x'.repeat(65_536), 'x'.repeat(65_536)],
    ['userName in the case given', ofUser('userName'), 'BJensen', 'BJensen'],
    ['boolean', ofUser('active'), false, false],
    ['integer', ofBadge('level'), -7, -7],
    ['largest integer', ofBadge('level'), 9_007_199_254_740_991, 9_007_199_254_740_991],
    ['integral number', ofBadge('level'), 1.0, 1],
    ['decimal', ofBadge('weight'), 0.1, 0.1],
    ['dateTime as UTC with milliseconds', ofBadge('issued'), '2026-02-01T01:00:00+01:30', '2026-01-31T23:30:00.000Z'],
    ['dateTime cut to milliseconds', ofBadge('issued'), '2026-01-31T23:30:00.123456Z', '2026-01-31T23:30:00.123Z'],
    ['binary', ofBadge('chip'), 'AAEC', 'AAEC'],
    ['binary without padding', ofBadge('chip'), 'AA', 'AA'],
    ['binary with padding', ofBadge('chip'), 'AA==', 'AA=='],
    ['reference to anything, never followed', ofUser('profileUrl'), 'file:///etc/passwd', 'file:///etc/passwd'],
    ['preferred languages of any form', ofUser('preferredLanguage'), 'en_US', 'en_US'],
    ['complex', ofUser('name'), { familyName: 'Jensen' }, { familyName: 'Jensen' }],
    ['multi-valued simple', ofBadge('tags'), ['a', 'b'], ['a', 'b']],
  ])('reads a %s', (_type, attribute, given, value) => {
    expect(read(attribute, given)).toStrictEqual(value);
  });

  it.each<[what: string, attribute: Attribute, given: JsonValue, detail: string]>([
    ['a number as a string', ofUser('nickName'), 5, 'nickName must be a string, not "5".'],
    ['true as a string', ofUser('nickName'), true, 'nickName must be a string, not "true".'],
    ['an object as a string', ofUser('userName'), { a: 1 }, 'userName must be a string, not "{\\"a\\":1}".'],
    ['an array as a string', ofUser('userName'), ['babs'], 'userName must be a string, not "[\\"babs\\"]".'],
    ['"yes" as a boolean', ofUser('active'), 'yes', 'active must be true or false, not "yes".'],
    ['1 as a boolean', ofUser('active'), 1, 'active must be true or false, not "1".'],
    ['a fraction as an integer', ofBadge('level'), 1.5, 'level must be a whole number, not "1.5".'],
    [
      'an integer that a double rounds',
      ofBadge('level'),
      2 ** 53,
      'level must be a whole number, not "9007199254740992".',
    ],
    ['digits in a string as an integer', ofBadge('level'), '7', 'level must be a whole number, not "7".'],
    ['digits in a string as a decimal', ofBadge('weight'), '0.5', 'weight must be a number, not "0.5".'],
    ['base64 with a space', ofBadge('chip'), 'AA EC', 'chip must be base64 (RFC 4648 section 4).'],
    ['base64 of one character', ofBadge('chip'), 'A', 'chip must be base64 (RFC 4648 section 4).'],
    ['base64 of the URL alphabet', ofBadge('chip'), '_-8=', 'chip must be base64 (RFC 4648 section 4).'],
    ['a string as a complex value', ofUser('name'), 'Babs', 'name must be an object, not "Babs".'],
    [
      'an array as a single value',
      ofUser('name'),
      [{ givenName: 'B' }],
      'name must be an object, not "[{\\"givenName\\":\\"B\\"}]".',
    ],
    ['a string as several values', ofUser('emails'), 'a@x', 'emails must be an array, not "a@x".'],
    ['an array within an array', ofUser('emails'), [['a@x']], 'emails[0] must be an object, not "[\\"a@x\\"]".'],
    ['a number within a value', ofUser('emails'), [{ value: 5 }], 'emails[0].value must be a string, not "5".'],
  ])('refuses %s with invalidValue', (_what, attribute, given, detail) => {
    expect(refusal(attribute, given)).toStrictEqual(['invalidValue', detail]);
  });

  it.each(['2026-02-01', '2026-02-01T01:00:00', '2026-02-30T01:00:00Z', 'yesterday', '12:00:00Z'])(
    'refuses the dateTime %j: date, time and time zone make one (RFC 7643 section 2.3.5)',
    (given) => {
      expect(refusal(ofBadge('issued'), given)).toStrictEqual([
        'invalidValue',
        `issued must be a dateTime with a time zone, such as 2011-05-13T04:42:34Z, not "${given}".`,
      ]);
    },
  );

  it('refuses a string that is longer than the limit, and a shorter one where an index has it', () => {
    expect(refusal(ofUser('nickName'), 'x'.repeat(limits.stringLength + 1))).toStrictEqual([
      'invalidValue',
      'nickName is longer than 65536 characters.',
    ]);
    expect(refusal(ofUser('userName'), 'x'.repeat(limits.indexedLength + 1))).toStrictEqual([
      'invalidValue',
      'userName is longer than 1024 characters.',
    ]);
    const bytes = ['invalidValue', 'displayName is longer than 2560 bytes.'];
    const displayName = ofUser('displayName');
    for (const text of ['語'.repeat(853), 'É'.repeat(1_024)]) expect(read(displayName, text)).toBe(text);
    expect(refusal(displayName, '語'.repeat(854))).toStrictEqual(bytes);
    // Folded it has three bytes instead of two.
    expect(read(displayName, 'İ'.repeat(853))).toBe('İ'.repeat(853));
    expect(refusal(displayName, 'İ'.repeat(854))).toStrictEqual(bytes);
  });

  it('cuts what it repeats of the value', () => {
    const [, detail] = refusal(ofUser('active'), 'x'.repeat(5_000));
    expect(detail).toBe(`active must be true or false, not "${'x'.repeat(80)}…".`);
  });
});

describe('unassigned values (RFC 7643 section 2.5)', () => {
  it.each<[what: string, attribute: Attribute, given: JsonValue | undefined]>([
    ['an absent value', ofUser('nickName'), undefined],
    ['null', ofUser('nickName'), null],
    ['[] of a single-valued attribute', ofUser('nickName'), []],
    ['[]', ofUser('emails'), []],
    ['an array of nulls', ofUser('emails'), [null, []]],
    ['{}', ofUser('name'), {}],
    ['an object of nulls', ofUser('name'), { givenName: null, familyName: null }],
    ['an array of empty objects', ofUser('emails'), [{}, { value: null }]],
  ])('takes %s for no value', (_what, attribute, given) => {
    expect(read(attribute, given)).toBeUndefined();
  });

  it('leaves out what is unassigned within a value', () => {
    expect(read(ofUser('emails'), [null, { value: 'a@x', type: null }, {}])).toStrictEqual([{ value: 'a@x' }]);
  });
});

describe('names of sub-attributes (RFC 7643 section 2.1)', () => {
  it('reads them in any case and gives the schema’s spelling', () => {
    expect(read(ofUser('name'), { FAMILYNAME: 'Jensen', givenname: 'B' })).toStrictEqual({
      familyName: 'Jensen',
      givenName: 'B',
    });
  });

  it('refuses an unknown one in the strict profile', () => {
    expect(refusal(ofUser('name'), { nick: 'B' })).toStrictEqual([
      'invalidSyntax',
      'name has no sub-attribute "nick".',
    ]);
  });

  it.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])(
    'knows no sub-attribute %s, which every object has',
    (key) => {
      const given = JSON.parse(`{"${key}": {"admin": true}, "givenName": "B"}`) as JsonValue;
      expect(refusal(ofUser('name'), given)).toStrictEqual(['invalidSyntax', `name has no sub-attribute "${key}".`]);
      const lenient = readValue(ofUser('name'), given, profiles.default);
      expect(lenient).toStrictEqual({ givenName: 'B' });
      expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
    },
  );

  it('ignores one that is readOnly (RFC 7644 section 3.3)', () => {
    expect(read(ofBadge('doors'), [{ value: 'front', lit: true }])).toStrictEqual([{ value: 'front' }]);
  });
});

describe('multi-valued attributes (RFC 7643 section 2.4)', () => {
  it('keeps the order given', () => {
    const given = [{ value: 'z@x' }, { value: 'a@x' }];
    expect(read(ofUser('emails'), given)).toStrictEqual(given);
  });

  it('collapses exact duplicates, in whatever order their sub-attributes are', () => {
    const given = [
      { value: 'a@x', type: 'work' },
      { type: 'work', value: 'a@x' },
      { value: 'a@x', type: 'home' },
    ];
    expect(read(ofUser('emails'), given)).toStrictEqual([given[0], given[2]]);
  });

  it('collapses duplicates of simple values', () => {
    expect(read(ofBadge('tags'), ['a', 'b', 'a'])).toStrictEqual(['a', 'b']);
  });

  it('refuses two primary values', () => {
    const given = [
      { value: 'a@x', primary: true },
      { value: 'b@x', primary: true },
    ];
    expect(refusal(ofUser('emails'), given)).toStrictEqual([
      'invalidValue',
      'emails has more than one value with "primary": true.',
    ]);
  });

  it('accepts a type beyond the canonical values, which are suggestions (RFC 7643 section 7)', () => {
    expect(read(ofUser('emails'), [{ value: 'a@x', type: 'Büro' }])).toStrictEqual([{ value: 'a@x', type: 'Büro' }]);
  });

  it.each<[what: string, element: JsonValue]>([
    ['null', null],
    ['{}', {}],
    ['a null id', { value: null }],
    ['only a name', { display: 'Babs' }],
  ])(
    'refuses a member that is %s instead of passing over it: a set of nothing else would empty the group',
    (_w, element) => {
      expect(refusal(named(groupSchema, 'members'), [element], profiles.default)).toStrictEqual([
        'invalidValue',
        'members[0] names no resource.',
      ]);
    },
  );
});

describe('user names and passwords (RFC 7644 section 5)', () => {
  it.each(['', ' ', 'a ', '\u200b', 'a\u0007b', 'a\u202eb'])('refuses the user name %j', (userName) => {
    const [row, detail] = refusal(ofUser('userName'), userName);
    expect(row).toBe('invalidValue');
    expect(detail).toMatch(/^userName (must not be empty|is not a valid user name: .+)\.$/);
  });

  it('prepares a password as an OpaqueString', () => {
    expect(read(ofUser('password'), 'pa\u00a0ss e\u0301')).toBe('pa ss \u00e9');
  });

  it.each<[what: string, password: JsonValue, detail: string]>([
    ['is empty', '', 'password is empty or holds a character that RFC 8265 does not allow.'],
    [
      'holds a control character',
      's3cret\u0007',
      'password is empty or holds a character that RFC 8265 does not allow.',
    ],
    ['is too long', 's3cret'.repeat(1_000), 'password is longer than 1024 characters.'],
    ['is a number', 424242, 'password must be a string.'],
    ['is an array', ['s3cret'], 'password must be a string.'],
  ])('refuses a password that %s, and does not repeat it', (_what, password, detail) => {
    expect(refusal(ofUser('password'), password)).toStrictEqual(['invalidValue', detail]);
  });
});
