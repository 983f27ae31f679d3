import { describe, expect, it } from '@jest/globals';
import { parseFilter } from './parser.js';
import { printFilter } from './print.js';

describe('a filter as text (RFC 7644 section 3.4.2.2, figure 1)', () => {
  it.each([
    ['userName EQ "bjensen"', 'userName eq "bjensen"'],
    ['a eq "\\u00e9\\"\\\\\\n"', 'a eq "é\\"\\\\\\n"'],
    ['a gt 1.50', 'a gt 1.5'],
    ['a eq true', 'a eq true'],
    ['a ne null', 'a ne null'],
    ['Name.FamilyName PR', 'Name.FamilyName pr'],
    ['urn:x:2.0:User:a.$ref pr', 'urn:x:2.0:User:a.$ref pr'],
    ['((a pr))', 'a pr'],
    ['not(a pr)', 'not (a pr)'],
    ['NOT ((a pr) OR (b pr))', 'not (a pr or b pr)'],
    ['(a pr or b pr) and c pr', '(a pr or b pr) and c pr'],
    ['(a pr and b pr) or c pr', 'a pr and b pr or c pr'],
    ['(a pr and b pr) and c pr', '(a pr and b pr) and c pr'],
    ['a pr or (b pr or c pr)', 'a pr or (b pr or c pr)'],
    ['not (a pr) and not (b pr)', 'not (a pr) and not (b pr)'],
    ['a [ b pr ]', 'a[b pr]'],
    ['a[b pr or c pr].value eq "x"', 'a[(b pr or c pr) and value eq "x"]'],
  ])('says %s as %s', (given, printed) => {
    expect(printFilter(parseFilter(given))).toBe(printed);
    expect(parseFilter(printed)).toEqual(parseFilter(given));
  });
});
