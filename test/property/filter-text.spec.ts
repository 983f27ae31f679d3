import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bindFilter, coreRegistry, parseFilter, printFilter, profiles, ScimError } from '../../src/scim/index.js';
import { parseAttrPath, printAttrPath } from '../../src/scim/filter/attr-path.js';
import { parsePatchPath, printPatchPath } from '../../src/scim/filter/patch-path.js';
import { attrPath, filter, filterText, patchPath, seed } from '../support/arbitraries.js';

const userSchema = coreRegistry.resourceSchema('User');

const assert = <T>(generated: fc.Arbitrary<T>, check: (value: T) => void, numRuns = 2_000): void =>
  fc.assert(fc.property(generated, check), { seed, numRuns });

/** What reading a text gives: the value, or the scimType of the ScimError. Any other error fails the test. */
function outcome<T>(read: () => T): { value: T } | { scimType: string | undefined } {
  try {
    return { value: read() };
  } catch (error) {
    if (!(error instanceof ScimError)) throw error;
    expect(error.status).toBe(400);
    return { scimType: error.scimType };
  }
}

/** A text with some of its characters deleted, doubled, exchanged or replaced. */
const mutated = (valid: fc.Arbitrary<string>): fc.Arbitrary<string> => {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    deleted: fc.nat(3),
    inserted: fc.oneof(
      fc.constantFrom('', '(', ')', '[', ']', '"', '\\', '.', ':', ' ', '$', '-', 'e9', '\0', '\ud800', '\n'),
      fc.constantFrom(' and ', ' or ', 'not', ' eq ', ' pr', '{', '\\u0000', '\\ud800', '[[', '((('),
      fc.string({ unit: 'binary', maxLength: 3 }),
    ),
  });
  return fc.tuple(valid, fc.array(edit, { minLength: 1, maxLength: 3 })).map(([text, edits]) =>
    edits.reduce((current, { at, deleted, inserted }) => {
      const start = Math.floor(at * current.length);
      return current.slice(0, start) + inserted + current.slice(start + deleted);
    }, text),
  );
};

/** A filter as JSON with its names in lower case. */
const withoutCase = (read: unknown): string =>
  JSON.stringify(read, (key, value: unknown) =>
    (key === 'name' || key === 'sub') && typeof value === 'string' ? value.toLowerCase() : value,
  );

const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string());

describe('filters as text (RFC 7644 section 3.4.2.2, figure 1)', () => {
  it('parse to the filter that was printed', () => {
    assert(filter, (written) => expect(parseFilter(printFilter(written))).toEqual(written));
  });

  it('parse to the same filter in any case of operators and with any white space between tokens', () => {
    const spaced = /("(?:[^"\\]|\\.)*")| (and|or|eq|ne|co|sw|ew|gt|ge|lt|le|pr)(?![\w.:])|(not) (?=\()/g;
    const space = fc.constantFrom(' ', '  ', '\t', '\r\n');
    assert(fc.tuple(filter, space, fc.boolean()), ([written, gap, isUpper]) => {
      const text = printFilter(written).replace(spaced, (_, quoted: string, operator: string, not: string) => {
        if (quoted !== undefined) return quoted;
        const word = operator === undefined ? not : `${gap}${operator}`;
        return isUpper ? word.toUpperCase() : word;
      });
      // An attribute may have the name of an operator, and then its case changed with it.
      expect(withoutCase(parseFilter(text))).toBe(withoutCase(written));
    });
  });

  it.each([
    ['any text', anyText],
    ['a filter with mistakes', mutated(filter.map(printFilter))],
    ["a filter on users' attributes with mistakes", mutated(filterText(userSchema, []))],
  ])('read %s as a filter that prints and parses again, or refuse it as invalidFilter', (_, texts) => {
    assert(texts, (text) => {
      const read = outcome(() => parseFilter(text));
      if ('value' in read) expect(parseFilter(printFilter(read.value))).toEqual(read.value);
      else expect(read.scimType).toBe('invalidFilter');
    });
  });

  it.each([
    ['a filter on any attributes', filter.map(printFilter)],
    ["a filter on users' attributes with mistakes", mutated(filterText(userSchema, []))],
  ])('bind %s to a resource type, or refuse it as invalidFilter', (_, texts) => {
    assert(texts, (text) => {
      const bound = outcome(() => bindFilter(parseFilter(text), userSchema, profiles.default));
      if (!('value' in bound)) expect(bound.scimType).toBe('invalidFilter');
    });
  });

  it("bind every filter that is made of users' attributes, operators and operands that go together", () => {
    assert(filterText(userSchema, []), (text) => void bindFilter(parseFilter(text), userSchema, profiles.default));
  });
});

describe('attribute paths as text (RFC 7644 section 3.10)', () => {
  it('parse to the path that was printed', () => {
    assert(attrPath, (written) => expect(parseAttrPath(printAttrPath(written))).toEqual(written));
  });

  it('read any text as a path that prints to the same text, or as none', () => {
    assert(fc.oneof(anyText, mutated(attrPath.map(printAttrPath))), (text) => {
      const read = parseAttrPath(text);
      if (read !== undefined) expect(printAttrPath(read)).toBe(text);
    });
  });
});

describe('PATCH paths as text (RFC 7644 section 3.5.2, figure 7)', () => {
  it('parse to the path that was printed', () => {
    assert(patchPath, (written) => expect(parsePatchPath(printPatchPath(written))).toEqual(written));
  });

  it.each([
    ['any text', anyText],
    ['a path with mistakes', mutated(patchPath.map(printPatchPath))],
  ])('read %s as a path that prints and parses again, or refuse it as invalidPath or invalidFilter', (_, texts) => {
    assert(texts, (text) => {
      const read = outcome(() => parsePatchPath(text));
      if ('value' in read) expect(parsePatchPath(printPatchPath(read.value))).toEqual(read.value);
      else expect(['invalidPath', 'invalidFilter']).toContain(read.scimType);
    });
  });
});
