import { quote, ScimError } from '../errors.js';
import { evaluateElement } from '../filter/evaluate.js';
import { foldValue } from '../filter/fold.js';
import { limits } from '../limits.js';
import type { Profile } from '../profile.js';
import { isJsonObject, jsonKey, type JsonObject, type JsonValue } from '../resource.js';
import type { Attribute } from '../schema/schema.js';
import { readElements, readSingle, readValue } from '../validate/value.js';
import { clears, elementFromFilter, listedElements } from './compat.js';
import { identityOf, isAmong } from './identity.js';
import type { PatchOperation, RemoveOperation, SetOperation } from './operation.js';
import type { PatchAttribute } from './target.js';

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
  profile: Profile,
): JsonValue[] {
  const { attribute, filter, subAttribute } = target;
  const touched = new Set<JsonValue>();
  const after =
    filter || subAttribute
      ? // Only complex attributes have sub-attributes to filter by or to name.
        editMatches(operation, target, elements as JsonObject[], profile, touched)
      : operation.op === 'remove'
        ? removeListed(operation, attribute, elements, profile)
        : addElements(operation, attribute, elements, profile, touched);
  if (after === elements) return elements;
  if (after.length > limits.arrayElements) {
    throw new ScimError('payloadTooLarge', `${attribute.name} may have no more than ${limits.arrayElements} values.`);
  }
  return withoutDuplicates(demoteOthers(after, touched, attribute));
}

/** Add appends what is not there; replace makes the value the whole set. */
function addElements(
  { op, value }: SetOperation,
  attribute: Attribute,
  elements: JsonValue[],
  profile: Profile,
  touched: Set<JsonValue>,
): JsonValue[] {
  if (clears(value, attribute, profile)) return [];
  // One object may be added as it is; a whole set is an array.
  const given = op === 'add' && isJsonObject(value) ? [value] : value;
  const read = (readValue(attribute, given, profile) ?? []) as JsonValue[];
  if (op === 'replace') return read;
  const after = [...elements];
  const there = new Set(elements.map(jsonKey));
  const places = new Map(elements.map((element, place) => [identityOf(element, attribute), place]));
  for (const element of read) {
    if (there.has(jsonKey(element))) continue;
    const identity = identityOf(element, attribute);
    const place = places.get(identity) ?? after.length;
    const existing = after[place];
    const merged = isJsonObject(existing) && isJsonObject(element) ? { ...existing, ...element } : element;
    after[place] = merged;
    places.set(identity, place);
    if (existing !== undefined) there.delete(jsonKey(existing));
    there.add(jsonKey(merged));
    // One that was primary before and is only named again gives way to the one that is now made primary.
    if (isPrimary(element) || (existing !== undefined && touched.has(existing))) touched.add(merged);
  }
  return after;
}

const matcher = ({ attribute, filter }: PatchAttribute): ((element: JsonObject) => boolean) => {
  if (!filter) return () => true;
  return (element) => evaluateElement(filter.bound, foldValue(attribute, element) as JsonObject);
};

/** Changes the elements that a value path or a sub-attribute selects. */
function editMatches(
  operation: PatchOperation,
  target: PatchAttribute,
  elements: JsonObject[],
  profile: Profile,
  touched: Set<JsonValue>,
): JsonValue[] {
  const matches = new Set(elements.filter(matcher(target)));
  if (matches.size === 0) {
    const created = operation.op === 'remove' ? undefined : createElement(operation, target, profile);
    if (created) touched.add(created);
    return created ? [...elements, created] : elements;
  }
  return elements.flatMap((element) => {
    if (!matches.has(element)) return [element];
    const edited = editElement(operation, target, element, profile);
    if (edited === undefined) return [];
    touched.add(edited);
    return [edited];
  });
}

/** @returns the element after the operation, undefined when nothing is left of it */
function editElement(
  operation: PatchOperation,
  { attribute, subAttribute, text }: PatchAttribute,
  element: JsonObject,
  profile: Profile,
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
function createElement({ op, value }: SetOperation, target: PatchAttribute, profile: Profile): JsonObject | undefined {
  const { attribute, filter, subAttribute, text } = target;
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
  if (!isJsonObject(created) || !matcher(target)(created)) throw noTarget();
  return created;
}

/** Removes the elements that a value list names, or all without one. */
function removeListed(
  { value }: RemoveOperation,
  attribute: Attribute,
  elements: JsonValue[],
  profile: Profile,
): JsonValue[] {
  if (value === undefined) return [];
  const given = listedElements(value).map((item) => (attribute.type === 'complex' ? item : (item['value'] ?? null)));
  const isListed = isAmong(readElements(attribute, given, profile, attribute.name), attribute);
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

/** Collapses values that an operation made equal in everything: a set holds each once. */
function withoutDuplicates(elements: JsonValue[]): JsonValue[] {
  const distinct = new Map(elements.map((element) => [jsonKey(element), element]));
  return distinct.size === elements.length ? elements : [...distinct.values()];
}
