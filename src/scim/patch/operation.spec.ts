import { describe, expect, it } from '@jest/globals';
import { errorOf, patchOp } from '../../../test/support/patching.js';
import { profiles } from '../profile.js';
import type { JsonObject, JsonValue } from '../resource.js';
import { operationData, readPatch, type PatchOperation } from './operation.js';

const urn = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const remove = { op: 'remove', path: 'nickName' };

const refusal = (body: JsonValue | undefined, profile = profiles.default): [row: string, detail: string] => {
  const { row, detail } = errorOf(() => readPatch(body, profile));
  return [row, detail];
};

describe('the body of a PATCH request (RFC 7644 section 3.5.2)', () => {
  it('holds operations in order', () => {
    const operations = [
      { op: 'add', path: 'nickName', value: 'Babs' },
      { op: 'replace', value: { active: false } },
      { op: 'remove', path: 'title' },
    ];
    expect(readPatch(patchOp(operations), profiles.strict)).toStrictEqual(operations);
  });

  it('is read with names in any case (RFC 7643 section 2.1)', () => {
    const body = { SCHEMAS: [urn.toUpperCase()], operations: [{ OP: 'ADD', Path: 'nickName', VALUE: 'Babs' }] };
    expect(readPatch(body, profiles.strict)).toStrictEqual([{ op: 'add', path: 'nickName', value: 'Babs' }]);
  });

  it.each<[what: string, operation: JsonObject, read: PatchOperation]>([
    ['a capitalised op', { op: 'Replace', path: 'a', value: 1 }, { op: 'replace', path: 'a', value: 1 }],
    ['a null path as none', { op: 'add', path: null, value: {} }, { op: 'add', value: {} }],
    ['a null value as a value', { op: 'add', path: 'a', value: null }, { op: 'add', path: 'a', value: null }],
    ['a remove without a value', { op: 'remove', path: 'a' }, { op: 'remove', path: 'a' }],
    ['a remove with one', { op: 'Remove', path: 'a', value: [] }, { op: 'remove', path: 'a', value: [] }],
    [
      'members it does not know',
      { op: 'add', name: 'addMember', path: 'a', value: 1 },
      { op: 'add', path: 'a', value: 1 },
    ],
  ])('reads %s', (_what, operation, read) => {
    expect(readPatch(patchOp([operation]), profiles.strict)).toStrictEqual([read]);
  });

  it.each([[[]], ['x'], [null], [undefined], [5]])('is not %j', (body) => {
    expect(refusal(body)).toStrictEqual(['invalidSyntax', 'The body must be a PatchOp message: a JSON object.']);
  });

  it.each<[what: string, operations: JsonValue]>([
    ['empty', []],
    ['an object', remove],
    ['null', null],
    ['a string', 'remove'],
  ])('has no operations that are %s', (_what, operations) => {
    expect(refusal(patchOp(operations))).toStrictEqual([
      'invalidSyntax',
      'Operations must be an array with at least one operation.',
    ]);
  });

  it('may not leave out its operations', () => {
    expect(refusal({ schemas: [urn] })).toStrictEqual([
      'invalidSyntax',
      'Operations must be an array with at least one operation.',
    ]);
  });

  it.each<[schemas: JsonValue]>([[['urn:ietf:params:scim:schemas:core:2.0:User']], [urn], [{}], [[5]]])(
    'may not have the schemas %j',
    (schemas) => {
      expect(refusal({ schemas, Operations: [remove] })).toStrictEqual([
        'invalidSyntax',
        `schemas must be ["${urn}"].`,
      ]);
    },
  );

  it.each<[op: JsonValue, found: string]>([
    ['move', '"move"'],
    ['copy', '"copy"'],
    ['test', '"test"'],
    ['', '""'],
    [' add', '" add"'],
    [1, '"1"'],
    [null, '"null"'],
    [['add'], '"[\\"add\\"]"'],
  ])('has no operation whose op is %j', (op, found) => {
    expect(refusal(patchOp([remove, { op, path: 'a', value: 'b' }]))).toStrictEqual([
      'invalidSyntax',
      `Operations[1].op must be "add", "remove" or "replace", not ${found}.`,
    ]);
  });

  it('has no operation without op', () => {
    expect(refusal(patchOp([{ path: 'a' }]))).toStrictEqual([
      'invalidSyntax',
      'Operations[0].op must be "add", "remove" or "replace", not nothing.',
    ]);
  });

  it.each<[operation: JsonValue]>([[null], ['remove'], [[]], [5]])('has no operation that is %j', (operation) => {
    expect(refusal(patchOp([operation]))).toStrictEqual(['invalidSyntax', 'Operations[0] must be an object.']);
  });

  it.each<[path: JsonValue]>([[5], [true], [{}], [[]], [['members']]])(
    'has no operation whose path is %j: taken for none, a value would be merged into the whole resource',
    (path) => {
      expect(refusal(patchOp([{ op: 'replace', path, value: { active: true } }]))).toStrictEqual([
        'invalidPath',
        'Operations[0].path must be a string.',
      ]);
    },
  );

  it.each<[operation: JsonObject, row: string, detail: string]>([
    [{ op: 'remove' }, 'noTarget', 'remove needs a path.'],
    [{ op: 'remove', path: '', value: ['x'] }, 'noTarget', 'remove needs a path.'],
    [{ op: 'remove', path: null }, 'noTarget', 'remove needs a path.'],
    [{ op: 'add', path: 'a' }, 'invalidValue', 'add needs a value.'],
    [{ op: 'Replace' }, 'invalidValue', 'replace needs a value.'],
  ])('has no operation %j', (operation, row, detail) => {
    expect(refusal(patchOp([operation]))).toStrictEqual([row, detail]);
  });

  it('holds 1,000 operations and no more', () => {
    expect(readPatch(patchOp(Array.from({ length: 1_000 }, () => remove)), profiles.strict)).toHaveLength(1_000);
    expect(refusal(patchOp(Array.from({ length: 1_001 }, () => remove)))).toStrictEqual([
      'payloadTooLarge',
      'A PATCH request may hold 1000 operations; this one has 1001.',
    ]);
  });
});

describe('what an operation sets', () => {
  it.each<[operation: PatchOperation, data: JsonValue]>([
    [{ op: 'add', value: { nickName: 'B' } }, { nickName: 'B' }],
    [{ op: 'replace', path: 'nickName', value: 'B' }, { nickName: 'B' }],
    [{ op: 'add', path: 'emails[type eq "a]b["].value', value: 'b@x' }, { 'emails.value': 'b@x' }],
    [{ op: 'replace', path: 'emails[type eq "work"]', value: { value: 'b@x' } }, { emails: { value: 'b@x' } }],
    [{ op: 'remove', path: 'emails[type eq "work"]' }, { emails: null }],
    [{ op: 'remove', path: 'emails', value: [{ value: 'b@x' }] }, { emails: [{ value: 'b@x' }] }],
  ])('%j is %j', (operation, data) => {
    expect(operationData(operation)).toStrictEqual(data);
  });
});
