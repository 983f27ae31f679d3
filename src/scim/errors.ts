export { quote } from './quote.js';

/**
 * The error table (RFC 7644 section 3.12, table 8 and 9; RFC 9865 section 2.1; RFC 6585).
 * Each row: HTTP status, scimType where the RFCs define one, and the detail used when the thrower has nothing better to say.
 */
const errorTable = {
  invalidFilter: [400, 'invalidFilter', 'The filter is not valid.'],
  tooMany: [400, 'tooMany', 'The search is more than the server is willing to do; narrow the filter.'],
  mutability: [400, 'mutability', 'The attribute cannot be modified.'],
  invalidSyntax: [400, 'invalidSyntax', 'The request body is not a valid SCIM message.'],
  invalidPath: [400, 'invalidPath', 'The path of the PATCH operation is not valid.'],
  noTarget: [400, 'noTarget', 'The path of the PATCH operation selects nothing.'],
  invalidValue: [400, 'invalidValue', 'A value is missing or not compatible with its attribute.'],
  invalidVers: [400, 'invalidVers', 'This protocol version is not supported; use v2.'],
  invalidCursor: [400, 'invalidCursor', 'The cursor is not valid for this query.'],
  expiredCursor: [400, 'expiredCursor', 'The cursor has expired; start the query again.'],
  invalidCount: [400, 'invalidCount', 'The count differs from the one the cursor was made with.'],
  unauthorized: [401, undefined, 'A valid bearer token is required: send "Authorization: Bearer <token>".'],
  forbidden: [403, undefined, 'This operation is not permitted.'],
  sensitive: [403, 'sensitive', 'A personal value may not be part of a URL; use POST with /.search.'],
  notFound: [404, undefined, 'There is nothing at this address.'],
  methodNotAllowed: [405, undefined, 'This method is not allowed here.'],
  notAcceptable: [406, undefined, 'Only application/scim+json and application/json can be produced.'],
  requestTimeout: [408, undefined, 'The request was not received in time.'],
  conflict: [409, undefined, 'The resource was changed by another request; read it and try again.'],
  uniqueness: [409, 'uniqueness', 'Another resource already has this value.'],
  preconditionFailed: [412, undefined, 'The resource has changed: its version does not match If-Match.'],
  payloadTooLarge: [413, undefined, 'The request is too large.'],
  unsupportedMediaType: [415, undefined, 'The body must be application/scim+json or application/json in UTF-8.'],
  preconditionRequired: [428, undefined, 'Send the version that is to be changed in If-Match.'],
  tooManyRequests: [429, undefined, 'Too many requests; try again later.'],
  headersTooLarge: [431, undefined, 'The request headers are too large.'],
  internal: [500, undefined, 'The server met an unexpected condition.'],
  notImplemented: [501, undefined, 'This feature is not supported.'],
  unavailable: [503, undefined, 'The server cannot process the request now; try again later.'],
} as const satisfies Record<string, readonly [status: number, scimType: string | undefined, detail: string]>;

/** The name of a row of the error table. */
export type ScimErrorName = keyof typeof errorTable;

/** Every row's name, in table order. */
export const scimErrorNames = Object.keys(errorTable) as ScimErrorName[];

const detailLimit = 1024;

/** A failed request, as a row of the error table. The HTTP layer renders it once as an Error message. */
export class ScimError extends Error {
  readonly status: number;
  readonly scimType: string | undefined;
  /** What was wrong, where, and what would be right. Holds no secret and no internals. */
  readonly detail: string;

  /**
   * @param row the row's name
   * @param detail replaces the row's own detail; cut at 1,024 characters
   * @param headers response headers that belong to this error, such as Allow or Retry-After
   */
  constructor(
    readonly row: ScimErrorName,
    detail?: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    const [status, scimType, standard] = errorTable[row];
    super(detail ?? standard);
    this.name = 'ScimError';
    this.status = status;
    this.scimType = scimType;
    this.detail = (detail ?? standard).slice(0, detailLimit);
  }
}

/**
 * Finds the row for a bare HTTP status, for errors raised by the HTTP layer itself.
 * @returns the first row with this status, or `internal` (5xx) or `invalidSyntax` (4xx) when the table has none
 */
export function rowForStatus(status: number): ScimErrorName {
  if (status === 400) return 'invalidSyntax';
  return scimErrorNames.find((name) => errorTable[name][0] === status) ?? (status < 500 ? 'invalidSyntax' : 'internal');
}
