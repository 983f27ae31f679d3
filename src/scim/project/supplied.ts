import { parseAttrPath } from '../filter/attr-path.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../resource.js';
import { isSchemaTarget, type ResourceSchema } from '../schema/registry.js';

/**
 * The attributes and sub-attributes that a client's data names (RFC 7643 section 7 "returned": those returned only on
 * request are also returned where the client specified them).
 * @param data a resource, or an object of paths and values as PATCH has them; what it names wrongly is passed over
 * @returns their paths, such as `emails.value`, in no canonical spelling
 */
export function suppliedPaths(data: JsonValue, schema: ResourceSchema, prefix = ''): string[] {
  if (!isJsonObject(data)) return [];
  return Object.entries(data).flatMap(([key, value]) => pathsIn(prefix + key, value ?? null, schema));
}

function pathsIn(text: string, value: JsonValue, schema: ResourceSchema): string[] {
  const path = parseAttrPath(text);
  const target = path && schema.resolve(path);
  if (!target) return [];
  if (isSchemaTarget(target)) return suppliedPaths(value, schema, `${text}:`);
  const objects: JsonObject[] = (Array.isArray(value) ? value : [value]).filter(isJsonObject);
  const subs = new Set(objects.flatMap((object) => Object.keys(object)));
  return target.subAttribute || subs.size === 0 ? [text] : [...subs].map((sub) => `${text}.${sub}`);
}
