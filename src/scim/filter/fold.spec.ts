import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { badgeSchema, badgeUrn, lockUrn } from '../../../test/support/custom-schema.js';
import { userSchema } from '../../../test/support/patching.js';
import { enterpriseUserUrn } from '../schema/enterprise-user.js';
import type { Attribute } from '../schema/schema.js';
import { userUrn } from '../schema/user.js';
import { foldCase, foldResource, foldString, foldValue } from './fold.js';

const ofUser = (name: string): Attribute => userSchema.attribute(name) as Attribute;

describe('foldCase', () => {
  it.each([
    ['Alice', 'alice', 'ASCII'],
    ['', '', 'an empty text'],
    ['ÉCOLE', 'école', 'letters with marks'],
    ['E\u0301', '\u00e9', 'decomposed letters'],
    ['ΟΔΥΣΣΕΥΣ', 'οδυσσευσ', 'a sigma, wherever it stands'],
    ['Straße', 'straße', 'a letter without a capital'],
    ['\u212a', 'k', 'the Kelvin sign'],
    ['\u0130', 'i\u0307', 'a dotted I, in no language'],
    ['\u{10400}', '\u{10428}', 'letters beyond the BMP'],
    ['\uff21', '\uff41', 'a fullwidth letter, which stays one'],
    ['\u{1f600}\n%_\\', '\u{1f600}\n%_\\', 'what has no case'],
  ])('folds %j to %j: %s (RFC 7643 section 2.2)', (text, folded) => {
    expect(foldCase(text)).toBe(folded);
  });

  it('changes nothing when it is done again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => expect(foldCase(foldCase(text))).toBe(foldCase(text))),
      { numRuns: 2_000 },
    );
  });

  it('makes a text equal to its decomposition', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) =>
        expect(foldCase(text.normalize('NFD'))).toBe(foldCase(text)),
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('foldString', () => {
  it.each([
    ['userName', '\uff22Jensen', 'bjensen', 'as a user name (RFC 7644 section 5)'],
    ['nickName', '\uff22Jensen', '\uff42jensen', 'by case'],
    ['externalId', 'E\u0301', 'E\u0301', 'not at all where caseExact is true'],
    ['profileUrl', 'HTTP://X', 'HTTP://X', 'not at all where caseExact is true'],
  ])('folds %s %j to %j: %s', (name, text, folded) => {
    expect(foldString(ofUser(name), text)).toBe(folded);
  });

  it('makes an instant of a dateTime, and leaves what is none', () => {
    const issued = badgeSchema.attribute('issued') as Attribute;
    expect(foldString(issued, '2026-02-01T01:00:00+01:30')).toBe('2026-01-31T23:30:00.000000Z');
    expect(foldString(issued, 'Yesterday')).toBe('Yesterday');
  });
});

describe('foldValue', () => {
  it('folds each sub-attribute its own way, in the spelling of the schema, without those that are unassigned or unknown', () => {
    const photo = { VALUE: 'HTTP://X', Type: 'Photo', primary: true, display: null, nonsense: 'X' };
    expect(foldValue(ofUser('photos'), photo)).toEqual({ value: 'HTTP://X', type: 'photo', primary: true });
  });

  it('folds every element of an array', () => {
    expect(foldValue(ofUser('emails'), [{ value: 'A' }, { value: 'É' }])).toEqual([{ value: 'a' }, { value: 'é' }]);
    expect(foldValue(ofUser('schemas'), ['URN:X'])).toEqual(['urn:x']);
  });

  it.each([true, false, 0, -1.5])('leaves %j as it is', (value) => {
    expect(foldValue(ofUser('active'), value)).toBe(value);
  });
});

describe('foldResource', () => {
  it('folds base and extension attributes, without what is unassigned, unknown or never returned', () => {
    const resource = {
      schemas: [userUrn, enterpriseUserUrn],
      id: 'X1',
      externalId: 'ABC',
      userName: '\uff22Jensen',
      name: { givenName: 'BARBARA', familyName: null },
      nickName: null,
      title: '',
      active: false,
      password: 'Secret',
      emails: [{ value: 'B@X.com', type: 'Work', primary: true }, { value: 'C@X.com' }],
      phoneNumbers: [],
      nonsense: 'X',
      meta: { resourceType: 'User', created: '2010-01-23T04:56:22.5+01:00', version: 'W/"3"' },
      [enterpriseUserUrn]: { department: 'Tours', manager: { value: 'ABC', displayName: 'JOHN' }, costCenter: null },
    };
    const before = structuredClone(resource);
    expect(foldResource(userSchema, resource)).toEqual({
      schemas: [userUrn.toLowerCase(), enterpriseUserUrn.toLowerCase()],
      id: 'X1',
      externalId: 'ABC',
      userName: 'bjensen',
      name: { givenName: 'barbara' },
      title: '',
      active: false,
      emails: [{ value: 'b@x.com', type: 'work', primary: true }, { value: 'c@x.com' }],
      meta: { resourceType: 'User', created: '2010-01-23T03:56:22.500000Z', version: 'W/"3"' },
      [enterpriseUserUrn]: { department: 'tours', manager: { value: 'ABC', displayName: 'john' } },
    });
    expect(resource).toEqual(before);
  });

  it('leaves numbers as they are', () => {
    const badge = { schemas: [badgeUrn], label: 'X', level: 7, weight: 0.1, tags: ['A', 'B'], pin: '1234' };
    expect(foldResource(badgeSchema, { ...badge, [lockUrn]: null })).toEqual({
      schemas: [badgeUrn.toLowerCase()],
      label: 'x',
      level: 7,
      weight: 0.1,
      tags: ['a', 'b'],
    });
  });
});
