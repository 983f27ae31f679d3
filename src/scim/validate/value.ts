import { instant } from '../date-time.js';
import { quote, ScimError } from '../errors.js';
import { foldString } from '../filter/fold.js';
import { parseJson } from '../json.js';
import { limits } from '../limits.js';
import { checkUsername, prepareOpaqueString } from '../precis.js';
import type { Profile } from '../profile.js';
import { isJsonObject, isUnassigned, jsonKey, sameJson, type JsonObject, type JsonValue } from '../resource.js';
import { subAttribute, type Attribute } from '../schema/schema.js';
import { readReference } from './reference.js';

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

const wrong = (where: string, expected: string, given: JsonValue): ScimError =>
  new ScimError('invalidValue', `${where} must be ${expected}, not ${quote(given)}.`);

/**
 * Reads the value of an attribute as its definition asks (RFC 7643 sections 2.3 to 2.5): types checked, names in the
 * schema's spelling, unknown and readOnly sub-attributes dropped (refused where the profile is strict and they are
 * unknown), exact duplicates collapsed.
 * @param where how details name the attribute, such as `emails`
 * @returns undefined when the value is unassigned
 * @throws ScimError invalidValue, or invalidSyntax for an unknown sub-attribute
 */
export function readValue(
  attribute: Attribute,
  value: JsonValue | undefined,
  profile: Profile,
  where = attribute.name,
): JsonValue | undefined {
  if (isUnassigned(value)) return undefined;
  if (!attribute.multiValued) {
    const sole = soleElement(value, profile);
    return isUnassigned(sole) ? undefined : readSingle(attribute, sole, profile, where);
  }
  const elements = readElements(attribute, value, profile, where);
  if (elements.filter((element) => isJsonObject(element) && element['primary'] === true).length > 1) {
    throw new ScimError('invalidValue', `${where} has more than one value with "primary": true.`);
  }
  return elements.length === 0 ? undefined : elements;
}

/**
 * Reads the elements given for a multi-valued attribute, without judging them together.
 * @param first how many elements come before these, where they are a part of a list
 * @throws ScimError as `readValue`
 */
export function readElements(
  attribute: Attribute,
  value: JsonValue,
  profile: Profile,
  where: string,
  first = 0,
): JsonValue[] {
  if (!Array.isArray(value) && !(profile.singleForArray && acceptsAlone(attribute, value, profile))) {
    throw wrong(where, 'an array', value);
  }
  const given = Array.isArray(value) ? value : [value];
  const read: JsonValue[] = [];
  const seen = new Set<string>();
  for (const [index, item] of given.entries()) {
    const here = `${where}[${first + index}]`;
    const element = isUnassigned(item) ? undefined : readSingle(attribute, item, profile, here);
    if (element === undefined) {
      // Passed over, an empty link would make a list of nothing else take every link away.
      if (attribute.linksTo) throw new ScimError('invalidValue', `${here} names no resource.`);
      continue;
    }
    const key = jsonKey(element);
    if (!seen.has(key)) read.push(element);
    seen.add(key);
  }
  return read;
}

/** Whether one value may stand for an array of one: an object for a complex attribute, a scalar for a simple one. */
const acceptsAlone = (attribute: Attribute, value: JsonValue, profile: Profile): boolean =>
  (attribute.type === 'complex') === (isJsonObject(value) || objectInText(attribute, value, profile) !== undefined);

/** The value that an array of one stands for, where the profile allows; otherwise the value as it is. */
function soleElement(value: JsonValue, profile: Profile): JsonValue | undefined {
  return profile.arrayForSingle && Array.isArray(value) && value.length === 1 ? value[0] : value;
}

/** The object that a JSON text stands for, where the profile allows. Never among links: a member is not guessed at. */
function objectInText(attribute: Attribute, value: JsonValue, profile: Profile): JsonObject | undefined {
  if (!profile.jsonStringForComplex || typeof value !== 'string' || !value.startsWith('{')) return undefined;
  if (!attribute.multiValued || attribute.type !== 'complex' || attribute.linksTo) return undefined;
  try {
    return parseJson(value) as JsonObject;
  } catch {
    return undefined;
  }
}

