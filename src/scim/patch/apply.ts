import { quote, ScimError } from '../errors.js';
import { parseAttrPath } from '../filter/attr-path.js';
import { limits } from '../limits.js';
import type { Profile } from '../profile.js';
import {
  copyJson,
  isJsonObject,
  isUnassigned,
  type JsonObject,
  type JsonValue,
  type ScimResource,
} from '../resource.js';
import { isSchemaTarget, type ResourceSchema } from '../schema/registry.js';
import { subAttribute, type Attribute, type Schema } from '../schema/schema.js';
import { checkImmutable } from '../validate/mutability.js';
import { checkRequired, withSchemas } from '../validate/validate.js';
import { complexObject, readValue } from '../validate/value.js';
import { clears } from './compat.js';
import { ElementCache } from './element-cache.js';
import { joinLinkChanges, linkChange, type LinkChange } from './links.js';
import { applyToElements } from './multi-valued.js';
import type { PatchOperation, SetOperation } from './operation.js';
import { checkWritable, resolvePatchPath, type PatchAttribute } from './target.js';

/** What a PATCH request makes of a resource. */
export interface PatchResult {
  readonly resource: ScimResource;
  /** Changes of links such as members, in order; the resource itself does not hold them. */
  readonly links: readonly LinkChange[];
}

/**
 * Applies the operations of a PATCH request in order, each to the result of the one before (RFC 7644 section 3.5.2).
 * The given resource is not modified, so a failure leaves nothing behind.
 * @param resource the stored resource, without its links
 * @throws ScimError invalidPath, invalidFilter, noTarget, invalidValue or mutability, naming the operation's path;
 *   payloadTooLarge for operations that take too long
 */
export function applyPatch(
  resource: ScimResource,
  operations: readonly PatchOperation[],
  schema: ResourceSchema,
  profile: Profile,
): PatchResult {
  const patch = new Patch(copyJson(resource), schema, profile);
  for (const operation of operations) patch.apply(operation);
  const patched = withSchemas(patch.resource, schema);
  checkRequired(patched, schema);
  checkImmutable(resource, patched, schema);
  return { resource: patched, links: joinLinkChanges(patch.links) };
}

class Patch {
  readonly links: LinkChange[] = [];
  private valuesSeen = 0;
  readonly cache = new ElementCache();

  constructor(
    readonly resource: JsonObject,
    private readonly schema: ResourceSchema,
    readonly profile: Profile,
  ) {}

  apply(operation: PatchOperation): void {
    if (operation.op === 'remove') this.applyPath(operation, operation.path);
    else if (operation.path !== undefined) this.applyPath(operation, operation.path);
    else this.applyValue(operation.op, operation.value);
  }

  /** Without a path, the value is an object of attributes; each key is a path of its own. */
  private applyValue(op: SetOperation['op'], value: JsonValue, prefix = ''): void {
    if (!isJsonObject(value)) {
      throw new ScimError('invalidValue', `${op} without a path needs an object of attributes as its value.`);
    }
    for (const [key, item] of Object.entries(value)) {
      if (this.isDropped(key, prefix, item)) continue;
      this.applyPath({ op, value: item ?? null }, prefix + key);
    }
  }

  /**
   * Keys that the profile passes over, as it does in a POST: `schemas`, which the server maintains, readOnly attributes,
   * unknown names, and the objects of extensions that are not registered.
   */
  private isDropped(key: string, prefix: string, value: JsonValue | undefined): boolean {
    const path = parseAttrPath(prefix + key);
    const target = path && this.schema.resolve(path);
    if (!target) {
      const isForeign = isJsonObject(value) && path?.uri !== undefined && !this.isSchema(path.uri);
      return this.profile.dropUnknown && (isForeign || /^[A-Za-z][\w-]*$/.test(key));
    }
    if (isSchemaTarget(target)) return false;
    if (target.attribute.name === 'schemas') return this.profile.dropUnknown;
    const { mutability } = target.subAttribute ?? target.attribute;
    return (
      this.profile.dropReadOnlyInPatch && (mutability === 'readOnly' || target.attribute.mutability === 'readOnly')
    );
  }

  private applyPath(operation: PatchOperation, path: string): void {
    const target = resolvePatchPath(path, this.schema, this.profile);
    if (isSchemaTarget(target)) {
      this.applySchema(operation, target.isBase ? undefined : target.schema);
      return;
    }
    checkWritable(target);
    if (target.attribute.name === 'schemas') this.applySchemas(operation);
    else if (target.attribute.linksTo) this.applyLinks(operation, target);
    else this.applyAttribute(operation, target);
  }

