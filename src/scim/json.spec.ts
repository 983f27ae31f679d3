import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ScimError } from './errors.js';
import { checkText, decodeUtf8, parseJson } from './json.js';
import { limits } from './limits.js';
import type { JsonValue } from './resource.js';

/** What a call throws, as "row: detail". */
function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof ScimError) return `${error.row}: ${error.detail}`;
    throw error;
  }
  return 'nothing';
}

const refused = (text: string): string => refusal(() => parseJson(text));

describe('decodeUtf8', () => {
  it('decodes UTF-8, the encoding RFC 8259 section 8.1 demands', () => {
    expect(decodeUtf8(new TextEncoder().encode('{"a":"é😀"}'))).toBe('{"a":"é😀"}');
  });

  it('leaves out a byte order mark, as RFC 8259 section 8.1 permits', () => {
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d))).toBe('{}');
  });

  it.each([
    ['a broken sequence', [0xc3, 0x28]],
    ['an overlong form', [0xc0, 0x80]],
    ['a byte that never occurs', [0xff]],
    ['an encoded surrogate', [0xed, 0xa0, 0x80]],
    ['a sequence that ends early', [0x22, 0xe2, 0x82]],
  ])('refuses %s (RFC 3629 section 3)', (_, bytes) => {
    expect(refusal(() => decodeUtf8(Uint8Array.from(bytes)))).toBe(
      'invalidSyntax: The body is not valid UTF-8; encode the JSON text in UTF-8.',
    );
  });
});

