import { describe, expect, it } from '@jest/globals';
import { errorOf } from '../../../test/support/patching.js';
import { limits } from '../limits.js';
import { compareOps, type CompareOp, type CompValue, type Filter } from './ast.js';
import { parseFilter, parseValFilter } from './parser.js';

const pr = (name: string, sub?: string): Filter => ({
  kind: 'present',
  path: { name, ...(sub === undefined ? {} : { sub }) },
});
const compare = (name: string, op: CompareOp, value: CompValue): Filter => ({
  kind: 'compare',
  path: { name },
  op,
  value,
});
const eq = (name: string, value: CompValue): Filter => compare(name, 'eq', value);
const and = (...terms: Filter[]): Filter => ({ kind: 'and', terms });
const or = (...terms: Filter[]): Filter => ({ kind: 'or', terms });
const not = (term: Filter): Filter => ({ kind: 'not', term });
const valuePath = (name: string, filter: Filter): Filter => ({ kind: 'valuePath', path: { name }, filter });

const [a, b, c, d] = [pr('a'), pr('b'), pr('c'), pr('d')];

const refusal = (text: string): unknown => errorOf(() => parseFilter(text));
const refused = (detail: string): unknown => ({ row: 'invalidFilter', detail });

describe('attribute expressions (RFC 7644 section 3.4.2.2, figure 1)', () => {
  it.each(
    compareOps.flatMap((op) =>
      [op, op.toUpperCase(), op[0] + op.slice(1).toUpperCase()].map((text) => [text, op] as const),
    ),
  )('compare by %s', (text, op) => {
    expect(parseFilter(`userName ${text} "bjensen"`)).toEqual(compare('userName', op, 'bjensen'));
  });

  it.each(['pr', 'PR', 'Pr'])('ask for presence by %s', (text) => {
    expect(parseFilter(`title ${text}`)).toEqual(pr('title'));
  });

  it.each<[text: string, value: CompValue]>([
    ['true', true],
    ['false', false],
    ['null', null],
    ['0', 0],
    ['-1.5e3', -1500],
    ['"5"', '5'],
    ['"true"', 'true'],
    ['"\\" or 1=1 --"', '" or 1=1 --'],
    [`"'; drop table users;--"`, "'; drop table users;--"],
    ['"\\\\\\"; select pg_sleep(10)"', '\\"; select pg_sleep(10)'],
    ['"%_*"', '%_*'],
    ['""', ''],
  ])('compare with %s', (text, value) => {
    expect(parseFilter(`a eq ${text}`)).toEqual(eq('a', value));
  });

  it('keep names as they are written, with sub-attributes and schema URIs', () => {
    expect(parseFilter('NAME.FamilyName pr')).toEqual(pr('NAME', 'FamilyName'));
    expect(parseFilter('urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"')).toEqual({
      kind: 'compare',
      path: { uri: 'urn:ietf:params:scim:schemas:core:2.0:User', name: 'userName' },
      op: 'sw',
      value: 'J',
    });
    expect(parseFilter('urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr')).toEqual({
      kind: 'present',
      path: { uri: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0', name: 'User' },
    });
  });

  it('may name attributes that are called like an operator', () => {
    expect(parseFilter('eq eq "eq" and pr pr or and pr')).toEqual(or(and(eq('eq', 'eq'), pr('pr')), pr('and')));
  });

  it('may stand between any white space', () => {
    expect(parseFilter(' \ta\r\npr ')).toEqual(a);
  });
});

describe('logical operators and grouping (RFC 7644 section 3.4.2.2, table 4 and 5)', () => {
  it.each<[text: string, filter: Filter]>([
    ['a pr and b pr', and(a, b)],
    ['a pr AND b pr Or c pr', or(and(a, b), c)],
    ['a pr or b pr and c pr', or(a, and(b, c))],
    ['(a pr or b pr) and c pr', and(or(a, b), c)],
    ['a pr or b pr or c pr', or(a, b, c)],
    ['a pr and b pr and c pr', and(a, b, c)],
    ['a pr and (b pr and c pr)', and(a, and(b, c))],
    ['a pr and b pr or c pr and d pr', or(and(a, b), and(c, d))],
    ['not (a pr) and b pr', and(not(a), b)],
    ['not(a pr)', not(a)],
    ['NOT (a pr or b pr)', not(or(a, b))],
    ['not (not (a pr))', not(not(a))],
    ['a pr and not (b pr)', and(a, not(b))],
    ['((a pr))', a],
    ['(a pr)and(b pr)', and(a, b)],
  ])('group %s: grouping first, then not, then and, then or', (text, filter) => {
    expect(parseFilter(text)).toEqual(filter);
  });
});

describe('value paths (RFC 7644 section 3.4.2.2)', () => {
  it.each<[text: string, filter: Filter]>([
    ['a[b pr]', valuePath('a', b)],
    ['a [ b pr ]', valuePath('a', b)],
    ['a[b pr and c pr]', valuePath('a', and(b, c))],
    ['a[b pr or (c pr and not (d pr))]', valuePath('a', or(b, and(c, not(d))))],
    ['a[b pr] or c[d pr]', or(valuePath('a', b), valuePath('c', d))],
    ['not (a[b pr])', not(valuePath('a', b))],
  ])('hold a filter on one element: %s', (text, filter) => {
    expect(parseFilter(text)).toEqual(filter);
  });

  it.each<[text: string, filter: Filter]>([
    ['a[b pr].value eq "x"', valuePath('a', and(b, eq('value', 'x')))],
    ['a[b pr and c pr].value eq "x"', valuePath('a', and(b, c, eq('value', 'x')))],
    ['a[b pr or c pr].d pr', valuePath('a', and(or(b, c), d))],
    ['a[not (b pr)].$ref pr and c pr', and(valuePath('a', and(not(b), pr('$ref'))), c)],
  ])(
    'ask the same element for what stands behind the brackets, as Microsoft Entra ID writes it: %s',
    (text, filter) => {
      expect(parseFilter(text)).toEqual(filter);
    },
  );

  it.each([
    ['a[b eq 1 and c[d eq 2]]', 'The filter has "[" at character 15; a value path cannot hold another one.'],
    ['a[not (c[d pr])]', 'The filter has "[" at character 9; a value path cannot hold another one.'],
    ['a[]', 'The filter has "]" at character 3; expected an attribute, "not" or "(".'],
    ['a[b pr', 'The filter has the end at character 7; expected "]" for the "[" before.'],
    ['a[b pr)', 'The filter has ")" at character 7; expected "]" for the "[" before.'],
    ['a[(b pr]', 'The filter has "]" at character 8; expected ")" for the "(" before.'],
    ['a[b]', `The filter has "]" at character 4; expected "pr" or one of ${compareOps.join(', ')}.`],
    ['a[b pr].value', `The filter has the end at character 14; expected "pr" or one of ${compareOps.join(', ')}.`],
    ['a[b pr].v[d pr]', `The filter has "[" at character 10; expected "pr" or one of ${compareOps.join(', ')}.`],
    ['a[b pr] c pr', 'The filter has "c" at character 9; expected "and", "or" or the end of the filter.'],
    ['a[b pr]]', 'The filter has "]" at character 8; expected "and", "or" or the end of the filter.'],
    [
      'a[b pr].value.x pr',
      'The filter has ".x pr" at character 14; expected an attribute, an operator, a bracket or a double-quoted value.',
    ],
  ])('are refused as %s', (text, detail) => {
    expect(refusal(text)).toEqual(refused(detail));
  });
});

describe('what is no filter', () => {
  const operators = `expected "pr" or one of ${compareOps.join(', ')}.`;
  const value = 'expected a value: a double-quoted string, a number, true, false or null.';

  it.each([
    ['', 'The filter has the end at character 1; expected an attribute, "not" or "(".'],
    ['  ', 'The filter has the end at character 3; expected an attribute, "not" or "(".'],
    ['userName', `The filter has the end at character 9; ${operators}`],
    ['userName eq', `The filter has the end at character 12; ${value}`],
    ['eq "x"', `The filter has the value "x" at character 4; ${operators}`],
    ['"x" eq userName', 'The filter has the value "x" at character 1; expected an attribute, "not" or "(".'],
    ['userName eq bob', `The filter has "bob" at character 13; ${value}`],
    ['meta.resourceType eq User', `The filter has "User" at character 22; ${value}`],
    ['active eq True', `The filter has "True" at character 11; ${value}`],
    ['userName eq (', `The filter has "(" at character 13; ${value}`],
    ['userName regex "x"', `The filter has "regex" at character 10; ${operators}`],
    ['userName 5', `The filter has "5" at character 10; ${operators}`],
    ['userName pr "x"', 'The filter has the value "x" at character 13; expected "and", "or" or the end of the filter.'],
    [
      'userName eq "x" title pr',
      'The filter has "title" at character 17; expected "and", "or" or the end of the filter.',
    ],
    ['a pr and', 'The filter has the end at character 9; expected an attribute, "not" or "(".'],
    ['a pr or or b pr', `The filter has "b" at character 12; ${operators}`],
    ['(a pr', 'The filter has the end at character 6; expected ")" for the "(" before.'],
    ['a pr)', 'The filter has ")" at character 5; expected "and", "or" or the end of the filter.'],
    ['()', 'The filter has ")" at character 2; expected an attribute, "not" or "(".'],
    ['not userName pr', 'The filter has "userName" at character 5; "not" must be followed by "(".'],
    ['not a eq 1', 'The filter has "a" at character 5; "not" must be followed by "(".'],
    ['not', 'The filter has the end at character 4; "not" must be followed by "(".'],
    ['userName;drop pr', 'The filter has "userName;drop" at character 1; "userName;drop" is not an attribute path.'],
    ["name'-- pr", `The filter has "name'--" at character 1; "name'--" is not an attribute path.`],
    ['pg_sleep(5) pr', `The filter has "(" at character 9; ${operators}`],
    ['name.given.x pr', 'The filter has "name.given.x" at character 1; "name.given.x" is not an attribute path.'],
    ['a eq 1e999', 'The filter has "1e999" at character 6; the number is out of range.'],
    ['a eq -1e999', 'The filter has "-1e999" at character 6; the number is out of range.'],
  ])('is %j', (text, detail) => {
    expect(refusal(text)).toEqual(refused(detail));
  });
});

describe('the limits of a filter', () => {
  const expressions = (count: number, operator: string): string => Array(count).fill('a pr').join(operator);
  const grouped = (depth: number, open: string, close = ')'): string =>
    open.repeat(depth) + 'a pr' + close.repeat(depth);

  it.each([' and ', ' or '])('allow 200 expressions joined by %j, and no more', (operator) => {
    const terms = Array<Filter>(limits.filterTerms).fill(a);
    expect(parseFilter(expressions(200, operator))).toEqual(operator === ' and ' ? and(...terms) : or(...terms));
    expect(refusal(expressions(201, operator))).toEqual(refused('The filter has more than 200 expressions.'));
  });

  it('count the path of a value path as an expression', () => {
    const text = (inner: number): string => `a[${expressions(inner, ' or ')}]`;
    expect(parseFilter(text(199))).toEqual(valuePath('a', or(...Array<Filter>(199).fill(a))));
    expect(refusal(text(200))).toEqual(refused('The filter has more than 200 expressions.'));
  });

  it('allow groups, nots and value paths to be nested 50 deep, and no deeper', () => {
    expect(parseFilter(grouped(50, '('))).toEqual(a);
    expect(parseFilter(grouped(50, 'not ('))).toEqual(
      Array(50)
        .fill(0)
        .reduce<Filter>((inner) => not(inner), a),
    );
    expect(parseFilter(`${'('.repeat(49)}a[a pr]${')'.repeat(49)}`)).toEqual(valuePath('a', a));
    const detail = 'The filter is nested deeper than 50 levels.';
    expect(refusal(grouped(51, '('))).toEqual(refused(detail));
    expect(refusal(grouped(51, 'not('))).toEqual(refused(detail));
    expect(refusal(`${'('.repeat(50)}a[a pr]${')'.repeat(50)}`)).toEqual(refused(detail));
  });

  it('count how deep a filter is nested, not how many groups it has', () => {
    expect(parseFilter(expressions(60, ' or ').replaceAll('a pr', '(a pr)'))).toEqual(or(...Array<Filter>(60).fill(a)));
  });

  it('allow 8,192 characters, and no more', () => {
    const filter = (length: number): string => `a eq "${'x'.repeat(length - 7)}"`;
    expect(parseFilter(filter(8192))).toEqual(eq('a', 'x'.repeat(8185)));
    expect(refusal(filter(8193))).toEqual(refused('The filter is longer than 8192 characters.'));
  });

  it.each([
    ['10,000 opening brackets', grouped(10_000, '(', '')],
    ['8,000 opening brackets', grouped(8_000, '(', '')],
    ['10,000 nots', grouped(10_000, 'not (')],
    ['1,300 nots', grouped(1_300, 'not(', '')],
    ['10,000 terms', expressions(10_000, ' or ')],
    ['900 terms', expressions(900, ' or ')],
    ['a million characters', ' '.repeat(1_000_000)],
    ['8,000 backslashes in a string without end', `a eq "${'\\'.repeat(8_000)}`],
    ['8,000 digits', `a eq ${'9'.repeat(8_000)}`],
  ])('refuse %s', (_, text) => {
    expect(refusal(text)).toMatchObject({ row: 'invalidFilter' });
  });
});

describe('the filter between the brackets of a PATCH path (RFC 7644 section 3.5.2)', () => {
  it('is read up to the token behind it', () => {
    expect(parseValFilter('a[b pr and c pr ].d', 2)).toEqual({ filter: and(b, c), end: 16 });
    expect(parseValFilter('a[b pr', 2)).toEqual({ filter: b, end: 6 });
  });

  it('holds no value path', () => {
    expect(errorOf(() => parseValFilter('a[b[c pr]]', 2))).toEqual(
      refused('The filter has "[" at character 4; a value path cannot hold another one.'),
    );
  });
});

describe('words in quotation marks (RFC 7644 section 3.4.2.2)', () => {
  const operator = `expected "pr" or one of ${compareOps.join(', ')}`;
  const end = 'expected "and", "or" or the end of the filter';

  it.each([
    ['a "pr"', `The filter has the value "pr" at character 3; ${operator}.`],
    ['a "eq" "b"', `The filter has the value "eq" at character 3; ${operator}.`],
    ['a pr "and" b pr', `The filter has the value "and" at character 6; ${end}.`],
    ['a[b pr]".value" eq "x"', `The filter has the value ".value" at character 8; ${end}.`],
  ])('are values and nothing else: %s', (text, detail) => {
    expect(refusal(text)).toEqual(refused(detail));
  });
});
