import { quote, ScimError } from '../errors.js';
import { evaluateElement } from '../filter/evaluate.js';
import { limits } from '../limits.js';
import type { Profile } from '../profile.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../resource.js';
import type { Attribute } from '../schema/schema.js';
import { readElements, readSingle, readValue } from '../validate/value.js';
import { clears, elementFromFilter, listedElements } from './compat.js';
import type { ElementCache } from './element-cache.js';
import { isAmong } from './identity.js';
import type { PatchOperation, RemoveOperation, SetOperation } from './operation.js';
import type { PatchAttribute } from './target.js';

// So many are sought one by one; more, by an index of all.
const fewTouched = 4;

/** How an operation is applied. */
export interface PatchScope {
  readonly profile: Profile;
  /** What is known of the elements that the request's operations go through. */
  readonly cache: ElementCache;
}

/**
 * Applies one operation to the elements of a multi-valued attribute (RFC 7644 section 3.5.2).
 * @param elements the elements before; they are not modified
 * @returns the elements after
 * @throws ScimError noTarget when a value path matches nothing and the element cannot be created; invalidValue;
 *   payloadTooLarge when there would be too many elements
 */
export function applyToElements(
  operation: PatchOperation,
  target: PatchAttribute,
  elements: JsonValue[],
  scope: PatchScope,
): JsonValue[] {
  const { attribute, filter, subAttribute } = target;
  const touched = new Set<JsonValue>();
  const after =
    filter || subAttribute
      ? // Only complex attributes have sub-attributes to filter by or to name.
        editMatches(operation, target, elements as JsonObject[], scope, touched)
      : operation.op === 'remove'
        ? removeListed(operation, attribute, elements, scope)
        : addElements(operation, attribute, elements, scope, touched);
  if (after === elements) return elements;
  if (after.length > limits.arrayElements) {
    throw new ScimError('payloadTooLarge', `${attribute.name} may have no more than ${limits.arrayElements} values.`);
  }
  const single = demoteOthers(after, touched, attribute);
  const isNewAlone = (filter ?? subAttribute) !== undefined && single === after;
  return isNewAlone && !repeats(after, touched, scope.cache) ? after : withoutDuplicates(single, scope.cache);
}

/** Add appends what is not there; replace makes the value the whole set. */
function addElements(
  { op, value }: SetOperation,
  attribute: Attribute,
  elements: JsonValue[],
  scope: PatchScope,
  touched: Set<JsonValue>,
): JsonValue[] {
  const { profile, cache } = scope;
  if (clears(value, attribute, profile)) return [];
  // One object may be added as it is; a whole set is an array.
  const given = op === 'add' && isJsonObject(value) ? [value] : value;
  const read = (readValue(attribute, given, profile) ?? []) as JsonValue[];
  if (op === 'replace') return read;
  const after = [...elements];
  const there = new Set(elements.map((element) => cache.keyOf(element)));
  const places = new Map(elements.map((element, place) => [cache.partsOf(element, attribute).identity, place]));
  for (const element of read) {
    if (there.has(cache.keyOf(element))) continue;
    const { identity } = cache.partsOf(element, attribute);
    const place = places.get(identity) ?? after.length;
    const existing = after[place];
    const merged = isJsonObject(existing) && isJsonObject(element) ? { ...existing, ...element } : element;
    after[place] = merged;
    places.set(identity, place);
    if (existing !== undefined) there.delete(cache.keyOf(existing));
    there.add(cache.keyOf(merged));
    // One that was primary before and is only named again gives way to the one that is now made primary.
    if (isPrimary(element) || (existing !== undefined && touched.has(existing))) touched.add(merged);
  }
  return after;
}

function matcher({ attribute, filter }: PatchAttribute, cache: ElementCache): (element: JsonObject) => boolean {
  if (!filter) return () => true;
  return (element) => evaluateElement(filter.bound, cache.partsOf(element, attribute).whole as JsonObject);
}

/** Changes the elements that a value path or a sub-attribute selects. */
function editMatches(
  operation: PatchOperation,
  target: PatchAttribute,
  elements: JsonObject[],
  scope: PatchScope,
  touched: Set<JsonValue>,
): JsonValue[] {
  const matches = matcher(target, scope.cache);
  const after: JsonValue[] = [];
  let isFound = false;
  for (const element of elements) {
    if (!matches(element)) {
      after.push(element);
      continue;
    }
    isFound = true;
    const edited = editElement(operation, target, element, scope);
    if (edited === undefined) continue;
    touched.add(edited);
    after.push(edited);
  }
  if (isFound) return after;
  const created = operation.op === 'remove' ? undefined : createElement(operation, target, scope);
  if (!created) return elements;
  touched.add(created);
  return [...elements, created];
}

