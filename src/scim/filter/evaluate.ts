import { isJsonObject, isUnassigned, type JsonObject, type JsonValue } from '../resource.js';
import type { AttributeTarget } from '../schema/registry.js';
import type { CompareOp } from './ast.js';
import type { BoundFilter } from './bind.js';

/** Orders strings by code point, as PostgreSQL's "C" collation does; negative when `a` comes first. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === length) return a.length - b.length;
  // UTF-16 puts surrogates below U+E000..U+FFFF, although they stand for higher code points.
  const rank = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800);
  return rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
}

function compareOne(op: CompareOp, value: JsonValue | undefined, operand: string | number | boolean): boolean {
  if (op === 'eq') return value === operand;
  if (op === 'ne') return value !== operand;
  if (typeof value === 'string' && typeof operand === 'string') {
    if (op === 'co') return value.includes(operand);
    if (op === 'sw') return value.startsWith(operand);
    if (op === 'ew') return value.endsWith(operand);
    return ordered(op, compareText(value, operand));
  }
  return typeof value === 'number' && typeof operand === 'number' && ordered(op, value - operand);
}

function ordered(op: CompareOp, difference: number): boolean {
  if (op === 'gt') return difference > 0;
  if (op === 'ge') return difference >= 0;
  return op === 'lt' ? difference < 0 : op === 'le' && difference <= 0;
}

function holder(target: AttributeTarget, folded: JsonObject): JsonObject {
  if (!target.extension) return folded;
  const data = folded[target.extension.id];
  return isJsonObject(data) ? data : {};
}

/** The values a target has in a resource, one an element; undefined where an element lacks the sub-attribute. */
function values(target: AttributeTarget, folded: JsonObject): (JsonValue | undefined)[] {
  const value = holder(target, folded)[target.attribute.name];
  if (isUnassigned(value)) return [];
  const elements = Array.isArray(value) ? value : [value as JsonValue];
  const { subAttribute } = target;
  if (!subAttribute) return elements;
  return elements.map((element) => (element as JsonObject)[subAttribute.name]);
}

/** Whether a value is present: not null and not empty; a complex one needs a non-empty node (RFC 7644 table 3). */
function isPresent(value: JsonValue | undefined): boolean {
  if (isUnassigned(value) || value === '') return false;
  return !isJsonObject(value) || Object.values(value).some(isPresent);
}

function evaluateIn(
  filter: BoundFilter,
  folded: JsonObject,
  valuesOf: (target: AttributeTarget) => (JsonValue | undefined)[],
): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.terms.every((term) => evaluateIn(term, folded, valuesOf));
    case 'or':
      return filter.terms.some((term) => evaluateIn(term, folded, valuesOf));
    case 'not':
      return !evaluateIn(filter.term, folded, valuesOf);
    case 'present':
      return valuesOf(filter.target).some(isPresent);
    case 'presentExtension':
      return isPresent(folded[filter.schema.id]);
    case 'element':
      return valuesOf(filter.target).some((element) => evaluateElement(filter.filter, element as JsonObject));
    case 'compare': {
      const found = valuesOf(filter.target);
      if (found.length === 0) return compareOne(filter.op, undefined, filter.value);
      return found.some((value) => compareOne(filter.op, value, filter.value));
    }
  }
}

/**
 * Whether a folded resource matches a filter (RFC 7644 section 3.4.2.2). A multi-valued attribute matches when any of
 * its values does; `ne` is the negation of `eq` for each value and holds where there is none.
 * @param folded the resource as `foldResource` makes it
 */
export function evaluate(filter: BoundFilter, folded: JsonObject): boolean {
  return evaluateIn(filter, folded, (target) => values(target, folded));
}

/**
 * Whether one folded element of a multi-valued attribute matches the filter of a value path.
 * @param element the element as `foldValue` makes it
 */
export function evaluateElement(filter: BoundFilter, element: JsonObject): boolean {
  return evaluateIn(filter, element, ({ subAttribute }) => {
    const value = subAttribute && element[subAttribute.name];
    return value === undefined ? [] : [value];
  });
}
