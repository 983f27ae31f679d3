import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkUsername, mapUsername, prepareOpaqueString, toNfc } from './precis.js';

/** Texts of the code points that the mappings and rules tell apart, and of any others. */
const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      ...'aA lL\u00b7\u0130\u0345\u03a3\u03c2\u0301\u0323\u3000\uff21\uffa1\uff9e\u212a\u0628\u0627\u05d0',
    ),
    fc.constantFrom('\u094d', '\u200c', '\u200d', '\u30fb', '\u0661', '\u06f1', '\ud800', '\udc00', '\u{1e900}'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 12,
});

describe('mapUsername', () => {
  it.each([
    ['Alice@Example.COM', 'alice@example.com', 'lower case'],
    ['STRASSE', 'strasse', 'lower case'],
    ['Straße', 'straße', 'lower case, which keeps ß'],
    ['\uff21lice\uff20x', 'alice@x', 'the fullwidth mapping'],
    ['a\u3000b', 'a b', 'the mapping of the ideographic space'],
    ['\uff76\uff9e', '\u30ac', 'the halfwidth mapping and NFC'],
    ['\uffa1\uffc2', '\u3131\u314f', 'the halfwidth mapping of Hangul letters, by one step'],
    ['\uffa0', '\u3164', 'the halfwidth mapping of the Hangul filler, by one step'],
    ['\uffe3\uffe6', '\u00af\u20a9', 'the fullwidth mapping of the macron, by one step'],
    ['\u216b', '\u217b', 'lower case, with no compatibility mapping but width'],
    ['e\u0301', '\u00e9', 'NFC'],
    ['E\u0301', '\u00e9', 'lower case and NFC'],
    ['\u212a', 'k', 'lower case of the Kelvin sign'],
    ['\u0130', 'i\u0307', 'lower case in no language'],
    ['ΟΔΥΣΣΕΥΣ', 'οδυσσευσ', 'lower case without a final sigma'],
    ['\u03c2', '\u03c2', 'lower case, which keeps ς'],
    ['\u{10400}', '\u{10428}', 'lower case beyond the BMP'],
    ['\ud800A', '\ud800a', 'no rule for a lone surrogate'],
    ['', '', 'no rule for an empty text'],
  ])('maps %j to %j by %s (RFC 8265 section 3.3.1)', (text, mapped) => {
    expect(mapUsername(text)).toBe(mapped);
  });

  it('is idempotent for every code point', () => {
    const changing: string[] = [];
    for (let point = 0; point <= 0x1ffff; point += 1) {
      const mapped = mapUsername(String.fromCodePoint(point));
      if (mapUsername(mapped) !== mapped) changing.push(point.toString(16));
    }
    expect(changing).toEqual([]);
  });

  it('is idempotent for any text (RFC 8264 section 7)', () => {
    fc.assert(
      fc.property(anyText, (text) => expect(mapUsername(mapUsername(text))).toBe(mapUsername(text))),
      { numRuns: 5_000 },
    );
  });

  it('maps a text and its decomposition to one (RFC 8264 section 5.2.4)', () => {
    fc.assert(fc.property(fc.string(), (text) => expect(mapUsername(text.normalize('NFD'))).toBe(mapUsername(text))));
  });
});

