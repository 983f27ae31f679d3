import type { Filter } from '../filter/ast.js';
import { printAttrPath } from '../filter/attr-path.js';
import type { Profile } from '../profile.js';
import { isJsonObject, sameJson, type JsonObject, type JsonValue } from '../resource.js';
import { subAttribute, type Attribute } from '../schema/schema.js';

/**
 * The element that a value path describes, when it describes one: a conjunction of `eq` terms. Microsoft Entra ID sets
 * `emails[type eq "work"].value` on users without a work address and expects it to be created.
 * @returns the element's sub-attributes, or undefined when the filter does not determine them
 */
export function elementFromFilter(filter: Filter, attribute: Attribute): JsonObject | undefined {
  const terms = filter.kind === 'and' ? filter.terms : [filter];
  const element: JsonObject = {};
  for (const term of terms) {
    if (term.kind !== 'compare' || term.op !== 'eq' || term.value === null) return undefined;
    const sub = subAttribute(attribute, printAttrPath(term.path));
    if (!sub || (element[sub.name] !== undefined && element[sub.name] !== term.value)) return undefined;
    element[sub.name] = term.value;
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
 * Whether a PATCH remove with a value list means an element. Microsoft Entra ID removes members by
 * `{"op":"Remove","path":"members","value":[{"value":"id"}]}`: only those listed go, never all.
 * @param listed what the client listed: an element, or a bare scalar that stands for its `value`
 */
export function isListed(element: JsonValue, listed: JsonValue): boolean {
  if (!isJsonObject(element)) return sameJson(element, isJsonObject(listed) ? listed['value'] : listed);
  const value = isJsonObject(listed) ? listed['value'] : listed;
  if (value !== undefined && element['value'] !== undefined) return sameJson(element['value'], value);
  return sameJson(element, listed);
}
