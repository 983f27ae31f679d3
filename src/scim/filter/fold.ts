import { instant } from '../date-time.js';
import { mapUsername, toNfc } from '../precis.js';
import { isJsonObject, isUnassigned, type JsonObject, type JsonValue } from '../resource.js';
import type { ResourceSchema } from '../schema/registry.js';
import { subAttribute, type Attribute } from '../schema/schema.js';

const ascii = /^[\0-\x7f]*$/;
const capitalSigma = '\u03a3';

/**
 * Folds case without regard to language or position, so that equal texts fold to equal texts. Idempotent.
 */
export function foldCase(text: string): string {
  if (ascii.test(text)) return text.toLowerCase();
  if (!text.includes(capitalSigma)) return toNfc(text.toLowerCase());
  // One code point at a time: String.toLowerCase makes this letter, and no other, depend on its neighbours.
  return toNfc(Array.from(text, (char) => char.toLowerCase()).join(''));
}

/** Folds a string the way its attribute is compared: by PRECIS, by case, or not at all (RFC 7643 section 2.2). */
export function foldString(attribute: Attribute, text: string): string {
  if (attribute.precis === 'UsernameCaseMapped') return mapUsername(text);
  if (attribute.type === 'dateTime') return instant(text) ?? text;
  return attribute.caseExact ? text : foldCase(text);
}

/** Folds one value of an attribute: a scalar, or an element of a complex attribute. */
export function foldValue(attribute: Attribute, value: JsonValue): JsonValue {
  if (typeof value === 'string') return foldString(attribute, value);
  if (Array.isArray(value)) return value.map((item) => foldValue(attribute, item));
  if (!isJsonObject(value)) return value;
  const folded: JsonObject = {};
  for (const [name, item] of Object.entries(value)) {
    const definition = subAttribute(attribute, name);
    if (definition && !isUnassigned(item)) folded[definition.name] = foldValue(definition, item);
  }
  return folded;
}

/**
 * Makes the form of a resource that filters and sorting look at: every string folded the way its attribute is compared,
 * every dateTime an instant in UTC, unassigned and never-returned attributes left out.
 * @param resource a resource in canonical spelling, as `validate` leaves it
 */
export function foldResource(schema: ResourceSchema, resource: JsonObject): JsonObject {
  const folded = foldAttributes(schema.attributes, resource);
  for (const extension of schema.extensions) {
    const data = resource[extension.id];
    if (isJsonObject(data)) folded[extension.id] = foldAttributes(extension.attributes, data);
  }
  return folded;
}

function foldAttributes(attributes: readonly Attribute[], data: JsonObject): JsonObject {
  const folded: JsonObject = {};
  for (const attribute of attributes) {
    const value = data[attribute.name];
    if (attribute.returned !== 'never' && !isUnassigned(value)) {
      folded[attribute.name] = foldValue(attribute, value);
    }
  }
  return folded;
}
