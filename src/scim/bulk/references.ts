import { isJsonObject, type JsonObject, type JsonValue } from '../resource.js';

const prefix = 'bulkId:';

/** The bulkId that a text refers to, such as `qwerty` of `bulkId:qwerty` (RFC 7644 section 3.7.2). */
export function referenceOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value.startsWith(prefix) ? value.slice(prefix.length) : undefined;
}

/** Every bulkId that a value refers to, at any depth. The depth is bounded by the reader of the body. */
export function referencesIn(value: JsonValue | undefined): Set<string> {
  const found = new Set<string>();
  collect(value, found);
  return found;
}

function collect(value: JsonValue | undefined, found: Set<string>): void {
  const reference = referenceOf(value);
  if (reference !== undefined) found.add(reference);
  else if (Array.isArray(value)) for (const item of value) collect(item, found);
  else if (isJsonObject(value)) for (const item of Object.values(value)) collect(item, found);
}

/**
 * Replaces references by the ids of the resources they refer to.
 * @param ids the ids by bulkId
 * @returns the value with every reference replaced; an element or member whose reference has no id yet is left out
 */
export function resolveReferences(value: JsonValue, ids: ReadonlyMap<string, string>): JsonValue | undefined {
  const reference = referenceOf(value);
  if (reference !== undefined) return ids.get(reference);
  if (Array.isArray(value)) {
    return value.map((item) => resolveReferences(item, ids)).filter((item) => item !== undefined);
  }
  if (!isJsonObject(value)) return value;
  const resolved: JsonObject = {};
  for (const [name, item] of Object.entries(value)) {
    const kept = item === undefined ? undefined : resolveReferences(item, ids);
    // Without what it refers to, an element such as a member means nothing.
    if (kept === undefined && item !== undefined) return undefined;
    resolved[name] = kept;
  }
  return resolved;
}

/**
 * Parts a resource into what can be written now and what has to wait for other resources, as in a circular reference
 * (RFC 7644 section 3.7.1).
 * @returns `now`, the resource without what waits, and `later`, the attributes that wait, as they were sent
 */
export function splitWaiting(
  data: JsonObject,
  ids: ReadonlyMap<string, string>,
): { now: JsonObject; later: JsonObject | undefined } {
  const now: JsonObject = {};
  const later: JsonObject = {};
  for (const [name, value] of Object.entries(data)) {
    if (value === undefined) continue;
    const { waits, resolved } = resolveNow(value, ids);
    if (waits) later[name] = value;
    if (resolved !== undefined) now[name] = resolved;
  }
  return { now, later: Object.keys(later).length > 0 ? later : undefined };
}

/** What can be written now of a value, and whether anything of it has to wait. Objects within objects lose what waits. */
function resolveNow(
  value: JsonValue,
  ids: ReadonlyMap<string, string>,
): { waits: boolean; resolved: JsonValue | undefined } {
  if (isJsonObject(value)) {
    const { now, later } = splitWaiting(value, ids);
    return { waits: later !== undefined, resolved: now };
  }
  return {
    waits: [...referencesIn(value)].some((reference) => !ids.has(reference)),
    resolved: resolveReferences(value, ids),
  };
}
