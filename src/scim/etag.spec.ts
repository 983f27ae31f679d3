import { describe, expect, it } from '@jest/globals';
import { etag, matchesEtag } from './etag.js';

describe('etag', () => {
  it('is a weak entity tag of the version (RFC 7644 section 3.14)', () => {
    expect([1, 42].map(etag)).toEqual(['W/"1"', 'W/"42"']);
  });
});

describe('matchesEtag (RFC 7644 section 3.14, RFC 9110 section 13.1)', () => {
  it.each([
    ['W/"3"', 'the weak tag'],
    ['"3"', 'the strong tag, compared weakly'],
    ['*', 'any version'],
    [' * ', 'any version, with white space around it'],
    ['W/"1", W/"3"', 'a list with the weak tag in it'],
    ['"1","3","5"', 'a list with the strong tag in it'],
    ['W/"1" ,\tW/"3"', 'a list with white space around the comma'],
    ['3', 'the tag without its quotes'],
    ['W/3', 'the weak tag without its quotes'],
    [`${'W/"1", '.repeat(2_000)}W/"3"`, 'a long list with the tag at its end'],
  ])('finds version 3 in %.20s: %s', (header) => {
    expect(matchesEtag(header, 3)).toBe(true);
  });

  it.each([
    ['W/"2"', 'another tag'],
    ['W/"33"', 'a tag that only starts with it'],
    ['W/"13"', 'a tag that only ends with it'],
    ['W/"03"', 'the number written otherwise'],
    ['W/"3.0"', 'the number written otherwise'],
    ['W/" 3"', 'the number with white space in the quotes'],
    ['w/"3"', 'a small w, which starts no tag'],
    ['W/"1", W/"2"', 'a list without it'],
    ['"*"', 'a quoted asterisk'],
    ['W/"1", *', 'an asterisk in a list'],
    ['', 'nothing'],
    [' , ', 'an empty list'],
    ['"3', 'a tag that does not end'],
    [`${'"'.repeat(10_000)}`, 'garbage'],
    [`${'W/'.repeat(10_000)}3`, 'garbage'],
  ])('does not find version 3 in %.20s: %s', (header) => {
    expect(matchesEtag(header, 3)).toBe(false);
  });
});
