import { describe, expect, it } from '@jest/globals';
import { errorOf } from '../../../test/support/patching.js';
import { nextToken, type Token } from './lexer.js';

/** All tokens of a text up to its end. */
function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (let from = 0; ;) {
    const { token, end } = nextToken(text, from);
    found.push(token);
    if (token.kind === 'end') return found;
    from = end;
  }
}

describe('the tokens of a filter (RFC 7644 section 3.4.2.2, figure 1)', () => {
  it('are words, brackets, strings and numbers, with their offsets, up to the end', () => {
    expect(tokens('emails[type eq "a b"] and (x gt -1.5e3)')).toEqual([
      { kind: 'word', text: 'emails', at: 0 },
      { kind: '[', text: '[', at: 6 },
      { kind: 'word', text: 'type', at: 7 },
      { kind: 'word', text: 'eq', at: 12 },
      { kind: 'string', text: 'a b', at: 15 },
      { kind: ']', text: ']', at: 20 },
      { kind: 'word', text: 'and', at: 22 },
      { kind: '(', text: '(', at: 26 },
      { kind: 'word', text: 'x', at: 27 },
      { kind: 'word', text: 'gt', at: 29 },
      { kind: 'number', text: '-1.5e3', at: 32 },
      { kind: ')', text: ')', at: 38 },
      { kind: 'end', text: '', at: 39 },
    ]);
  });

  it.each(['', ' ', ' \t\r\n '])('of %j are its end only', (text) => {
    expect(tokens(text)).toEqual([{ kind: 'end', text: '', at: text.length }]);
  });

  it.each([
    'urn:ietf:params:scim:schemas:core:2.0:User:name.givenName',
    'members.$ref',
    'http://x.org/~a%20b:c',
    "u:a+b'c",
  ])('hold the path %s in one word', (path) => {
    expect(tokens(`${path} pr`)).toEqual([
      { kind: 'word', text: path, at: 0 },
      { kind: 'word', text: 'pr', at: path.length + 1 },
      { kind: 'end', text: '', at: path.length + 3 },
    ]);
  });

  it('hold a sub-attribute behind "]" with its dot', () => {
    expect(tokens('a[b pr].value').slice(-2)).toEqual([
      { kind: 'word', text: '.value', at: 7 },
      { kind: 'end', text: '', at: 13 },
    ]);
  });

  it.each(['0', '-0', '10', '1.50', '1e3', '1E+3', '2e-07', '-1.5e3'])('hold the JSON number %s', (number) => {
    expect(tokens(number)[0]).toEqual({ kind: 'number', text: number, at: 0 });
  });

  it.each([
    ['""', ''],
    ['"\\" or 1=1 --"', '" or 1=1 --'],
    ['"\\\\"', '\\'],
    ['"\\u00e9\\u000a\\/"', 'é\n/'],
    ['"\\ud83d\\ude00😀"', '😀😀'],
    [`"'; drop table users;--"`, "'; drop table users;--"],
    ['"a)] and (["', 'a)] and (['],
  ])('decode the JSON string %s', (quoted, text) => {
    expect(tokens(quoted)[0]).toEqual({ kind: 'string', text, at: 0 });
  });
});

describe('what is no token of a filter', () => {
  const expected = 'expected an attribute, an operator, a bracket or a double-quoted value.';

  it.each([
    ["x eq 'bob'", `The filter has "'bob'" at character 6; ${expected}`],
    ['userName = "x"', `The filter has "= \\"x\\"" at character 10; ${expected}`],
    ['a && b', `The filter has "&& b" at character 3; ${expected}`],
    ['x eq {}', `The filter has "{}" at character 6; ${expected}`],
    ['x eq ५', `The filter has "५" at character 6; ${expected}`],
    ['x eq 01', `The filter has "01" at character 6; ${expected}`],
    ['x eq 1.', `The filter has "1." at character 6; ${expected}`],
    ['x eq .5', `The filter has ".5" at character 6; ${expected}`],
    ['x eq 0x10', `The filter has "0x10" at character 6; ${expected}`],
    ['x eq 1e', `The filter has "1e" at character 6; ${expected}`],
    ['x eq 1.2.3', `The filter has "1.2.3" at character 6; ${expected}`],
    ['x eq 5y', `The filter has "5y" at character 6; ${expected}`],
    ['x eq +1', `The filter has "+1" at character 6; ${expected}`],
    ['a[b pr] .c', `The filter has ".c" at character 9; ${expected}`],
    ['a[b pr].1', `The filter has ".1" at character 8; ${expected}`],
    ['naïve', `The filter has "ïve" at character 3; ${expected}`],
    ['\u00a0x', `The filter has "\u00a0x" at character 1; ${expected}`],
    ['* 2345678901234567890123', `The filter has "* 234567890123456789" at character 1; ${expected}`],
    ['x eq "open', 'The string that starts at character 6 of the filter has no end.'],
    ['x eq "open\\"', 'The string that starts at character 6 of the filter has no end.'],
    ['x eq "\\x"', 'The string at character 6 of the filter is not a valid JSON string.'],
    ['x eq "\\u00g0"', 'The string at character 6 of the filter is not a valid JSON string.'],
    ['x eq "a\nb"', 'The string at character 6 of the filter is not a valid JSON string.'],
    ['x eq "a\tb"', 'The string at character 6 of the filter is not a valid JSON string.'],
    ['x eq "\\u0000"', 'The string at character 6 holds a character that cannot be stored.'],
    ['x eq "\\ud800"', 'The string at character 6 holds a character that cannot be stored.'],
    ['x eq "\udc00"', 'The string at character 6 holds a character that cannot be stored.'],
  ])('is refused in %j', (text, detail) => {
    expect(errorOf(() => tokens(text))).toEqual({ row: 'invalidFilter', detail });
  });
});
