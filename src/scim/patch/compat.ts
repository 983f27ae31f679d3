import type { Filter } from '../filter/ast.js';
import type { Profile } from '../profile.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../resource.js';
import type { Attribute } from '../schema/schema.js';

/**
 * The element that a value path describes, when it describes one: a conjunction of `eq` terms. Microsoft Entra ID sets
 * `emails[type eq "work"].value` on users without a work address and expects it to be created.
 * @param filter a filter of sub-attributes
 * @returns the element as a client would write it, or undefined when the filter does not determine it
 */
export function elementFromFilter(filter: Filter): JsonObject | undefined {
  const terms = filter.kind === 'and' ? filter.terms : [filter];
  const element: JsonObject = {};
  for (const term of terms) {
    if (term.kind !== 'compare' || term.op !== 'eq' || term.value === null) return undefined;
    element[term.path.name] = term.value;
  }
  return element;
}

/**
 * Whether a value clears its attribute: null and [] do (RFC 7643 section 2.5); "" does on optional attributes where the
 * profile says so, because Microsoft Entra ID clears strings with it.
 */
export function clears(value: JsonValue | undefined, attribute: Attribute, profile: Profile): boolean {
  if (value === null || (Array.isArray(value) && value.length === 0)) return true;
  return value === '' && profile.emptyStringClears && !attribute.required && attribute.type !== 'boolean';
}

/**
 * The elements that a PATCH remove with a value list names. Microsoft Entra ID removes members by
 * `{"op":"Remove","path":"members","value":[{"value":"id"}]}`: only those listed go, never all.
 * @param value an element or several; a bare scalar stands for its `value`
 */
export function listedElements(value: JsonValue): JsonObject[] {
  const given = Array.isArray(value) ? value : [value];
  return given.map((item) => (isJsonObject(item) ? item : { value: item }));
}
