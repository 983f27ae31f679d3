/** Any JSON value. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

/** A JSON object. A key such as `__proto__` is an ordinary property of it. */
export interface JsonObject {
  [name: string]: JsonValue | undefined;
}

/** The `meta` complex attribute (RFC 7643 section 3.1). */
export type Meta = {
  resourceType: string;
  created?: string;
  lastModified?: string;
  location?: string;
  version?: string;
};

/** A SCIM resource: base attributes at the top level, each extension in an object keyed by its URN (RFC 7643 section 3). */
export interface ScimResource extends JsonObject {
  schemas: string[];
}

/** Whether a value is a JSON object: neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value counts as unassigned: absent, null or an empty array (RFC 7643 section 2.5). */
export function isUnassigned(value: JsonValue | undefined): value is null | undefined | [] {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

/**
 * Whether two JSON values are the same state. Order matters in arrays and not in objects; an absent key equals an
 * undefined one.
 */
export function sameJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => sameJson(a[key], b[key]));
}

/** A deep copy of a JSON value. */
export function copyJson<T extends JsonValue | undefined>(value: T): T {
  if (Array.isArray(value)) return value.map((item) => copyJson(item)) as T;
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyJson(item)])) as T;
}

/** A text that two JSON values share when `sameJson` holds for them, and only then. */
export function jsonKey(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(jsonKey).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  let key = '';
  for (const name of Object.keys(value).sort()) {
    const item = value[name];
    if (item !== undefined) key += `${key === '' ? '' : ','}${JSON.stringify(name)}:${jsonKey(item)}`;
  }
  return `{${key}}`;
}

/** A string attribute that validation has made sure of; "" when there is none. */
export function textOf(resource: JsonObject, name: string): string {
  const value = resource[name];
  return typeof value === 'string' ? value : '';
}
