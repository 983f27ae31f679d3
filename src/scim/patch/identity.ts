import { foldValue } from '../filter/fold.js';
import { isJsonObject, jsonKey, type JsonValue } from '../resource.js';
import type { Attribute } from '../schema/schema.js';

/** The parts of a value of a multi-valued attribute by which it is told from others, folded as filters compare them. */
interface Parts {
  readonly whole: JsonValue;
  readonly value?: JsonValue;
  readonly type: JsonValue;
}

function partsOf(element: JsonValue, attribute: Attribute): Parts {
  const whole = foldValue(attribute, element);
  if (!isJsonObject(whole)) return { whole, type: null };
  const { value, type = null } = whole;
  return { whole, type, ...(value === undefined ? {} : { value }) };
}

/** A text that two elements share when they are the same: in `value` and `type`, or in everything without a `value`. */
export function identityOf(element: JsonValue, attribute: Attribute): string {
  const { whole, value, type } = partsOf(element, attribute);
  return jsonKey(value === undefined ? whole : [value, type]);
}

/**
 * Makes the test of whether an element is among those listed: one of them has its `value` and no other `type`, or is
 * the same in everything when it has no `value`.
 */
export function isAmong(listed: readonly JsonValue[], attribute: Attribute): (element: JsonValue) => boolean {
  const exact = new Set(listed.map((item) => identityOf(item, attribute)));
  const values = new Set(listed.map((item) => jsonKey(partsOf(item, attribute).value ?? null)));
  return (element) => {
    const { value, type } = partsOf(element, attribute);
    if (exact.has(identityOf(element, attribute))) return true;
    if (value === undefined) return false;
    return type === null ? values.has(jsonKey(value)) : exact.has(jsonKey([value, null]));
  };
}
