import { describe, expect, it } from '@jest/globals';
import { patch, refusal, user } from '../../../test/support/patching.js';
import { profiles } from '../profile.js';
import type { JsonObject, JsonValue, ScimResource } from '../resource.js';
import { enterpriseUserUrn } from '../schema/enterprise-user.js';
import { groupUrn } from '../schema/group.js';
import { userUrn } from '../schema/user.js';

const after = (before: ScimResource, ...operations: JsonObject[]): ScimResource =>
  patch(before, operations, profiles.strict).resource;

const refused = (before: ScimResource, operation: JsonObject): [string, string] => {
  const { row, detail } = refusal(before, [operation], profiles.strict);
  return [row, detail];
};

const plain = user({ nickName: 'Babs' });
const enterprise = user({ nickName: 'Babs' }, { division: 'D', department: 'T' });

describe('schemas follow the data (RFC 7644 section 3.5.2)', () => {
  it.each<[path: string, value: JsonValue]>([
    [`${enterpriseUserUrn}:division`, 'D'],
    [`${enterpriseUserUrn}:manager.value`, '1'],
    [enterpriseUserUrn, { division: 'D' }],
  ])('the URN of an extension appears with its first attribute, set by %s', (path, value) => {
    for (const op of ['add', 'replace']) {
      expect(after(plain, { op, path, value }).schemas).toStrictEqual([userUrn, enterpriseUserUrn]);
    }
  });

  it.each<[what: string, operations: JsonObject[]]>([
    [
      'remove of each attribute',
      [
        { op: 'remove', path: `${enterpriseUserUrn}:division` },
        { op: 'remove', path: `${enterpriseUserUrn}:department` },
      ],
    ],
    ['replace by null', [{ op: 'replace', value: { [enterpriseUserUrn]: { division: null, department: null } } }]],
    ['remove of the extension', [{ op: 'remove', path: enterpriseUserUrn }]],
    ['remove of the extension in any case', [{ op: 'Remove', path: enterpriseUserUrn.toUpperCase() }]],
    ['replace of the extension by null', [{ op: 'replace', path: enterpriseUserUrn, value: null }]],
    ['remove of the URN from schemas', [{ op: 'remove', path: 'schemas', value: [enterpriseUserUrn] }]],
    [
      'remove of the URN from schemas, as a string',
      [{ op: 'remove', path: 'schemas', value: enterpriseUserUrn.toLowerCase() }],
    ],
    ['replace of schemas by the base schema', [{ op: 'replace', path: 'schemas', value: [userUrn] }]],
  ])('the URN and the data of an extension go with %s', (_what, operations) => {
    expect(after(enterprise, ...operations)).toStrictEqual(plain);
  });

  it('the URN stays while there is data', () => {
    expect(after(enterprise, { op: 'remove', path: `${enterpriseUserUrn}:division` })).toStrictEqual(
      user({ nickName: 'Babs' }, { department: 'T' }),
    );
  });

  it('the URN does not appear without data', () => {
    expect(after(plain, { op: 'add', path: 'schemas', value: [enterpriseUserUrn] })).toStrictEqual(plain);
    expect(after(plain, { op: 'add', path: enterpriseUserUrn, value: {} })).toStrictEqual(plain);
    expect(after(plain, { op: 'add', path: `${enterpriseUserUrn}:manager`, value: {} })).toStrictEqual(plain);
  });
});

describe('the attribute schemas as the path', () => {
  it.each<[operation: JsonObject]>([
    [{ op: 'add', path: 'schemas', value: [userUrn, enterpriseUserUrn] }],
    [{ op: 'add', path: 'SCHEMAS', value: enterpriseUserUrn.toUpperCase() }],
    [{ op: 'add', path: 'schemas', value: null }],
    [{ op: 'add', path: 'schemas', value: [] }],
    [{ op: 'replace', path: 'schemas', value: [enterpriseUserUrn, userUrn, userUrn] }],
    [{ op: 'remove', path: 'schemas', value: [] }],
    [{ op: 'remove', path: 'schemas', value: null }],
  ])('%j changes nothing', (operation) => {
    expect(after(enterprise, operation)).toStrictEqual(enterprise);
  });

  const mustHold = `schemas must hold "${userUrn}".`;

  it.each<[operation: JsonObject, row: string, detail: string]>([
    [{ op: 'remove', path: 'schemas' }, 'mutability', 'schemas is required.'],
    [{ op: 'remove', path: 'schemas', value: [userUrn] }, 'mutability', mustHold],
    [{ op: 'replace', path: 'schemas', value: [enterpriseUserUrn] }, 'mutability', mustHold],
    [{ op: 'replace', path: 'schemas', value: [] }, 'mutability', mustHold],
    [{ op: 'replace', path: 'schemas', value: null }, 'mutability', mustHold],
    [{ op: 'add', path: 'schemas', value: ['urn:x:y'] }, 'invalidValue', '"urn:x:y" is not a schema of User.'],
    [{ op: 'add', path: 'schemas', value: [groupUrn] }, 'invalidValue', `"${groupUrn}" is not a schema of User.`],
    [{ op: 'replace', path: 'schemas', value: [userUrn, 5] }, 'invalidValue', '"5" is not a schema of User.'],
    [{ op: 'remove', path: 'schemas', value: ['urn:x:y'] }, 'invalidValue', '"urn:x:y" is not a schema of User.'],
  ])('%j is refused', (operation, row, detail) => {
    expect(refused(enterprise, operation)).toStrictEqual([row, detail]);
  });
});

describe('a whole schema as the path (RFC 7644 section 3.10)', () => {
  it('merges an object into the extension, or the resource', () => {
    expect(after(enterprise, { op: 'replace', path: enterpriseUserUrn, value: { division: 'E' } })).toStrictEqual(
      user({ nickName: 'Babs' }, { division: 'E', department: 'T' }),
    );
    expect(after(plain, { op: 'add', path: userUrn, value: { title: 'Guide' } })).toStrictEqual(
      user({ nickName: 'Babs', title: 'Guide' }),
    );
  });

  it.each<[operation: JsonObject, row: string, detail: string]>([
    [{ op: 'remove', path: userUrn }, 'mutability', 'The base schema cannot be removed.'],
    [{ op: 'replace', path: userUrn, value: null }, 'mutability', 'The base schema cannot be removed.'],
    [
      { op: 'add', path: enterpriseUserUrn, value: 'D' },
      'invalidValue',
      'add without a path needs an object of attributes as its value.',
    ],
    [
      { op: 'add', path: enterpriseUserUrn, value: { shoeSize: 43 } },
      'invalidPath',
      `"${enterpriseUserUrn}:shoeSize" does not name an attribute of User.`,
    ],
  ])('%j is refused', (operation, row, detail) => {
    expect(refused(enterprise, operation)).toStrictEqual([row, detail]);
  });

  it('changes nothing when null is added', () => {
    for (const path of [userUrn, enterpriseUserUrn]) {
      expect(after(enterprise, { op: 'add', path, value: null })).toStrictEqual(enterprise);
    }
  });
});

describe('remove of a whole extension (RFC 7644 section 3.5.2.2)', () => {
  it('takes all of it, whatever its value says: a remove has none', () => {
    const operation = { op: 'remove', path: enterpriseUserUrn, value: { division: 'D' } };
    expect(after(enterprise, operation)).toStrictEqual(plain);
  });
});
