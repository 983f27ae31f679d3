import { describe, expect, it } from '@jest/globals';
import { errorOf } from '../../test/support/patching.js';
import { limits } from './limits.js';
import { readPage } from './page.js';

describe('readPage (RFC 7644 section 3.4.2.4)', () => {
  it('starts at the first resource with the default count when nothing is asked for', () => {
    expect(readPage(undefined, undefined)).toEqual({ startIndex: 1, count: limits.defaultCount });
  });

  it.each([
    ['1', 1],
    ['7', 7],
    ['+7', 7],
    ['007', 7],
    ['0', 1],
    ['-0', 1],
    ['-1', 1],
    ['-999999999999', 1],
    ['-9223372036854775808', 1],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9007199254740993', Number.MAX_SAFE_INTEGER],
    ['9223372036854775807', Number.MAX_SAFE_INTEGER],
    [3, 3],
    [-3, 1],
  ])('reads startIndex %j as %d', (given, startIndex) => {
    expect(readPage(given, 10)).toEqual({ startIndex, count: 10 });
  });

  it.each([
    ['1', 1],
    ['0', 0],
    ['-1', 0],
    ['-9223372036854775808', 0],
    ['200', 200],
    ['201', 200],
    ['9223372036854775807', 200],
    [3, 3],
    [-3, 0],
    [1_000_000, 200],
  ])('reads count %j as %d, no more than is published as maxResults', (given, count) => {
    expect(readPage('5', given)).toEqual({ startIndex: 5, count });
  });

  it.each([
    'abc',
    '',
    ' ',
    ' 1',
    '1 ',
    '1\n',
    '1.5',
    '1.0',
    '1e3',
    '0x10',
    '१',
    '1,000',
    '--1',
    '+',
    '-',
    'null',
    'NaN',
  ])('refuses %j, which is no whole number, as invalidValue', (given) => {
    const refused = (name: string): unknown => ({
      row: 'invalidValue',
      detail: `${name} must be a whole number, not ${JSON.stringify(given)}.`,
    });
    expect(errorOf(() => readPage(given, undefined))).toEqual(refused('startIndex'));
    expect(errorOf(() => readPage(undefined, given))).toEqual(refused('count'));
  });

  it.each([1.5, 1e21, Number.NaN, Number.POSITIVE_INFINITY])('refuses the number %d as invalidValue', (given) => {
    expect(errorOf(() => readPage(given, undefined))).toEqual({
      row: 'invalidValue',
      detail: `startIndex must be a whole number, not "${given}".`,
    });
  });

  it.each(['9223372036854775808', '-9223372036854775809', '9'.repeat(30)])(
    'refuses %s, which is beyond 64 bits, as invalidValue',
    (given) => {
      expect(errorOf(() => readPage(given, undefined))).toEqual({
        row: 'invalidValue',
        detail: 'startIndex is out of range.',
      });
      expect(errorOf(() => readPage(undefined, given))).toEqual({
        row: 'invalidValue',
        detail: 'count is out of range.',
      });
    },
  );

  it('refuses 10^30 and a million digits as invalidValue', () => {
    for (const given of [`1${'0'.repeat(30)}`, '9'.repeat(1_000_000)]) {
      expect(errorOf(() => readPage(given, undefined))).toMatchObject({ row: 'invalidValue' });
    }
  });

  it('reads no more than a smaller maxResults, also where count is left out', () => {
    expect([readPage(1, 50, 20).count, readPage(1, undefined, 20).count, readPage(1, 5, 20).count]).toEqual([
      20, 20, 5,
    ]);
  });
});
