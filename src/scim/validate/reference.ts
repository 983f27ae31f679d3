import { quote, ScimError } from '../errors.js';
import type { JsonObject } from '../resource.js';
import { subAttribute, type Attribute } from '../schema/schema.js';

/**
 * Settles the `value` of a complex attribute that refers to a resource, such as `manager` or a member (RFC 7643 section
 * 2.4): a `$ref` alone gives the id it ends in, and `$ref` itself is dropped because the server computes it.
 * @throws ScimError invalidValue when `value` and `$ref` name different resources
 */
export function readReference(attribute: Attribute, element: JsonObject, where: string): JsonObject {
  if (!subAttribute(attribute, '$ref')) return element;
  const { $ref: reference, ...rest } = element;
  if (typeof reference !== 'string' || reference === '') return rest;
  const id = /\/([^/?#]+)\/?$/.exec(reference)?.[1] ?? reference;
  if (rest['value'] !== undefined && rest['value'] !== id) {
    throw new ScimError('invalidValue', `${where}: "value" and "$ref" name different resources (${quote(reference)}).`);
  }
  return { ...rest, value: id };
}