describe('checkUsername', () => {
  it.each([
    'alice',
    'Alice@Example.com',
    'o\'brien+tag/~!#$%^&*(){}[]|\\:;"<>?`',
    'juliet capulet',
    'two  spaces',
    'foo\u3000bar',
    '\uff21lice',
    'fussball ß',
    'Ὀδυσσεύς',
    'naïve\u0301',
    'İstanbul',
    '李雷',
    '김철수',
    '\u3007',
    'ག\u0f0bང',
    '\u{20000}',
  ])('accepts %j (RFC 8265 section 3.3)', (text) => {
    expect(checkUsername(text)).toBeUndefined();
  });

  it.each([
    ['', 'it is empty'],
    [' ', 'it starts or ends with a space'],
    [' alice', 'it starts or ends with a space'],
    ['alice ', 'it starts or ends with a space'],
    ['\u3000alice', 'it starts or ends with a space'],
  ])('refuses %j, which is no userparts with spaces between (RFC 8265 section 3.1)', (text, reason) => {
    expect(checkUsername(text)).toBe(reason);
  });

  it.each([
    ['Controls', '\u0000', 'U+0000'],
    ['Controls', '\t', 'U+0009'],
    ['Controls', '\u007f', 'U+007F'],
    ['Controls', '\u0085', 'U+0085'],
    ['PrecisIgnorableProperties', '\u00ad', 'U+00AD'],
    ['PrecisIgnorableProperties', '\u200b', 'U+200B'],
    ['PrecisIgnorableProperties', '\u202e', 'U+202E'],
    ['PrecisIgnorableProperties', '\u2060', 'U+2060'],
    ['PrecisIgnorableProperties', '\ufe0f', 'U+FE0F'],
    ['PrecisIgnorableProperties', '\ufeff', 'U+FEFF'],
    ['PrecisIgnorableProperties', '\ufdd0', 'U+FDD0'],
    ['PrecisIgnorableProperties', '\u{e0041}', 'U+E0041'],
    ['Unassigned', '\u0378', 'U+0378'],
    ['OldHangulJamo', '\u1100', 'U+1100'],
    ['OldHangulJamo', '\ua960', 'U+A960'],
    ['OldHangulJamo', '\ud7b0', 'U+D7B0'],
    ['HasCompat', '\ufb01', 'U+FB01'],
    ['HasCompat', '\u217b', 'U+217B'],
    ['HasCompat', '\u00aa', 'U+00AA'],
    ['HasCompat', '\uffa1', 'U+3131'],
    ['Spaces', '\u00a0', 'U+00A0'],
    ['Spaces', '\u2003', 'U+2003'],
    ['Symbols', '\u265a', 'U+265A'],
    ['Symbols', '\u{1f600}', 'U+1F600'],
    ['Punctuation', '\u00bf', 'U+00BF'],
    ['Punctuation', '\u2019', 'U+2019'],
    ['OtherLetterDigits', '\u0488', 'U+0488'],
    ['Exceptions', '\u0640', 'U+0640'],
    ['Exceptions', '\u07fa', 'U+07FA'],
    ['Exceptions', '\u302e', 'U+302E'],
    ['Exceptions', '\u303b', 'U+303B'],
    ['other code points', '\u2028', 'U+2028'],
    ['other code points', '\ue000', 'U+E000'],
    ['other code points', '\ud800', 'U+D800'],
  ])('refuses %s of RFC 8264 section 9, such as %j', (_, char, name) => {
    expect(checkUsername(`a ${char}b`)).toBe(`it contains ${name}, which RFC 8265 does not allow`);
  });

  it.each([
    ['A.1', 'क\u094d\u200cष'],
    ['A.1', 'نامه\u200cای'],
    ['A.1', 'می\u200cخواهم'],
    ['A.1', '\u0628\u0651\u200c\u064e\u0628'],
    ['A.1', '\u{1e922}\u200c\u{1e923}'],
    ['A.1', '\u{10d00}\u200c\u{10d01}'],
    ['A.2', 'क\u094d\u200dष'],
    ['A.3', 'Col\u00b7lecció'],
    ['A.4', '\u0375\u03b1'],
    ['A.5', '\u05d2\u05f3'],
    ['A.6', '\u05e6\u05d4\u05f4\u05dc'],
    ['A.7', 'あ\u30fba'],
    ['A.7', 'a\u30fb\u30ab'],
    ['A.7', '\uff65漢'],
    ['A.8', '\u0628\u0661\u0669'],
    ['A.9', '\u0628\u06f1\u06f9'],
  ])('accepts what RFC 5892 appendix %s allows in its context: %j', (_, text) => {
    expect(checkUsername(text)).toBeUndefined();
  });

  it.each([
    ['A.1', 'a\u200cb', 'U+200C'],
    ['A.1', '\u200c', 'U+200C'],
    ['A.1', '\u0628\u200c', 'U+200C'],
    ['A.1', '\u0627\u200c\u0628', 'U+200C'],
    ['A.1', '\u0628\u200c\u0627\u200c\u0627', 'U+200C'],
    ['A.1', '\u0628\u200c\u0621', 'U+200C'],
    ['A.1', '\u{10d01}\u200c\u{10d00}', 'U+200C'],
    ['A.1', '\u0628\u200c\u200c\u0628', 'U+200C'],
    ['A.2', 'a\u200db', 'U+200D'],
    ['A.2', '\u0628\u200d\u0628', 'U+200D'],
    ['A.2', '\u05d0\u05b0\u200d', 'U+200D'],
    ['A.2', '\u304b\u3099\u200d', 'U+200D'],
    ['A.2', '\u092f\u3099\u200d', 'U+200D'],
    ['A.2', 'क\u094d\u200d\u200d', 'U+200D'],
    ['A.3', 'a\u00b7l', 'U+00B7'],
    ['A.3', 'l\u00b7', 'U+00B7'],
    ['A.3', 'l l\u00b7 l', 'U+00B7'],
    ['A.4', '\u03b1\u0375', 'U+0375'],
    ['A.4', '\u0375a', 'U+0375'],
    ['A.5', '\u05f3\u05d2', 'U+05F3'],
    ['A.6', 'a\u05f4', 'U+05F4'],
    ['A.7', 'a\u30fbb', 'U+30FB'],
    ['A.7', 'a\u30fbb \u30ab', 'U+30FB'],
    ['A.8', '\u0628\u0661\u06f1', 'U+0661'],
    ['A.9', '\u0628\u06f1\u0661', 'U+0661'],
  ])('refuses what RFC 5892 appendix %s does not allow: %j', (_, text, name) => {
    expect(checkUsername(text)).toBe(`it contains ${name} where RFC 5892 does not allow it`);
  });

  it.each([
    ['2', '\u05d0\u05d1\u05d2'],
    ['2', '\u05d0-\u05d1.\u05d2'],
    ['3', '\u05d0\u05d11'],
    ['3', '\u05d0\u05d1\u05b0'],
    ['4', '\u0628\u0661'],
    ['5', 'a1'],
    ['1, each userpart by itself', 'alice \u05d0\u05d1'],
  ])('accepts what follows RFC 5893 section 2 rule %s: %j', (_, text) => {
    expect(checkUsername(text)).toBeUndefined();
  });

  it.each([
    ['1', '1\u05d0'],
    ['1', '\u0661'],
    ['1', '\u0301\u05d0'],
    ['2', '\u05d0a\u05d1'],
    ['2', '\u05d0@example.com'],
    ['3', '\u05d0-'],
    ['3', '\u05d0-\u05b0'],
    ['4', '\u06281\u0661'],
    ['5', 'a\u05d0'],
    ['5', 'alice a\u05d0'],
  ])('refuses what breaks RFC 5893 section 2 rule %s: %j', (_, text) => {
    expect(checkUsername(text)).toBe('its writing directions are mixed in a way RFC 5893 does not allow');
  });

  it('judges a text by its mapped form', () => {
    fc.assert(
      fc.property(anyText, (text) => expect(checkUsername(mapUsername(text))).toBe(checkUsername(text))),
      { numRuns: 5_000 },
    );
  });
});

