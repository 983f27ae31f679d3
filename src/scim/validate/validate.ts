import { quote, ScimError } from '../errors.js';
import type { Profile } from '../profile.js';
import { isJsonObject, isUnassigned, type JsonObject, type JsonValue, type ScimResource } from '../resource.js';
import type { ResourceSchema } from '../schema/registry.js';
import type { Attribute, Schema } from '../schema/schema.js';
import { readValue } from './value.js';

/** A request body read as a resource. */
export interface ReadResource {
  /** What the client may set, in canonical spelling, without readOnly and unassigned attributes. */
  readonly resource: ScimResource;
  /** The canonical names of all top-level attributes the body names, also those given as null. */
  readonly named: ReadonlySet<string>;
}

/**
 * Reads the body of a POST or PUT as a resource (RFC 7643 sections 2 and 3, RFC 7644 sections 3.3 and 3.5.1). readOnly
 * attributes are ignored; `schemas` comes out as the base schema and the extensions that have data.
 * @param body parsed JSON
 * @throws ScimError invalidSyntax for a body that is no object, wrong `schemas` or (strict) unknown attributes;
 *   invalidValue for values that do not fit, and for missing required attributes
 */
export function readResource(body: JsonValue | undefined, schema: ResourceSchema, profile: Profile): ReadResource {
  if (!isJsonObject(body)) {
    throw new ScimError('invalidSyntax', `The body must be a JSON object that represents a ${schema.name}.`);
  }
  checkSchemas(Object.entries(body).find(([key]) => key.toLowerCase() === 'schemas')?.[1], schema, profile);
  const reader = new ResourceReader(schema, profile);
  reader.readTop(body);
  const resource = withSchemas(reader.resource, schema);
  checkRequired(resource, schema);
  return { resource, named: reader.named };
}

class ResourceReader {
  readonly resource: JsonObject = {};
  readonly named = new Set<string>();

  constructor(
    private readonly schema: ResourceSchema,
    private readonly profile: Profile,
  ) {}

  readTop(body: JsonObject): void {
    for (const [key, value] of Object.entries(body)) {
      const attribute = this.schema.attribute(key);
      const extension = this.schema.extension(key);
      if (attribute) this.read(attribute, value);
      else if (extension) this.readExtension(extension, value);
      else if (this.schema.isBase(key) && this.profile.dropUnknown && isJsonObject(value)) this.readTop(value);
      else this.unknown(key, this.schema.name);
    }
  }

  private read(attribute: Attribute, value: JsonValue | undefined): void {
    if (attribute.name === 'schemas') return;
    this.addName(attribute.name);
    if (attribute.mutability === 'readOnly') return;
    const read = readValue(attribute, value, this.profile);
    if (read !== undefined) this.resource[attribute.name] = read;
  }

  private readExtension(extension: Schema, value: JsonValue | undefined): void {
    this.addName(extension.id);
    if (isUnassigned(value)) return;
    if (!isJsonObject(value)) {
      throw new ScimError('invalidValue', `${extension.id} must be an object with the extension's attributes.`);
    }
    const data: JsonObject = {};
    for (const [key, item] of Object.entries(value)) {
      const attribute = this.schema.extensionAttribute(extension, key);
      if (!attribute) this.unknown(key, extension.name);
      else if (attribute.mutability !== 'readOnly') {
        const read = readValue(attribute, item, this.profile);
        if (read !== undefined) data[attribute.name] = read;
      }
    }
    if (Object.keys(data).length > 0) this.resource[extension.id] = data;
  }

  /** Takes note of a name. It comes twice when it stands both at the top level and under the base schema's URN. */
  private addName(name: string): void {
    if (this.named.has(name)) throw new ScimError('invalidSyntax', `${name} is given twice.`);
    this.named.add(name);
  }

  private unknown(key: string, where: string): void {
    if (this.profile.dropUnknown) return;
    throw new ScimError('invalidSyntax', `${quote(key)} is not an attribute of ${where}.`);
  }
}

/**
 * Checks the `schemas` of a resource body against its endpoint (RFC 7643 section 3).
 * @throws ScimError invalidSyntax
 */
function checkSchemas(given: JsonValue | undefined, schema: ResourceSchema, profile: Profile): void {
  if (isUnassigned(given) && profile.inferSchemas) return;
  if (!Array.isArray(given) || given.length === 0 || !given.every((urn) => typeof urn === 'string')) {
    throw new ScimError('invalidSyntax', `schemas must be an array that holds "${schema.base.id}".`);
  }
  const others = given.filter((urn) => !schema.isBase(urn) && !schema.extension(urn));
  // A client of another protocol version names no known schema at all; the endpoint says what it means.
  const namesAnotherType = others.some((urn) => urn.toLowerCase().startsWith('urn:ietf:params:scim:schemas:core:2.0:'));
  if (others.length > 0 && (!profile.dropUnknown || namesAnotherType)) {
    throw new ScimError('invalidSyntax', `schemas holds ${quote(others[0])}, which is not a schema of ${schema.name}.`);
  }
  if (!given.some((urn) => schema.isBase(urn)) && !profile.inferSchemas) {
    throw new ScimError('invalidSyntax', `schemas must hold "${schema.base.id}".`);
  }
}

/** The resource with its attributes in schema order and `schemas` naming exactly what it holds (RFC 7643 section 3). */
export function withSchemas(resource: JsonObject, schema: ResourceSchema): ScimResource {
  const extensions = schema.extensions.filter((extension) => {
    const data = resource[extension.id];
    return isJsonObject(data) && Object.keys(data).length > 0;
  });
  const ordered: ScimResource = { schemas: [schema.base.id, ...extensions.map((extension) => extension.id)] };
  for (const { name } of schema.attributes) {
    if (name !== 'schemas' && resource[name] !== undefined) ordered[name] = resource[name];
  }
  for (const extension of extensions) ordered[extension.id] = resource[extension.id];
  return ordered;
}

/**
 * Checks that every required attribute has a value: those of the base schema, those of each extension that is present
 * or required, and the sub-attributes of every value that is present (RFC 7643 section 2.2).
 * @throws ScimError invalidValue naming the attribute
 */
export function checkRequired(resource: ScimResource, schema: ResourceSchema): void {
  requireAll(schema.base.attributes, resource, '');
  for (const { schema: urn, required } of schema.type.schemaExtensions) {
    const extension = schema.extension(urn);
    const data = resource[urn];
    if (extension && (required || isJsonObject(data))) {
      requireAll(extension.attributes, isJsonObject(data) ? data : {}, `${urn}:`);
    }
  }
}

function requireAll(attributes: readonly Attribute[], data: JsonObject, prefix: string): void {
  const missing = attributes.find((attribute) => attribute.required && isUnassigned(data[attribute.name]));
  if (missing) throw new ScimError('invalidValue', `${prefix}${missing.name} is required.`);
  for (const { name, subAttributes } of attributes) {
    const value = data[name];
    if (!subAttributes?.some((sub) => sub.required)) continue;
    for (const item of Array.isArray(value) ? value : [value]) {
      if (isJsonObject(item)) requireAll(subAttributes, item, `${prefix}${name}.`);
    }
  }
}
