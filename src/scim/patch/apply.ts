import { quote, ScimError } from '../errors.js';
import { parseAttrPath } from '../filter/attr-path.js';
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
import { checkRequired, withSchemas } from '../validate/validate.js';
import { complexObject, readValue } from '../validate/value.js';
import { clears } from './compat.js';
import { linkChange, type LinkChange } from './links.js';
import { applyToElements } from './multi-valued.js';
import type { PatchOperation } from './operation.js';
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
 * @throws ScimError invalidPath, invalidFilter, noTarget, invalidValue or mutability, naming the operation's path
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
  return { resource: patched, links: patch.links };
}

class Patch {
  readonly links: LinkChange[] = [];

  constructor(
    readonly resource: JsonObject,
    private readonly schema: ResourceSchema,
    private readonly profile: Profile,
  ) {}

  apply(operation: PatchOperation): void {
    if (operation.op === 'remove') {
      if (operation.path === undefined) throw new ScimError('noTarget', 'remove needs a path.');
    } else if (operation.value === undefined) {
      throw new ScimError('invalidValue', `${operation.op} needs a value.`);
    }
    if (operation.path === undefined) this.applyValue(operation.op, operation.value);
    else this.applyPath(operation, operation.path);
  }

  /** Without a path, the value is an object of attributes; each key is a path of its own. */
  private applyValue(op: PatchOperation['op'], value: JsonValue | undefined, prefix = ''): void {
    if (!isJsonObject(value)) {
      throw new ScimError('invalidValue', `${op} without a path needs an object of attributes as its value.`);
    }
    for (const [key, item] of Object.entries(value)) {
      if (this.isDropped(key, prefix)) continue;
      this.applyPath({ op, value: item ?? null }, prefix + key);
    }
  }

  /** Keys that the profile passes over: `schemas`, which the server maintains, readOnly attributes and unknown names. */
  private isDropped(key: string, prefix: string): boolean {
    const path = parseAttrPath(prefix + key);
    const target = path && this.schema.resolve(path);
    if (!target) return this.profile.dropUnknown && /^[A-Za-z][\w-]*$/.test(key);
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
    const emptied = operation.op === 'remove' || (operation.op === 'replace' && isUnassigned(operation.value));
    if (!emptied) {
      this.applyValue(operation.op, operation.value ?? {}, `${extension?.id ?? this.schema.base.id}:`);
      return;
    }
    if (!extension) throw new ScimError('mutability', 'The base schema cannot be removed.');
    delete this.resource[extension.id];
  }

  /** `schemas` follows the data; taking an extension's URI away takes its data away. */
  private applySchemas(operation: PatchOperation): void {
    if (operation.op === 'remove' && operation.value === undefined) {
      throw new ScimError('mutability', 'schemas is required.');
    }
    const given = Array.isArray(operation.value) ? operation.value : [operation.value ?? null];
    const named = given.map((urn) => this.knownSchema(urn));
    const isNamed = (schema: Schema): boolean => named.includes(schema);
    const removed = (schema: Schema): boolean => (operation.op === 'remove' ? isNamed(schema) : !isNamed(schema));
    if (operation.op === 'add') return;
    if (removed(this.schema.base)) throw new ScimError('mutability', `schemas must hold "${this.schema.base.id}".`);
    for (const extension of this.schema.extensions) if (removed(extension)) delete this.resource[extension.id];
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
    const { attribute, extension } = target;
    const container = this.container(extension);
    const before = container[attribute.name];
    const after = attribute.multiValued
      ? applyToElements(operation, target, Array.isArray(before) ? before : [], this.profile)
      : applyToSingle(operation, target, before, this.profile);
    if (attribute.required && isUnassigned(after)) {
      throw new ScimError('mutability', `${quote(target.text)} is required and cannot be removed.`);
    }
    checkUnchanged(attribute, before, after);
    if (isUnassigned(after)) delete container[attribute.name];
    else container[attribute.name] = after;
    if (extension) this.resource[extension.id] = container;
  }

  private container(extension: Schema | undefined): JsonObject {
    if (!extension) return this.resource;
    const data = this.resource[extension.id];
    return isJsonObject(data) ? data : {};
  }
}

function checkUnchanged(attribute: Attribute, before: JsonValue | undefined, after: JsonValue | undefined): void {
  if (attribute.mutability === 'immutable' && !isUnassigned(before) && before !== after) {
    throw new ScimError('mutability', `${attribute.name} is immutable; it already has a value.`);
  }
}

/** Applies an operation to a single-valued attribute; a complex one is merged by sub-attribute. */
function applyToSingle(
  operation: PatchOperation,
  { attribute, subAttribute: sub, text }: PatchAttribute,
  before: JsonValue | undefined,
  profile: Profile,
): JsonValue | undefined {
  if (sub) {
    const value = operation.op === 'remove' ? null : (operation.value ?? null);
    return mergeComplex(attribute, before, { [sub.name]: value }, profile);
  }
  if (operation.op === 'remove') return undefined;
  if (clears(operation.value, attribute, profile)) return operation.op === 'replace' ? undefined : before;
  if (attribute.type !== 'complex') return readValue(attribute, operation.value, profile, text);
  return mergeComplex(attribute, before, complexObject(attribute, operation.value ?? null, profile, text), profile);
}

function mergeComplex(
  attribute: Attribute,
  before: JsonValue | undefined,
  changes: JsonObject,
  profile: Profile,
): JsonObject | undefined {
  const merged: JsonObject = isJsonObject(before) ? { ...before } : {};
  const set: JsonObject = {};
  for (const [name, value] of Object.entries(changes)) {
    const sub = subAttribute(attribute, name);
    if (sub && clears(value, sub, profile)) delete merged[sub.name];
    else set[name] = value;
  }
  const read = readValue(attribute, set, profile);
  const after = { ...merged, ...(isJsonObject(read) ? read : {}) };
  return Object.keys(after).length === 0 ? undefined : after;
}
