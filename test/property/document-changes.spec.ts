import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { documentChanges, isLarge, largeDocument } from '../../src/persistence/document-changes.js';
import type { JsonObject } from '../../src/scim/index.js';
import { withChanges } from '../support/audit.js';

const key = fc.constantFrom('a', 'b', 'urn:x:User', 'a/b', '~1');
const { document } = fc.letrec<{ value: unknown; document: JsonObject }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('x', 'y', 1, true, null),
    fc.array(tie('value'), { maxLength: 6 }),
    tie('document'),
  ),
  document: fc.dictionary(key, tie('value'), { maxKeys: 4 }) as fc.Arbitrary<JsonObject>,
}));

describe('the changes of a document', () => {
  it('make the one of the other, forwards and backwards', () => {
    fc.assert(
      fc.property(document, document, (before, after) => {
        const changes = documentChanges(before, after);
        expect(withChanges(before, changes)).toEqual(after);
        const back = changes.map(({ path, before: was, after: is }) => ({
          path,
          ...(is === undefined ? {} : { before: is }),
          ...(was === undefined ? {} : { after: was }),
        }));
        expect(withChanges(after, back.reverse())).toEqual(before);
      }),
      { numRuns: 2_000 },
    );
  });

  it('are none of a document that is the same, in whatever order its attributes are', () => {
    expect(documentChanges({ a: 1, b: [{ c: 1, d: 2 }] }, { b: [{ d: 2, c: 1 }], a: 1 })).toEqual([]);
  });

  it('name values, and elements that come and go, and not their neighbours', () => {
    const large = 'x'.repeat(1_000);
    const element = (value: string, type: string) => ({ value, type, large });
    const before = { name: 'a', list: [element('1', 'home'), element('2', 'work'), element('3', 'work'), 'last'] };
    const after = { name: 'b', list: ['first', element('2', 'home'), 'last'] };
    expect(documentChanges(before, after)).toEqual([
      { path: '/name', before: 'a', after: 'b' },
      { path: '/list/0', before: before.list[0], after: 'first' },
      { path: '/list/1/type', before: 'work', after: 'home' },
      { path: '/list/2', before: before.list[2] },
    ]);
  });

  it('are small where little changes among much, wherever it is', () => {
    const large = Array.from({ length: 10 }, (_, index) => ({ value: String(index), text: 'x'.repeat(10_000) }));
    const small = (name: string) => ({ value: name, text: name });
    const before = { list: [small('a'), ...large, small('b'), small('c')] };
    const after = { list: [...large.slice(0, 5), small('d'), ...large.slice(5), small('c')] };
    expect(documentChanges(before, after)).toEqual([
      { path: '/list/0', before: small('a') },
      { path: '/list/5', after: small('d') },
      { path: '/list/11', before: small('b') },
    ]);
  });

  it('take time in proportion to the documents', () => {
    const list = (from: number) => Array.from({ length: 10_000 }, (_, index) => ({ value: `${from + index}` }));
    expect(documentChanges({ list: list(0) }, { list: list(5_000) })).toHaveLength(10_000);
    expect(documentChanges({ list: list(0) }, { list: list(0).reverse() }).length).toBeLessThan(20_000);
  });
});

describe('a large document', () => {
  it.each([
    [false, { a: 'x'.repeat(largeDocument / 2) }],
    [true, { a: 'x'.repeat(largeDocument) }],
    [true, { ['x'.repeat(largeDocument)]: 1 }],
    [true, { a: Array.from({ length: largeDocument / 4 }, () => true) }],
    [true, { a: Array.from({ length: largeDocument / 4 }, () => null) }],
    [false, { a: 1, b: [], c: {}, d: null }],
  ])('is told from others by what it holds: %s', (expected, given) => {
    expect(isLarge(given)).toBe(expected);
  });
});
