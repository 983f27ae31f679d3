import { quote, ScimError } from '../errors.js';
import { checkText } from '../json.js';
import { limits } from '../limits.js';
import { checkMessageSchema, memberOf, operationsOf } from '../message-body.js';
import { messageUrn } from '../messages.js';
import type { Profile } from '../profile.js';
import { isJsonObject, isUnassigned, type JsonObject, type JsonValue } from '../resource.js';

/** The methods of bulk operations (RFC 7644 section 3.7). */
export type BulkMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One operation of a bulk request, as far as it could be read. */
export interface BulkOperation {
  /** In capitals when it is one of `BulkMethod`, else as the client sent it; "" when it is no string. */
  readonly method: string;
  /** "" when it is no string. */
  readonly path: string;
  readonly bulkId?: string;
  /** Acts as If-Match. */
  readonly version?: string;
  readonly data?: JsonValue;
  /** What is wrong with the operation itself; it is then answered with this and not carried out. */
  readonly error?: ScimError;
}

/** A bulk request (RFC 7644 section 3.7). */
export interface BulkRequest {
  readonly operations: readonly BulkOperation[];
  /** How many errors end the request; absent: none does. */
  readonly failOnErrors?: number;
}

const methods: readonly string[] = ['POST', 'PUT', 'PATCH', 'DELETE'] satisfies BulkMethod[];

const stringOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');

/**
 * Reads the body of POST /Bulk (RFC 7644 section 3.7). What is wrong with one operation is its own error, also text that
 * cannot be stored.
 * @param maxOperations how many operations it may hold
 * @throws ScimError invalidSyntax when the body is not a BulkRequest message or two operations share a bulkId;
 *   invalidValue for a failOnErrors that is not a positive whole number; payloadTooLarge for too many operations; as
 *   `checkText` for what is beside the operations
 */
export function readBulkRequest(
  body: JsonValue | undefined,
  profile: Profile,
  maxOperations: number = limits.bulkOperations,
): BulkRequest {
  if (!isJsonObject(body)) throw new ScimError('invalidSyntax', 'The body must be a BulkRequest message.');
  checkText(Object.fromEntries(Object.entries(body).filter(([name]) => name.toLowerCase() !== 'operations')));
  checkMessageSchema(body, messageUrn.bulkRequest, profile);
  const operations = operationsOf(body);
  if (operations.length > maxOperations) {
    throw new ScimError(
      'payloadTooLarge',
      `A bulk request may hold maxOperations = ${maxOperations} operations; this one has ${operations.length}.`,
    );
  }
  const failOnErrors = memberOf(body, 'failOnErrors');
  if (!isUnassigned(failOnErrors) && !(Number.isSafeInteger(failOnErrors) && Number(failOnErrors) > 0)) {
    throw new ScimError('invalidValue', `failOnErrors must be a whole number above 0, not ${quote(failOnErrors)}.`);
  }
  const read = operations.map(readOperation);
  checkBulkIds(read);
  return { operations: read, ...(typeof failOnErrors === 'number' ? { failOnErrors } : {}) };
}

function readOperation(operation: JsonValue, index: number): BulkOperation {
  const where = `Operations[${index}]`;
  if (!isJsonObject(operation)) {
    return { method: '', path: '', error: new ScimError('invalidSyntax', `${where} must be an object.`) };
  }
  const given = stringOf(memberOf(operation, 'method'));
  const method = given.toUpperCase();
  const bulkId = memberOf(operation, 'bulkId');
  const version = memberOf(operation, 'version');
  const data = memberOf(operation, 'data');
  const error = operationError(operation, method, where) ?? textError(operation);
  return {
    method: methods.includes(method) ? method : given,
    path: stringOf(memberOf(operation, 'path')),
    ...(typeof bulkId === 'string' ? { bulkId } : {}),
    ...(typeof version === 'string' ? { version } : {}),
    ...(data === undefined ? {} : { data }),
    ...(error ? { error } : {}),
  };
}

function operationError(operation: JsonObject, method: string, where: string): ScimError | undefined {
  const invalid = (detail: string): ScimError => new ScimError('invalidSyntax', `${where}${detail}`);
  const bulkId = memberOf(operation, 'bulkId');
  if (!methods.includes(method))
    return invalid(`.method must be POST, PUT, PATCH or DELETE, not ${quote(memberOf(operation, 'method') ?? null)}.`);
  if (typeof memberOf(operation, 'path') !== 'string') return invalid('.path must be a string.');
  if (!isUnassigned(bulkId) && typeof bulkId !== 'string') return invalid('.bulkId must be a string.');
  if (method === 'POST' && (isUnassigned(bulkId) || bulkId === '')) return invalid(' has no bulkId; POST needs one.');
  const version = memberOf(operation, 'version');
  if (!isUnassigned(version) && typeof version !== 'string') return invalid('.version must be a string.');
  if (method !== 'DELETE' && isUnassigned(memberOf(operation, 'data')))
    return invalid(` has no data; ${method} needs it.`);
  return undefined;
}

function textError(operation: JsonObject): ScimError | undefined {
  try {
    checkText(operation);
    return undefined;
  } catch (error) {
    return error as ScimError;
  }
}

function checkBulkIds(operations: readonly BulkOperation[]): void {
  const seen = new Set<string>();
  for (const { bulkId } of operations) {
    if (bulkId === undefined) continue;
    if (seen.has(bulkId)) throw new ScimError('invalidSyntax', `Two operations have the bulkId ${quote(bulkId)}.`);
    seen.add(bulkId);
  }
}