/** @returns the element after the operation, undefined when nothing is left of it */
function editElement(
  operation: PatchOperation,
  { attribute, subAttribute, text }: PatchAttribute,
  element: JsonObject,
  { profile }: PatchScope,
): JsonValue | undefined {
  const { op } = operation;
  const unassigns = op === 'remove' || clears(operation.value, subAttribute ?? attribute, profile);
  const value = unassigns ? null : operation.value;
  if (!subAttribute) {
    const read = value === null ? undefined : readSingle(attribute, value, profile, text);
    return op === 'add' ? { ...element, ...(read as JsonObject | undefined) } : read;
  }
  const { [subAttribute.name]: _replaced, ...others } = element;
  const read = readValue(subAttribute, value, profile, text);
  const edited = read === undefined ? others : { ...element, [subAttribute.name]: read };
  return Object.keys(edited).length === 0 ? undefined : edited;
}

/**
 * Creates the element that a value path describes, where the operation and the profile allow (RFC 7644 section 3.5.2.1).
 * @returns undefined when there is nothing to create
 */
function createElement({ op, value }: SetOperation, target: PatchAttribute, scope: PatchScope): JsonObject | undefined {
  const { attribute, filter, subAttribute, text } = target;
  const { profile, cache } = scope;
  const allowed = op === 'add' || profile.createOnReplace || !filter;
  const described = filter ? elementFromFilter(filter.written) : {};
  const noTarget = (): ScimError => new ScimError('noTarget', `${quote(text)} matches no value of ${attribute.name}.`);
  if (!allowed || !described) throw noTarget();
  if (clears(value, subAttribute ?? attribute, profile)) return undefined;
  const given = subAttribute ? { [subAttribute.name]: value } : value;
  if (!isJsonObject(given)) throw new ScimError('invalidValue', `${text} must be an object, not ${quote(given)}.`);
  const where = subAttribute ? text.slice(0, text.lastIndexOf('.')) : text;
  const created = readSingle(attribute, { ...described, ...given }, profile, where);
  // What is set may contradict what the path asks for.
  if (!isJsonObject(created) || !matcher(target, cache)(created)) throw noTarget();
  return created;
}

/** Removes the elements that a value list names, or all without one. */
function removeListed(
  { value }: RemoveOperation,
  attribute: Attribute,
  elements: JsonValue[],
  { profile, cache }: PatchScope,
): JsonValue[] {
  if (value === undefined) return [];
  const given = listedElements(value).map((item) => (attribute.type === 'complex' ? item : (item['value'] ?? null)));
  const isListed = isAmong(readElements(attribute, given, profile, attribute.name), attribute, cache);
  return elements.filter((element) => !isListed(element));
}

const isPrimary = (element: JsonValue): boolean => isJsonObject(element) && element['primary'] === true;

/**
 * Keeps at most one primary element: what this operation made primary wins (RFC 7644 section 3.5.2).
 * @throws ScimError invalidValue when the operation made several primary
 */
function demoteOthers(after: JsonValue[], touched: ReadonlySet<JsonValue>, attribute: Attribute): JsonValue[] {
  if (after.filter(isPrimary).length < 2) return after;
  const chosen = after.filter((element) => touched.has(element) && isPrimary(element));
  if (chosen.length > 1) {
    throw new ScimError('invalidValue', `${attribute.name} would have more than one value with "primary": true.`);
  }
  return after.map((element) =>
    isPrimary(element) && element !== chosen[0] ? { ...(element as JsonObject), primary: false } : element,
  );
}

/** Whether one of the elements that an operation changed is there twice. */
function repeats(elements: readonly JsonValue[], touched: ReadonlySet<JsonValue>, cache: ElementCache): boolean {
  if (touched.size > fewTouched) return true;
  const keys = Array.from(touched, (element) => cache.keyOf(element));
  return keys.some((key) => elements.filter((element) => cache.keyOf(element) === key).length > 1);
}

/** Collapses values that an operation made equal in everything: a set holds each once. */
function withoutDuplicates(elements: JsonValue[], cache: ElementCache): JsonValue[] {
  const distinct = new Map(elements.map((element) => [cache.keyOf(element), element]));
  return distinct.size === elements.length ? elements : [...distinct.values()];
}
