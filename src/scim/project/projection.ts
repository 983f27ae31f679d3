import { ScimError } from '../errors.js';
import { parseAttrPath } from '../filter/attr-path.js';
import { limits } from '../limits.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../resource.js';
import { isSchemaTarget, type ResourceSchema } from '../schema/registry.js';
import { subAttribute, type Attribute, type Schema } from '../schema/schema.js';
import { suppliedPaths } from './supplied.js';

/** What is named of one attribute: all of it, or some sub-attributes. */
type Named = 'all' | Set<string>;

const keyOf = (attribute: Attribute, extension?: Schema): string =>
  extension ? `${extension.id}:${attribute.name}` : attribute.name;

/**
 * Which attributes of a resource type a response carries (RFC 7644 section 3.9, RFC 7643 section 2.2 "returned").
 */
export class Projection {
  private constructor(
    private readonly schema: ResourceSchema,
    private readonly mode: 'default' | 'include' | 'exclude',
    private readonly named: ReadonlyMap<string, Named>,
    private readonly supplied: ReadonlyMap<string, Named> = new Map(),
  ) {}

  /**
   * @param attributes names or paths to return beside those always returned
   * @param excludedAttributes names or paths not to return
   * @throws ScimError invalidValue when both are given, or more than 500 names
   */
  static read(
    schema: ResourceSchema,
    attributes: readonly string[] | undefined,
    excludedAttributes: readonly string[] | undefined,
  ): Projection {
    if (attributes && excludedAttributes) {
      throw new ScimError('invalidValue', 'attributes and excludedAttributes cannot be used together.');
    }
    const names = attributes ?? excludedAttributes;
    if (!names) return new Projection(schema, 'default', new Map());
    if (names.length > limits.projectionNames) {
      throw new ScimError('invalidValue', `No more than ${limits.projectionNames} attributes can be named.`);
    }
    return new Projection(schema, attributes ? 'include' : 'exclude', namedAttributes(schema, names));
  }

  /**
   * The projection of the answer to a request that sets something: what is returned on request alone is then returned
   * where the client specified it, unless it named what it wants (RFC 7643 section 7 "returned").
   * @param data the resource of a POST or PUT, or what each operation of a PATCH sets
   */
  supplying(...data: readonly JsonValue[]): Projection {
    if (!this.schema.returnsOnRequest) return this;
    const paths = data.flatMap((item) => suppliedPaths(item, this.schema));
    return new Projection(this.schema, this.mode, this.named, namedAttributes(this.schema, paths));
  }

  /** Whether the client named the attributes it wants. */
  get isExplicit(): boolean {
    return this.mode === 'include';
  }

  /** Whether `apply` changes nothing: stored representations hold what is returned by default. */
  get isIdentity(): boolean {
    return this.mode === 'default' && !this.schema.returnsOnRequest;
  }

  /** Whether the response can carry an attribute at all; what it cannot need not be read from the database. */
  wants(attributeName: string): boolean {
    const attribute = this.schema.attribute(attributeName);
    return attribute !== undefined && this.selection(attribute) !== undefined;
  }

  /**
   * The representation a response carries.
   * @param resource the complete resource in canonical spelling
   */
  apply(resource: JsonObject): JsonObject {
    const projected = this.applyTo(this.schema.attributes, resource);
    for (const extension of this.schema.extensions) {
      const data = resource[extension.id];
      if (!isJsonObject(data)) continue;
      const kept = this.applyTo(extension.attributes, data, extension);
      if (Object.keys(kept).length > 0) projected[extension.id] = kept;
    }
    return projected;
  }

  private applyTo(attributes: readonly Attribute[], data: JsonObject, extension?: Schema): JsonObject {
    const kept: JsonObject = {};
    for (const attribute of attributes) {
      const value = data[attribute.name];
      const selects = value === undefined ? undefined : this.selection(attribute, extension);
      const projected = selects && projectValue(attribute, value as JsonValue, selects);
      if (projected !== undefined) kept[attribute.name] = projected;
    }
    return kept;
  }

  /** Which sub-attributes of an attribute are returned; undefined when the attribute itself is not. */
  private selection(attribute: Attribute, extension?: Schema): ((sub: Attribute) => boolean) | undefined {
    if (attribute.returned === 'never') return undefined;
    const named = this.named.get(keyOf(attribute, extension));
    const supplied = this.mode === 'include' ? undefined : this.supplied.get(keyOf(attribute, extension));
    const isSupplied = (sub: Attribute): boolean => supplied === 'all' || supplied?.has(sub.name) === true;
    const byDefault = (sub: Attribute): boolean => sub.returned !== 'request' || isSupplied(sub);
    if (attribute.returned === 'always') return byDefault;
    if (this.mode === 'include') {
      if (!named) return undefined;
      return named === 'all' ? byDefault : (sub) => sub.returned === 'always' || named.has(sub.name);
    }
    if ((attribute.returned === 'request' && !supplied) || (this.mode === 'exclude' && named === 'all'))
      return undefined;
    return named ? (sub) => byDefault(sub) && !(named !== 'all' && named.has(sub.name)) : byDefault;
  }
}

function namedAttributes(schema: ResourceSchema, names: readonly string[]): Map<string, Named> {
  const named = new Map<string, Named>();
  for (const text of names) {
    const path = parseAttrPath(text.trim());
    const target = path && schema.resolve(path);
    // Unknown names are ignored: a client may ask all resource types for the same attributes.
    if (!target) continue;
    if (isSchemaTarget(target)) {
      const extension = target.isBase ? undefined : target.schema;
      for (const attribute of target.schema.attributes) named.set(keyOf(attribute, extension), 'all');
      continue;
    }
    const key = keyOf(target.attribute, target.extension);
    const before = named.get(key);
    if (!target.subAttribute) named.set(key, 'all');
    else if (before !== 'all') named.set(key, new Set([...(before ?? []), target.subAttribute.name]));
  }
  return named;
}

function projectValue(
  attribute: Attribute,
  value: JsonValue,
  selects: (sub: Attribute) => boolean,
): JsonValue | undefined {
  if (Array.isArray(value)) {
    const kept = value.map((item) => projectValue(attribute, item, selects)).filter((item) => item !== undefined);
    return kept.length === 0 ? undefined : kept;
  }
  if (attribute.type !== 'complex' || !isJsonObject(value)) return value;
  const kept: JsonObject = {};
  for (const [name, item] of Object.entries(value)) {
    const sub = subAttribute(attribute, name);
    if (sub && item !== undefined && sub.returned !== 'never' && selects(sub)) kept[name] = item;
  }
  return Object.keys(kept).length === 0 ? undefined : kept;
}