  /** A whole schema as the target: its attributes stand in the value. */
  private applySchema(operation: PatchOperation, extension: Schema | undefined): void {
    if (operation.op !== 'remove' && !isUnassigned(operation.value)) {
      this.applyValue(operation.op, operation.value, `${extension?.id ?? this.schema.base.id}:`);
      return;
    }
    if (operation.op === 'add') return;
    if (!extension) throw new ScimError('mutability', 'The base schema cannot be removed.');
    delete this.resource[extension.id];
  }

  /** `schemas` follows the data; taking an extension's URI away takes its data away. */
  private applySchemas(operation: PatchOperation): void {
    if (operation.op === 'remove' && operation.value === undefined) {
      throw new ScimError('mutability', 'schemas is required.');
    }
    const given = isUnassigned(operation.value) ? [] : operation.value;
    const named = (Array.isArray(given) ? given : [given]).map((urn) => this.knownSchema(urn));
    const isNamed = (schema: Schema): boolean => named.includes(schema);
    const removed = (schema: Schema): boolean => (operation.op === 'remove' ? isNamed(schema) : !isNamed(schema));
    if (operation.op === 'add') return;
    if (removed(this.schema.base)) throw new ScimError('mutability', `schemas must hold "${this.schema.base.id}".`);
    for (const extension of this.schema.extensions) if (removed(extension)) delete this.resource[extension.id];
  }

  private isSchema(urn: string): boolean {
    return this.schema.isBase(urn) || this.schema.extension(urn) !== undefined;
  }

  private knownSchema(urn: JsonValue): Schema {
    const text = typeof urn === 'string' ? urn : '';
    const found = this.schema.isBase(text) ? this.schema.base : this.schema.extension(text);
    if (!found) throw new ScimError('invalidValue', `${quote(urn)} is not a schema of ${this.schema.name}.`);
    return found;
  }

  private applyLinks(operation: PatchOperation, target: PatchAttribute): void {
    const change = linkChange(operation, target, this.profile);
    if (change) this.links.push(change);
  }

  private applyAttribute(operation: PatchOperation, target: PatchAttribute): void {
    const { attribute, subAttribute: sub, extension } = target;
    const unassigns = operation.op === 'remove' || clears(operation.value, sub ?? attribute, this.profile);
    // Nothing to add; what is there stays.
    if (unassigns && operation.op === 'add') return;
    const container = this.container(extension);
    const before = container[attribute.name];
    const after = attribute.multiValued
      ? applyToElements(operation, target, this.elements(before), this)
      : applyToSingle(operation, target, before, this.profile);
    if ((attribute.required && isUnassigned(after)) || (sub?.required && unassigns)) {
      throw new ScimError('mutability', `${quote(target.text)} is required and cannot be removed.`);
    }
    if (isUnassigned(after)) delete container[attribute.name];
    else container[attribute.name] = after;
    if (extension) this.resource[extension.id] = container;
  }

  /** The elements of a multi-valued attribute, which an operation goes through one by one. */
  private elements(value: JsonValue | undefined): JsonValue[] {
    const elements = Array.isArray(value) ? value : [];
    this.valuesSeen += elements.length;
    if (this.valuesSeen <= limits.patchValues) return elements;
    throw new ScimError(
      'payloadTooLarge',
      `The operations go through more than ${limits.patchValues} values; send them in several requests.`,
    );
  }

  private container(extension: Schema | undefined): JsonObject {
    if (!extension) return this.resource;
    const data = this.resource[extension.id];
    return isJsonObject(data) ? data : {};
  }
}

/** Applies an operation to a single-valued attribute; a complex one is merged by sub-attribute. */
function applyToSingle(
  operation: PatchOperation,
  { attribute, subAttribute: sub, text }: PatchAttribute,
  before: JsonValue | undefined,
  profile: Profile,
): JsonValue | undefined {
  const value = operation.op === 'remove' ? null : operation.value;
  if (!sub && clears(value, attribute, profile)) return undefined;
  if (attribute.type !== 'complex') return readValue(attribute, value, profile, text);
  const changes = sub ? { [sub.name]: value } : complexObject(attribute, value, profile, text);
  return mergeComplex(operation.op, attribute, before, changes, profile);
}

function mergeComplex(
  op: PatchOperation['op'],
  attribute: Attribute,
  before: JsonValue | undefined,
  changes: JsonObject,
  profile: Profile,
): JsonObject | undefined {
  const merged: JsonObject = isJsonObject(before) ? { ...before } : {};
  const set: [string, JsonValue | undefined][] = [];
  for (const [name, value] of Object.entries(changes)) {
    const sub = subAttribute(attribute, name);
    if (!sub || !clears(value, sub, profile)) set.push([name, value]);
    else if (op !== 'add') delete merged[sub.name];
  }
  const read = readValue(attribute, Object.fromEntries(set), profile);
  const after = { ...merged, ...(isJsonObject(read) ? read : {}) };
  return Object.keys(after).length === 0 ? undefined : after;
}