/** Reads one value: of a single-valued attribute, or one element of a multi-valued one. */
export function readSingle(
  attribute: Attribute,
  value: JsonValue,
  profile: Profile,
  where: string,
): JsonValue | undefined {
  switch (attribute.type) {
    case 'complex':
      return readComplex(attribute, value, profile, where);
    case 'boolean':
      return readBoolean(value, profile, where);
    case 'integer':
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw wrong(where, 'a whole number', value);
      return value;
    case 'decimal':
      if (typeof value !== 'number') throw wrong(where, 'a number', value);
      return value;
    default:
      return readText(attribute, value, where);
  }
}

function readBoolean(value: JsonValue, profile: Profile, where: string): boolean {
  if (typeof value === 'boolean') return value;
  if (profile.booleanStrings && typeof value === 'string') {
    const lower = value.toLowerCase();
    if (lower === 'true' || lower === 'false') return lower === 'true';
  }
  throw wrong(where, 'true or false', value);
}

function readText(attribute: Attribute, value: JsonValue, where: string): string {
  if (typeof value !== 'string') {
    // What is never returned is not repeated in an error either.
    throw attribute.returned === 'never'
      ? new ScimError('invalidValue', `${where} must be a string.`)
      : wrong(where, 'a string', value);
  }
  const longest = attribute.isIndexed ? limits.indexedLength : limits.stringLength;
  if (value.length > longest) throw new ScimError('invalidValue', `${where} is longer than ${longest} characters.`);
  if (value === '' && attribute.required) throw new ScimError('invalidValue', `${where} must not be empty.`);
  if (attribute.precis === 'UsernameCaseMapped') {
    const reason = checkUsername(value);
    if (reason !== undefined) throw new ScimError('invalidValue', `${where} is not a valid user name: ${reason}.`);
  }
  if (attribute.isIndexed && Buffer.byteLength(foldString(attribute, value)) > limits.indexedBytes) {
    throw new ScimError('invalidValue', `${where} is longer than ${limits.indexedBytes} bytes.`);
  }
  if (attribute.precis === 'OpaqueString') return readOpaque(value, where);
  if (attribute.type === 'binary' && !base64.test(value)) {
    throw new ScimError('invalidValue', `${where} must be base64 (RFC 4648 section 4).`);
  }
  return attribute.type === 'dateTime' ? readDateTime(value, where) : value;
}

/** Prepares a password (RFC 8265 section 4.2). Details never repeat it. */
function readOpaque(value: string, where: string): string {
  if (value.length > limits.passwordLength) {
    throw new ScimError('invalidValue', `${where} is longer than ${limits.passwordLength} characters.`);
  }
  const prepared = prepareOpaqueString(value);
  if (prepared !== undefined) return prepared;
  throw new ScimError('invalidValue', `${where} is empty or holds a character that RFC 8265 does not allow.`);
}

function readDateTime(value: string, where: string): string {
  const read = instant(value);
  if (read === undefined) throw wrong(where, 'a dateTime with a time zone, such as 2011-05-13T04:42:34Z', value);
  return `${read.slice(0, 23)}Z`;
}

function readComplex(attribute: Attribute, given: JsonValue, profile: Profile, where: string): JsonObject | undefined {
  const value = complexObject(attribute, given, profile, where);
  const read: JsonObject = {};
  for (const [name, item] of Object.entries(value)) {
    const sub = subAttribute(attribute, name);
    if (!sub) {
      if (profile.dropUnknown) continue;
      throw new ScimError('invalidSyntax', `${where} has no sub-attribute ${quote(name)}.`);
    }
    if (sub.mutability === 'readOnly') continue;
    const subValue = readValue(sub, item, profile, `${where}.${sub.name}`);
    if (subValue !== undefined) read[sub.name] = subValue;
  }
  const complete = readReference(attribute, read, where);
  return sameJson(complete, {}) ? undefined : complete;
}

/**
 * The object given for a complex attribute. Where the profile allows, a bare string stands for the `value` of a
 * single-valued one: Microsoft Entra ID sends `manager` so.
 */
export function complexObject(attribute: Attribute, value: JsonValue, profile: Profile, where: string): JsonObject {
  const given = attribute.multiValued ? value : soleElement(value, profile);
  if (isUnassigned(given)) return {};
  const object = isJsonObject(given) ? given : objectInText(attribute, given, profile);
  if (object) return object;
  const standsForValue =
    profile.stringForComplex && typeof given === 'string' && !attribute.multiValued && subAttribute(attribute, 'value');
  if (!standsForValue) throw wrong(where, 'an object', given);
  return given === '' ? {} : { value: given };
}
