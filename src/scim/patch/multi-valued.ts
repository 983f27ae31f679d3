import { quote, ScimError } from '../errors.js';
import { evaluateElement } from '../filter/evaluate.js';
import { foldValue } from '../filter/fold.js';
import type { Profile } from '../profile.js';
import { isJsonObject, sameJson, type JsonObject, type JsonValue } from '../resource.js';
import type { Attribute } from '../schema/schema.js';
import { readElements, readSingle, readValue } from '../validate/value.js';
import { clears, elementFromFilter, isListed } from './compat.js';
import type { PatchOperation } from './operation.js';
import type { PatchAttribute } from './target.js';

/**
 * Applies one operation to the elements of a multi-valued attribute (RFC 7644 section 3.5.2).
 * @param elements the elements before; they are not modified
 * @returns the elements after
 * @throws ScimError noTarget when a value path matches nothing and the element cannot be created; invalidValue
 */
export function applyToElements(
  operation: PatchOperation,
  target: PatchAttribute,
  elements: readonly JsonValue[],
  profile: Profile,
): JsonValue[] {
  if (operation.op === 'remove') return removeElements(operation, target, elements, profile);
  const { attribute, filter, subAttribute } = target;
  const touched = new Set<JsonValue>();
  const after =
    filter || subAttribute
      ? editMatches(operation, target, elements, profile, touched)
      : addElements(operation, attribute, elements, profile, touched);
  return demoteOthers(after, touched, attribute);
}

const matcher = ({ attribute, filter }: PatchAttribute): ((element: JsonValue) => boolean) => {
  if (!filter) return () => true;
  return (element) =>
    isJsonObject(element) && evaluateElement(filter.bound, foldValue(attribute, element) as JsonObject);
};

/** Add appends what is not there; replace makes the value the whole set. */
function addElements(
  operation: PatchOperation,
  attribute: Attribute,
  elements: readonly JsonValue[],
  profile: Profile,
  touched: Set<JsonValue>,
): JsonValue[] {
  if (clears(operation.value, attribute, profile)) return operation.op === 'replace' ? [] : [...elements];
  const given = readValue(attribute, operation.value, profile) ?? [];
  const read = Array.isArray(given) ? given : [given];
  if (operation.op === 'replace') return read;
  const after = [...elements];
  for (const element of read) {
    const index = after.findIndex((existing) => isSameElement(existing, element));
    const existing = after[index];
    const merged = isJsonObject(existing) && isJsonObject(element) ? { ...existing, ...element } : element;
    const result = sameJson(existing, merged) ? (existing as JsonValue) : merged;
    if (index < 0) after.push(result);
    else after[index] = result;
    touched.add(result);
  }
  return after;
}

/** Two elements are the same when `value` and `type` are; those without a `value`, when everything is. */
function isSameElement(a: JsonValue, b: JsonValue): boolean {
  if (!isJsonObject(a) || !isJsonObject(b) || b['value'] === undefined) return sameJson(a, b);
  return sameJson(a['value'], b['value']) && sameJson(a['type'], b['type']);
}

/** Changes the elements that a value path or a sub-attribute selects. */
function editMatches(
  operation: PatchOperation,
  target: PatchAttribute,
  elements: readonly JsonValue[],
  profile: Profile,
  touched: Set<JsonValue>,
): JsonValue[] {
  const matches = matcher(target);
  if (!elements.some(matches)) return createElement(operation, target, elements, profile, touched);
  return elements.flatMap((element) => {
    if (!matches(element)) return [element];
    const edited = editElement(operation, target, element, profile);
    if (edited === undefined) return [];
    touched.add(edited);
    return [edited];
  });
}

function editElement(
  operation: PatchOperation,
  { attribute, subAttribute, text }: PatchAttribute,
  element: JsonValue,
  profile: Profile,
): JsonValue | undefined {
  const before = isJsonObject(element) ? element : {};
  if (!subAttribute) {
    if (clears(operation.value, attribute, profile)) return operation.op === 'replace' ? undefined : element;
    const value = readSingle(attribute, operation.value as JsonValue, profile, text);
    const merged = operation.op === 'add' && isJsonObject(value) ? { ...before, ...value } : value;
    return sameJson(merged, element) ? element : merged;
  }
  const { [subAttribute.name]: _replaced, ...others } = before;
  const value = clears(operation.value, subAttribute, profile)
    ? undefined
    : readValue(subAttribute, operation.value, profile, text);
  const edited = value === undefined ? others : { ...before, [subAttribute.name]: value };
  if (sameJson(edited, element)) return element;
  return Object.keys(edited).length === 0 ? undefined : edited;
}

/** Creates the element that a value path describes, where the operation and the profile allow (RFC 7644 section 3.5.2.1). */
function createElement(
  operation: PatchOperation,
  target: PatchAttribute,
  elements: readonly JsonValue[],
  profile: Profile,
  touched: Set<JsonValue>,
): JsonValue[] {
  const { attribute, filter, subAttribute, text } = target;
  const allowed = operation.op === 'add' || profile.createOnReplace || !filter;
  const described = filter ? elementFromFilter(filter.written, attribute) : {};
  if (!allowed || !described) {
    throw new ScimError('noTarget', `${quote(text)} matches no value of ${attribute.name}.`);
  }
  const clearing = clears(operation.value, subAttribute ?? attribute, profile);
  if (clearing) return [...elements];
  const given = subAttribute ? { [subAttribute.name]: operation.value as JsonValue } : operation.value;
  if (!isJsonObject(given)) throw new ScimError('invalidValue', `${text} must be an object, not ${quote(given)}.`);
  const created = readSingle(attribute, { ...described, ...given }, profile, text);
  if (created === undefined) return [...elements];
  touched.add(created);
  return [...elements, created];
}

function removeElements(
  operation: PatchOperation,
  target: PatchAttribute,
  elements: readonly JsonValue[],
  profile: Profile,
): JsonValue[] {
  const { attribute, filter, subAttribute } = target;
  const matches = matcher(target);
  if (subAttribute) {
    return elements.flatMap((element) => {
      if (!matches(element) || !isJsonObject(element)) return [element];
      const { [subAttribute.name]: _removed, ...others } = element;
      return Object.keys(others).length === 0 ? [] : [others];
    });
  }
  if (filter) return elements.filter((element) => !matches(element));
  if (operation.value === undefined) return [];
  const listed = listedElements(operation.value, attribute, profile);
  return elements.filter((element) => !listed.some((item) => isListed(element, item)));
}

function listedElements(value: JsonValue, attribute: Attribute, profile: Profile): JsonValue[] {
  const given = Array.isArray(value) ? value : [value];
  return given.flatMap((item) =>
    isJsonObject(item) ? readElements(attribute, [item], profile, attribute.name) : item === null ? [] : [item],
  );
}

/**
 * Keeps at most one primary element: what this operation made primary wins (RFC 7644 section 3.5.2).
 * @throws ScimError invalidValue when the operation made several primary
 */
function demoteOthers(after: JsonValue[], touched: ReadonlySet<JsonValue>, attribute: Attribute): JsonValue[] {
  const isPrimary = (element: JsonValue): boolean => isJsonObject(element) && element['primary'] === true;
  if (after.filter(isPrimary).length < 2) return after;
  const chosen = after.filter((element) => touched.has(element) && isPrimary(element));
  if (chosen.length > 1) {
    throw new ScimError('invalidValue', `${attribute.name} would have more than one value with "primary": true.`);
  }
  return after.map((element) =>
    isJsonObject(element) && isPrimary(element) && element !== chosen[0] ? { ...element, primary: false } : element,
  );
}
