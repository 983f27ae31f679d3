import type { JsonValue } from '../resource.js';
import type { Attribute } from '../schema/schema.js';
import type { ElementCache } from './element-cache.js';

/**
 * Makes the test of whether an element is among those listed: one of them has its `value` and no other `type`, or is
 * the same in everything when it has no `value`.
 */
export function isAmong(
  listed: readonly JsonValue[],
  attribute: Attribute,
  cache: ElementCache,
): (element: JsonValue) => boolean {
  const parts = listed.map((item) => cache.partsOf(item, attribute));
  const exact = new Set(parts.map(({ identity }) => identity));
  const values = new Set(parts.map(({ ofValue }) => ofValue?.key));
  return (element) => {
    const { identity, ofValue } = cache.partsOf(element, attribute);
    if (exact.has(identity)) return true;
    if (!ofValue) return false;
    return ofValue.hasType ? exact.has(ofValue.untyped) : values.has(ofValue.key);
  };
}
