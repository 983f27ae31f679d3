import { ScimError } from '../errors.js';
import { foldValue } from '../filter/fold.js';
import { limits } from '../limits.js';
import { isJsonObject, jsonKey, type JsonValue } from '../resource.js';
import type { Attribute } from '../schema/schema.js';

/** The parts of a value of a multi-valued attribute by which it is told from others, folded as filters compare them. */
export interface Parts {
  readonly whole: JsonValue;
  /** A text that two elements share when they are the same: in `value` and `type`, or in everything without a `value`. */
  readonly identity: string;
  /** Absent without a `value`. */
  readonly ofValue?: ValueParts;
}

interface ValueParts {
  readonly hasType: boolean;
  /** A text that elements with the same `value` share. */
  readonly key: string;
  /** The identity of an element with this `value` and no type. */
  readonly untyped: string;
}

function partsOf(element: JsonValue, attribute: Attribute): Parts {
  const whole = foldValue(attribute, element);
  const { value = undefined, type = null } = isJsonObject(whole) ? whole : {};
  if (value === undefined) return { whole, identity: jsonKey(whole) };
  const key = jsonKey(value);
  const untyped = `[${key},null]`;
  const identity = type === null ? untyped : `[${key},${jsonKey(type)}]`;
  return { whole, identity, ofValue: { hasType: type !== null, key, untyped } };
}

/**
 * What the operations of one PATCH request need to know of elements again and again: how each is compared. An element is
 * never modified, so it is looked at once; what is looked at in all has a bound.
 */
export class ElementCache {
  private readonly keys = new WeakMap<object, string>();
  private readonly parts = new WeakMap<object, Parts>();
  private characters = 0;

  /** As `jsonKey`. @throws ScimError payloadTooLarge when the elements of the request's operations are too many characters */
  keyOf(element: JsonValue): string {
    const known = isJsonObject(element) ? this.keys.get(element) : undefined;
    if (known !== undefined) return known;
    const key = jsonKey(element);
    this.count(key);
    if (isJsonObject(element)) this.keys.set(element, key);
    return key;
  }

  /** The parts of an element of an attribute. @throws ScimError as `keyOf` */
  partsOf(element: JsonValue, attribute: Attribute): Parts {
    const known = isJsonObject(element) ? this.parts.get(element) : undefined;
    if (known) return known;
    this.keyOf(element);
    const parts = partsOf(element, attribute);
    if (isJsonObject(element)) this.parts.set(element, parts);
    return parts;
  }

  private count({ length }: string): void {
    this.characters += length;
    if (this.characters <= limits.patchCharacters) return;
    throw new ScimError(
      'payloadTooLarge',
      `The operations go through more than ${limits.patchCharacters} characters of values; send them in several requests.`,
    );
  }
}
