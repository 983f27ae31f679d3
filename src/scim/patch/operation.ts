import { quote, ScimError } from '../errors.js';
import { limits } from '../limits.js';
import { checkMessageSchema, memberOf, operationsOf } from '../message-body.js';
import { messageUrn } from '../messages.js';
import type { Profile } from '../profile.js';
import { isJsonObject, type JsonValue } from '../resource.js';

/** An operation that sets something. Without a path, the value is an object of attributes. */
export interface SetOperation {
  readonly op: 'add' | 'replace';
  readonly path?: string;
  /** null is a value that unassigns. */
  readonly value: JsonValue;
}

/** An operation that takes something away. */
export interface RemoveOperation {
  readonly op: 'remove';
  readonly path: string;
  /** Which values to take away; absent when the operation has no `value`. */
  readonly value?: JsonValue;
}

/** One operation of a PATCH request (RFC 7644 section 3.5.2). */
export type PatchOperation = SetOperation | RemoveOperation;

/**
 * Reads the body of a PATCH request (RFC 7644 section 3.5.2). `op` is case-insensitive, as Microsoft Entra ID
 * capitalises it.
 * @throws ScimError invalidSyntax when the body is not a PatchOp message; invalidPath for a path that is no string;
 *   noTarget for a remove without one; invalidValue for an add or replace without a value; payloadTooLarge for more than
 *   1,000 operations
 */
export function readPatch(body: JsonValue | undefined, profile: Profile): PatchOperation[] {
  if (!isJsonObject(body)) throw new ScimError('invalidSyntax', 'The body must be a PatchOp message: a JSON object.');
  checkMessageSchema(body, messageUrn.patchOp, profile);
  const operations = operationsOf(body);
  if (operations.length > limits.patchOperations) {
    throw new ScimError(
      'payloadTooLarge',
      `A PATCH request may hold ${limits.patchOperations} operations; this one has ${operations.length}.`,
    );
  }
  return operations.map((operation, index) => readOperation(operation, `Operations[${index}]`, profile));
}

/** What an operation sets, as an object of paths and values; of a value path, its attribute. */
export function operationData({ path, value = null }: PatchOperation): JsonValue {
  if (path === undefined) return value;
  const [open, close] = [path.indexOf('['), path.lastIndexOf(']')];
  return { [open < 0 ? path : path.slice(0, open) + path.slice(close + 1)]: value };
}

function readOperation(operation: JsonValue, where: string, profile: Profile): PatchOperation {
  if (!isJsonObject(operation)) throw new ScimError('invalidSyntax', `${where} must be an object.`);
  const given = memberOf(operation, 'op');
  const op = typeof given === 'string' ? given.toLowerCase() : given;
  if (op !== 'add' && op !== 'remove' && op !== 'replace') {
    const found = given === undefined ? 'nothing' : quote(given);
    throw new ScimError('invalidSyntax', `${where}.op must be "add", "remove" or "replace", not ${found}.`);
  }
  const path = readPath(memberOf(operation, 'path'), where, profile);
  const value = memberOf(operation, 'value');
  if (op === 'remove') {
    if (path === undefined) throw new ScimError('noTarget', 'remove needs a path.');
    return { op, path, ...(value === undefined ? {} : { value }) };
  }
  if (value === undefined) throw new ScimError('invalidValue', `${op} needs a value.`);
  return { op, ...(path === undefined ? {} : { path }), value };
}

function readPath(path: JsonValue | undefined, where: string, profile: Profile): string | undefined {
  if (path === undefined || path === null) return undefined;
  if (typeof path !== 'string') throw new ScimError('invalidPath', `${where}.path must be a string.`);
  if (path !== '') return path;
  if (profile.dropUnknown) return undefined;
  throw new ScimError('invalidPath', `${where}.path must not be empty.`);
}
