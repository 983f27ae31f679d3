import { describe, expect, it } from '@jest/globals';
import { quote, rowForStatus, ScimError, scimErrorNames, type ScimErrorName } from './errors.js';

/** Every error: its row, HTTP status and scimType (RFC 7644 section 3.12, tables 8 and 9). */
const table: readonly (readonly [row: ScimErrorName, status: number, scimType: string | undefined])[] = [
  ['invalidFilter', 400, 'invalidFilter'],
  ['tooMany', 400, 'tooMany'],
  ['mutability', 400, 'mutability'],
  ['invalidSyntax', 400, 'invalidSyntax'],
  ['invalidPath', 400, 'invalidPath'],
  ['noTarget', 400, 'noTarget'],
  ['invalidValue', 400, 'invalidValue'],
  ['invalidVers', 400, 'invalidVers'],
  ['invalidCursor', 400, 'invalidCursor'],
  ['expiredCursor', 400, 'expiredCursor'],
  ['invalidCount', 400, 'invalidCount'],
  ['unauthorized', 401, undefined],
  ['forbidden', 403, undefined],
  ['sensitive', 403, 'sensitive'],
  ['notFound', 404, undefined],
  ['methodNotAllowed', 405, undefined],
  ['notAcceptable', 406, undefined],
  ['requestTimeout', 408, undefined],
  ['conflict', 409, undefined],
  ['uniqueness', 409, 'uniqueness'],
  ['preconditionFailed', 412, undefined],
  ['payloadTooLarge', 413, undefined],
  ['unsupportedMediaType', 415, undefined],
  ['preconditionRequired', 428, undefined],
  ['tooManyRequests', 429, undefined],
  ['headersTooLarge', 431, undefined],
  ['internal', 500, undefined],
  ['notImplemented', 501, undefined],
  ['unavailable', 503, undefined],
];

describe('ScimError', () => {
  it.each(table)('%s has the status %d and the scimType %s', (row, status, scimType) => {
    const error = new ScimError(row);
    expect({ ...error }).toEqual({ name: 'ScimError', row, status, scimType, detail: error.message, headers: {} });
    expect(error.detail).toMatch(/^[A-Z].+\.$/);
  });

  it('has no other rows', () => {
    expect(scimErrorNames).toEqual(table.map(([row]) => row));
  });

  it('takes the detail and headers it is given', () => {
    const error = new ScimError('methodNotAllowed', 'Use GET.', { Allow: 'GET' });
    expect({ ...error }).toEqual({
      name: 'ScimError',
      row: 'methodNotAllowed',
      status: 405,
      scimType: undefined,
      detail: 'Use GET.',
      headers: { Allow: 'GET' },
    });
    expect(error.message).toBe('Use GET.');
  });

  it('cuts its detail at 1,024 characters', () => {
    expect(new ScimError('invalidValue', 'x'.repeat(1024)).detail).toBe('x'.repeat(1024));
    expect(new ScimError('invalidValue', 'x'.repeat(1025)).detail).toBe('x'.repeat(1024));
  });
});

describe('rowForStatus', () => {
  it.each([
    [400, 'invalidSyntax'],
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'notFound'],
    [405, 'methodNotAllowed'],
    [409, 'conflict'],
    [413, 'payloadTooLarge'],
    [429, 'tooManyRequests'],
    [431, 'headersTooLarge'],
    [500, 'internal'],
    [503, 'unavailable'],
    [418, 'invalidSyntax'],
    [499, 'invalidSyntax'],
    [502, 'internal'],
    [599, 'internal'],
  ])('answers %d with %s', (status, row) => {
    expect(rowForStatus(status)).toBe(row);
  });
});

describe('quote', () => {
  it.each([
    ['plain', '"plain"'],
    ['', '""'],
    ['a "b" \\', '"a \\"b\\" \\\\"'],
    ['a\nb\u0000\u001b', '"a\\nb\\u0000\\u001b"'],
    ['\ud800', '"\\ud800"'],
    [5, '"5"'],
    [null, '"null"'],
    [undefined, '"undefined"'],
    [true, '"true"'],
    [{ a: ['b'] }, '"{\\"a\\":[\\"b\\"]}"'],
  ])('writes %j as %s', (input, quoted) => {
    expect(quote(input)).toBe(quoted);
  });

  it('cuts at 80 characters', () => {
    expect(quote('x'.repeat(80))).toBe(`"${'x'.repeat(80)}"`);
    expect(quote('x'.repeat(81))).toBe(`"${'x'.repeat(80)}…"`);
  });
});