describe('prepareOpaqueString', () => {
  it.each([
    ['correct horse battery staple', 'correct horse battery staple'],
    [' Correct ', ' Correct '],
    ['πß\u00e5', 'πß\u00e5'],
    ['Jack of \u2666s', 'Jack of \u2666s'],
    ['foo\u1680bar\u00a0baz\u3000', 'foo bar baz '],
    ['e\u0301', '\u00e9'],
    ['\uff21\ufb01\u2163\u00bd', '\uff21\ufb01\u2163\u00bd'],
    ['\u0488\u{1f600}', '\u0488\u{1f600}'],
    ['\u05d0a', '\u05d0a'],
    ['l\u00b7l', 'l\u00b7l'],
  ])('prepares %j as %j (RFC 8265 section 4.2)', (text, prepared) => {
    expect(prepareOpaqueString(text)).toBe(prepared);
  });

  it.each([
    ['an empty text', ''],
    ['a control', 'my cat is a \u0009by'],
    ['U+0000', 'a\0'],
    ['an unassigned code point', '\u0378'],
    ['an old Hangul jamo', '\u1100'],
    ['an ignorable code point', 'a\u200bb'],
    ['a line separator', 'a\u2028b'],
    ['a private use code point', '\ue000'],
    ['a lone surrogate', '\ud800'],
    ['a disallowed exception', '\u0640'],
    ['a joiner out of context', 'a\u200db'],
    ['a middle dot out of context', 'L\u00b7L'],
  ])('refuses %s (RFC 8265 section 4.2, RFC 8264 section 4.3)', (_, text) => {
    expect(prepareOpaqueString(text)).toBeUndefined();
  });

  it('is idempotent (RFC 8264 section 7)', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const prepared = prepareOpaqueString(text);
        if (prepared !== undefined) expect(prepareOpaqueString(prepared)).toBe(prepared);
      }),
    );
  });
});

describe('toNfc', () => {
  it('normalizes up to 63 combining marks in a row', () => {
    expect(toNfc(`e${'\u0301'.repeat(63)}`)).toBe(`\u00e9${'\u0301'.repeat(62)}`);
    expect(toNfc('e\u0301'.repeat(1000))).toBe('\u00e9'.repeat(1000));
  });

  it('leaves a text alone whose normalization would take minutes', () => {
    const hostile = `a${'\u0315'.repeat(100_000)}${'\u0323'.repeat(100_000)}`;
    const start = performance.now();
    expect(toNfc(hostile)).toBe(hostile);
    expect(mapUsername(hostile)).toBe(hostile);
    expect(checkUsername(hostile)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it('is idempotent on either side of the bound', () => {
    const marks = fc.string({ unit: fc.constantFrom('\u0344', '\u0301', '\u0323', 'a'), minLength: 55, maxLength: 75 });
    fc.assert(fc.property(marks, (text) => expect(toNfc(toNfc(text))).toBe(toNfc(text))));
  });
});