describe('parseJson', () => {
  it('reads every kind of value of RFC 8259 section 3', () => {
    const text = ' {"a" : [1, -0, 2.5e-1, 1E2, true, false, null, {}, []],\r\n\t"b":"\\u00e9\\n\\ud83d\\ude00é"} ';
    expect(parseJson(text)).toEqual({ a: [1, -0, 0.25, 100, true, false, null, {}, []], b: 'é\n😀é' });
  });

  it.each(['1', '"a"', 'null', '[]'])('reads %s, for any value is a JSON text (RFC 8259 section 2)', (text) => {
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });

  it.each(['', ' ', '\r\n\t'])('calls %j empty', (text) => {
    expect(refused(text)).toBe('invalidSyntax: The body is empty; send a JSON object.');
  });

  it.each([
    ['{"userName":"a', 13, 'a closed string with valid escapes and without control characters'],
    ['{"a":1', 7, '"," or "}", but the body ends'],
    ['{"a":', 6, 'a value, but the body ends'],
    ['{"a"', 5, '":", but the body ends'],
    ['{', 2, 'a key in double quotes, but the body ends'],
    ['[', 2, 'a value, but the body ends'],
    ['[1', 3, '"," or "]", but the body ends'],
    ['{"a":1,}', 8, 'a key in double quotes'],
    ['{a":1}', 2, 'a key in double quotes'],
    ["{'a':1}", 2, 'a key in double quotes'],
    ['{1:1}', 2, 'a key in double quotes'],
    ['{,}', 2, 'a key in double quotes'],
    ['{"a" 1}', 6, '":"'],
    ['{"a":1 "b":2}', 8, '"," or "}"'],
    ['{"a":1]', 7, '"," or "}"'],
    ['[1,]', 4, 'a value'],
    ['[,1]', 2, 'a value'],
    ['[1}', 3, '"," or "]"'],
    ['[1 2]', 4, '"," or "]"'],
    ['{} {}', 4, 'nothing more'],
    ['1]', 2, 'nothing more'],
    ['truex', 5, 'nothing more'],
    ['True', 1, 'a value'],
    ['undefined', 1, 'a value'],
    ['NaN', 1, 'a value'],
    ['-', 1, 'a value'],
    ['+1', 1, 'a value'],
    ['.5', 1, 'a value'],
    ['01', 2, 'nothing more'],
    ['1.', 2, 'nothing more'],
    ['1e', 2, 'nothing more'],
    ['0x10', 2, 'nothing more'],
    ['// a\n1', 1, 'a value'],
    ['\ufeff1', 1, 'a value'],
    ['\u00a01', 1, 'a value'],
    ['["a\nb"]', 2, 'a closed string with valid escapes and without control characters'],
    ['["\\x41"]', 2, 'a closed string with valid escapes and without control characters'],
    ['["\\u12"]', 2, 'a closed string with valid escapes and without control characters'],
    ['"\\', 1, 'a closed string with valid escapes and without control characters'],
    ['"\\"', 1, 'a closed string with valid escapes and without control characters'],
  ])('refuses %j, which RFC 8259 does not derive, naming character %d', (text, at, expected) => {
    expect(refused(text)).toBe(`invalidSyntax: The body is not valid JSON at character ${at}: expected ${expected}.`);
  });

  it('never repeats the content of a broken body, which may hold a password', () => {
    expect(refused('{"password":"hunter2"')).not.toContain('hunter2');
    expect(refused('{"password":"hunter2')).not.toContain('hunter2');
    expect(refused('{"password":"hunter2\\u0000"}')).not.toContain('hunter2');
  });

  it('allows as many levels as limits.jsonDepth, and not one more', () => {
    const nested = (depth: number): string => '{"a":['.repeat(depth / 2) + ']}'.repeat(depth / 2);
    expect(refused(nested(limits.jsonDepth))).toBe('nothing');
    expect(refused(nested(limits.jsonDepth + 2))).toBe(
      'invalidSyntax: The body nests objects and arrays more than 32 deep.',
    );
    expect(refusal(() => parseJson('[[]]', { maxDepth: 1 }))).toContain('more than 1 deep');
  });

  it('counts depth, not brackets: siblings do not add up', () => {
    expect(parseJson('[[],{"a":[]},[]]', { maxDepth: 3 })).toEqual([[], { a: [] }, []]);
  });

  it('allows as many elements of an array as limits.arrayElements, and not one more', () => {
    const array = (length: number): string => JSON.stringify(Array(length).fill(0));
    expect(parseJson(array(limits.arrayElements))).toHaveLength(limits.arrayElements);
    expect(refused(array(limits.arrayElements + 1))).toBe(
      'payloadTooLarge: An array of the body has more than 10000 elements.',
    );
    expect(refusal(() => parseJson('{"a":[1,2,3]}', { maxArray: 2 }))).toContain('more than 2 elements');
  });

  it('counts the elements of each array by itself, and no members of objects', () => {
    expect(parseJson('[[1,2],{"a":1,"b":2,"c":3}]', { maxArray: 2 })).toEqual([[1, 2], { a: 1, b: 2, c: 3 }]);
  });

  it.each([
    ['{"active":true,"active":false}', '"active"'],
    ['{"userName":"a","USERNAME":"b"}', '"USERNAME"'],
    ['{"a":1,"\\u0061":2}', '"a"'],
    ['{"a":1,"\\u0041":2}', '"A"'],
    ['{"é":1,"É":2}', '"É"'],
    ['{"__proto__":1,"__PROTO__":2}', '"__PROTO__"'],
    ['[{"x":{"a":1,"b":{},"A":2}}]', '"A"'],
  ])('refuses two names for one attribute in %s (RFC 7643 section 2.1)', (text, key) => {
    expect(refused(text)).toBe(`invalidSyntax: An object has the key ${key} twice; case does not tell keys apart.`);
  });

  it('accepts a key again in another object', () => {
    const value = { a: { a: 1 }, b: [{ a: 1 }, { A: 1 }] };
    expect(parseJson(JSON.stringify(value))).toEqual(value);
  });

  it.each([
    ['{"a":"x\\u0000"}', 6],
    ['["\\ud800"]', 2],
    ['["\\udc00"]', 2],
    ['["\\ude00\\ud83d"]', 2],
    ['["a","\ud800"]', 6],
    ['"\udc00\ud800"', 1],
  ])('refuses U+0000 and lone surrogates in a string, as in %j (RFC 8259 section 8.2)', (text, at) => {
    expect(refused(text)).toBe(`invalidValue: The string at character ${at} holds U+0000 or a lone surrogate.`);
  });

  it.each([
    ['{"a\\u0000":1}', '"a\\u0000"'],
    ['{"\\ud800":1}', '"\\ud800"'],
    ['{"\\ude00\\ud83d":1}', '"\\ude00\\ud83d"'],
    ['{"\udc00":1}', '"\\udc00"'],
  ])('refuses U+0000 and lone surrogates in a key, as in %j', (text, key) => {
    expect(refused(text)).toBe(`invalidSyntax: The key ${key} holds U+0000 or a lone surrogate.`);
  });

  it.each(['1e400', '-1e400', `${'9'.repeat(400)}`, `[${'9'.repeat(400)}.5]`])(
    'refuses %s, which no double holds (RFC 8259 section 6)',
    (text) => expect(refused(text)).toMatch(/^invalidValue: The number ".+" is too large for a double\.$/),
  );

  it.each(['9007199254740992', '-9007199254740993', '123456789012345678901234567890'])(
    'refuses %s, an integer that would be rounded (RFC 8259 section 6)',
    (text) => expect(refused(`[${text}]`)).toBe(`invalidValue: The integer "${text}" is beyond ±9007199254740991.`),
  );

  it.each([
    '9007199254740991',
    '-9007199254740991',
    '-0',
    '1e21',
    '1e-400',
    '0.1234567890123456789',
    '12345678901234567890.5',
  ])('reads %s as the double it stands for', (text) => expect(parseJson(text)).toBe(Number(text)));

  it('makes __proto__ and constructor inert properties', () => {
    const value = parseJson('{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}');
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor']);
    expect((value as { admin?: boolean }).admin).toBeUndefined();
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it.each([
    ['a megabyte of opening brackets', '['.repeat(1_000_000)],
    ['a megabyte of nested objects', '{"a":'.repeat(200_000)],
    ['a megabyte of quotes', '"'.repeat(1_000_000)],
    ['a megabyte of backslashes', `"${'\\'.repeat(1_000_000)}`],
    ['a megabyte of digits', '9'.repeat(1_000_000)],
    ['a megabyte of minus signs', '-'.repeat(1_000_000)],
  ])('refuses %s in linear time', (_, text) => {
    const start = performance.now();
    expect(refused(text)).toMatch(/^invalid/);
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it('reads 100,000 keys, and 100,000 levels when they are allowed, in linear time', () => {
    const start = performance.now();
    const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`key${index}`, index]));
    expect(parseJson(JSON.stringify(keys))).toEqual(keys);
    expect(parseJson('['.repeat(100_000) + ']'.repeat(100_000), { maxDepth: 100_000 })).toHaveLength(1);
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

describe('parseJson, by property', () => {
  const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', '')),
      fc.oneof(fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true, max: 1e15, min: -1e15 })),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value')),
      fc
        .uniqueArray(fc.tuple(fc.string({ unit: 'grapheme-ascii' }), tie('value')), {
          selector: ([key]) => key.toLowerCase(),
        })
        .map((entries) => Object.fromEntries(entries)),
    ),
  }));

  it('reads back what JSON.stringify wrote', () => {
    fc.assert(
      fc.property(value, (json) => expect(parseJson(JSON.stringify(json))).toEqual(JSON.parse(JSON.stringify(json)))),
    );
  });

  it('reads what JSON.parse reads and refuses what JSON.parse refuses', () => {
    const noise = fc.constantFrom(...'{}[],:"\\ \n019.-+eEtfnua\u0001');
    const edit = fc.record({ at: fc.nat(), cut: fc.nat(2), text: fc.string({ unit: noise, maxLength: 2 }) });
    const broken = fc.tuple(value, edit).map(([json, { at, cut, text }]) => {
      const good = JSON.stringify(json);
      const offset = at % (good.length + 1);
      return good.slice(0, offset) + text + good.slice(offset + cut);
    });
    fc.assert(
      fc.property(fc.oneof(broken, fc.string({ unit: noise })), (text) => {
        const row = refused(text).split(':')[0];
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expect(row).toMatch(/^invalid(Syntax|Value)$/);
          return;
        }
        if (row === 'nothing') expect(parseJson(text)).toEqual(expected);
        else expect(refused(text)).toMatch(/ twice; | holds | beyond | too large /);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('parseJson with anyText, and checkText', () => {
  it('leave the text of strings and keys to be judged part by part', () => {
    const value = parseJson('{"good":["a",1,null],"bad":{"x":"\\u0000"},"key":{"\\ud800":1}}', { anyText: true });
    const { good, bad, key } = value as { good: JsonValue; bad: JsonValue; key: JsonValue };
    expect(() => checkText(good)).not.toThrow();
    expect(() => checkText(undefined)).not.toThrow();
    for (const part of [bad, value]) {
      expect(refusal(() => checkText(part))).toBe('invalidValue: A string holds U+0000 or a lone surrogate.');
    }
    expect(refusal(() => checkText(key))).toBe(
      String.raw`invalidSyntax: The key "\ud800" holds U+0000 or a lone surrogate.`,
    );
  });
});
