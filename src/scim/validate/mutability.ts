import { ScimError } from '../errors.js';
import { isJsonObject, isUnassigned, sameJson, type JsonObject, type ScimResource } from '../resource.js';
import type { ResourceSchema } from '../schema/registry.js';
import type { Attribute } from '../schema/schema.js';

/**
 * Checks that a PUT leaves immutable attributes as they are: one that has a value may only be sent with the same value
 * (RFC 7644 section 3.5.1).
 * @throws ScimError mutability naming the attribute
 */
export function checkImmutable(current: ScimResource, next: ScimResource, schema: ResourceSchema): void {
  compareAll(schema.attributes, current, next);
  for (const extension of schema.extensions) {
    const before = current[extension.id];
    const after = next[extension.id];
    compareAll(extension.attributes, isJsonObject(before) ? before : {}, isJsonObject(after) ? after : {});
  }
}

function compareAll(attributes: readonly Attribute[], current: JsonObject, next: JsonObject): void {
  for (const { name, mutability } of attributes) {
    if (mutability === 'immutable' && !isUnassigned(current[name]) && !sameJson(current[name], next[name])) {
      throw new ScimError('mutability', `${name} is immutable; it already has a value and cannot be changed.`);
    }
  }
}
