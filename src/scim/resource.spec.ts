import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  copyJson,
  isJsonObject,
  isUnassigned,
  jsonKey,
  sameJson,
  textOf,
  type JsonObject,
  type JsonValue,
} from './resource.js';

/** Values that are often alike. */
const { json } = fc.letrec<{ json: JsonValue }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<JsonValue>(null, true, false, 0, 1, 1.5, '', 'a', '1', [], {}),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.array(fc.tuple(fc.constantFrom('a', 'b', '1', '10'), tie('json')), { maxLength: 3 }).map(Object.fromEntries),
  ) as fc.Arbitrary<JsonValue>,
}));

describe('isJsonObject', () => {
  it.each<[value: unknown, isObject: boolean]>([
    [{}, true],
    [{ a: 1 }, true],
    [null, false],
    [undefined, false],
    [[], false],
    [[{}], false],
    ['{}', false],
    [1, false],
    [true, false],
  ])('says of %j: %s', (value, isObject) => {
    expect(isJsonObject(value)).toBe(isObject);
  });
});

describe('isUnassigned (RFC 7643 section 2.5)', () => {
  it.each<[value: JsonValue | undefined, unassigned: boolean]>([
    [undefined, true],
    [null, true],
    [[], true],
    ['', false],
    [0, false],
    [false, false],
    [{}, false],
    [[null], false],
  ])('says of %j: %s', (value, unassigned) => {
    expect(isUnassigned(value)).toBe(unassigned);
  });
});

describe('sameJson', () => {
  it.each<[a: JsonValue | undefined, b: JsonValue | undefined]>([
    [undefined, undefined],
    [null, null],
    ['a', 'a'],
    [1, 1.0],
    [[], []],
    [
      [1, ['a']],
      [1, ['a']],
    ],
    [{}, {}],
    [
      { a: 1, b: { c: [2] } },
      { b: { c: [2] }, a: 1 },
    ],
    [{ a: 1, b: undefined }, { a: 1 }],
  ])('holds for %j and %j', (a, b) => {
    expect(sameJson(a, b)).toBe(true);
    expect(sameJson(b, a)).toBe(true);
  });

  it.each<[a: JsonValue | undefined, b: JsonValue | undefined]>([
    [null, undefined],
    [null, {}],
    [[], {}],
    [[], null],
    ['', null],
    ['a', 'A'],
    ['1', 1],
    [0, false],
    [
      [1, 2],
      [2, 1],
    ],
    [[1], [1, 1]],
    [['a'], { 0: 'a', length: 1 }],
    [{ a: null }, {}],
    [{ a: 1 }, { b: 1 }],
    [{ a: [{ b: 1 }] }, { a: [{ b: 2 }] }],
  ])('does not hold for %j and %j', (a, b) => {
    expect(sameJson(a, b)).toBe(false);
    expect(sameJson(b, a)).toBe(false);
  });
});

describe('copyJson', () => {
  it('makes a value that is the same and shares nothing with the original', () => {
    const original = { a: [{ b: [1, 'x', null, true] }], c: { d: {} } };
    const copy = copyJson(original);
    expect(copy).toStrictEqual(original);
    copy.a[0]?.b.push(2);
    copy.c.d = { e: 1 };
    expect(original).toStrictEqual({ a: [{ b: [1, 'x', null, true] }], c: { d: {} } });
  });

  it.each([undefined, null, 'x', 0, false])('gives %j itself', (value) => {
    expect(copyJson(value)).toBe(value);
  });

  it('copies a key "__proto__" as the ordinary property it is', () => {
    const copy = copyJson(JSON.parse('{"__proto__":{"admin":true}}') as JsonObject);
    expect(Object.keys(copy)).toEqual(['__proto__']);
    expect(copy['admin']).toBeUndefined();
  });
});

describe('jsonKey', () => {
  it('is the same text for two values exactly when they are the same', () => {
    fc.assert(
      fc.property(json, json, (a, b) => expect(jsonKey(a) === jsonKey(b)).toBe(sameJson(a, b))),
      { numRuns: 5_000 },
    );
  });

  it('does not depend on the order of keys', () => {
    expect(jsonKey({ b: [{ d: 1, c: 2, e: undefined }], a: 3 })).toBe('{"a":3,"b":[{"c":2,"d":1}]}');
  });
});

describe('textOf', () => {
  it.each<[value: JsonValue | undefined, text: string]>([
    ['babs', 'babs'],
    ['', ''],
    [undefined, ''],
    [null, ''],
    [5, ''],
    [['babs'], ''],
  ])('reads %j as %j', (value, text) => {
    expect(textOf({ userName: value }, 'userName')).toBe(text);
  });
});
