import { ScimError } from '../errors.js';
import { isJsonObject, isUnassigned, sameJson, type JsonObject, type ScimResource } from '../resource.js';
import type { ResourceSchema } from '../schema/registry.js';
import type { Attribute } from '../schema/schema.js';

/**
 * Checks that a PUT or PATCH leaves immutable attributes as they are: one that has a value keeps it (RFC 7644 sections
 * 3.5.1 and 3.5.2). Elements of a multi-valued attribute come and go; PATCH paths guard what is inside them.
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

function compareAll(attributes: readonly Attribute[], current: JsonObject, next: JsonObject, prefix = ''): void {
  for (const { name, mutability, subAttributes } of attributes) {
    const before = current[name];
    const after = next[name];
    if (mutability === 'immutable' && !isUnassigned(before) && !sameJson(before, after)) {
      throw new ScimError('mutability', `${prefix}${name} is immutable; it already has a value and cannot be changed.`);
    }
    if (subAttributes && isJsonObject(before)) {
      compareAll(subAttributes, before, isJsonObject(after) ? after : {}, `${prefix}${name}.`);
    }
  }
}
