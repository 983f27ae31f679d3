import { quote, ScimError } from './errors.js';
import { checkJsonBounds as checkBounds, type JsonBounds } from './json-bounds.js';
import { JsonFault } from './json-fault.js';
import { checkJson, decodeJson, isStorable, type JsonOptions } from './json-reader.js';
import { limits } from './limits.js';
import { isJsonObject, type JsonValue } from './resource.js';

/** Runs what a worker thread can run, too, with its faults as errors of the protocol. */
function refusing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof JsonFault ? new ScimError(error.row, error.message) : error;
  }
}

/**
 * Decodes a body (RFC 7644 section 3.8, RFC 8259 section 8.1). A byte order mark is left out.
 * @throws ScimError invalidSyntax when the bytes are not UTF-8
 */
export function decodeUtf8(bytes: Uint8Array): string {
  return refusing(() => decodeJson(bytes));
}

/**
 * Counts the keys and values of a body before it is decoded, in one pass over its bytes.
 * @throws ScimError payloadTooLarge naming the bound
 */
export function checkJsonBounds(bytes: Uint8Array, bounds: JsonBounds): void {
  refusing(() => checkBounds(bytes, bounds));
}

/**
 * Parses a JSON text (RFC 8259) that has one reading only. Takes time in proportion to the text, whatever it holds.
 * @param options.maxDepth most objects and arrays around a value; limits.jsonDepth by default
 * @param options.maxArray most elements of any one array; limits.arrayElements by default
 * @param options.list an array of the outermost object that may be longer, by its key
 * @param options.anyText lets strings hold U+0000 and lone surrogates, for `checkText` to judge part by part
 * @returns the value; a key such as `__proto__` is an ordinary property of its object
 * @throws ScimError invalidSyntax when the text is not JSON, is nested too deep, has a key that is not Unicode text, or
 *   has an object with two keys that are equal but for case (attribute names ignore case: RFC 7643 section 2.1)
 * @throws ScimError invalidValue when a string holds U+0000 or a lone surrogate, or when a number cannot be kept: not
 *   finite, or an integer beyond ±(2^53-1) (RFC 8259 section 6)
 * @throws ScimError payloadTooLarge when an array has too many elements
 */
export function parseJson(text: string, options: Partial<JsonOptions> = {}): JsonValue {
  const { maxDepth = limits.jsonDepth, maxArray = limits.arrayElements, anyText = false, list } = options;
  refusing(() => checkJson(text, { maxDepth, maxArray, anyText, ...(list && { list }) }));
  return JSON.parse(text) as JsonValue;
}

/**
 * Checks the text in a value that was parsed with `anyText`.
 * @throws ScimError invalidValue when a string holds U+0000 or a lone surrogate, invalidSyntax when a key does
 */
export function checkText(value: JsonValue | undefined): void {
  if (typeof value === 'string' && !isStorable(value)) {
    throw new ScimError('invalidValue', 'A string holds U+0000 or a lone surrogate.');
  }
  if (Array.isArray(value)) value.forEach(checkText);
  if (!isJsonObject(value)) return;
  for (const [key, item] of Object.entries(value)) {
    if (!isStorable(key)) {
      throw new ScimError('invalidSyntax', `The key ${quote(key)} holds U+0000 or a lone surrogate.`);
    }
    checkText(item);
  }
}
