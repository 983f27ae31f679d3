import type { AttrPath } from '../filter/attr-path.js';
import { commonAttributes, metaAttribute } from './common.js';
import { subAttribute, type Attribute, type ResourceType, type Schema } from './schema.js';

/** Where a path points: an attribute or sub-attribute, at the top level or in an extension. */
export interface AttributeTarget {
  /** The extension that holds the attribute; absent for base and common attributes. */
  readonly extension?: Schema;
  readonly attribute: Attribute;
  readonly subAttribute?: Attribute;
}

/** Where a path points when it names a whole schema rather than an attribute. */
export interface SchemaTarget {
  readonly schema: Schema;
  readonly isBase: boolean;
}

/** What a path resolves to. */
export type Target = AttributeTarget | SchemaTarget;

/** Whether a target is a whole schema. */
export function isSchemaTarget(target: Target): target is SchemaTarget {
  return 'schema' in target;
}

const byName = (attributes: readonly Attribute[]): Map<string, Attribute> =>
  new Map(attributes.map((attribute) => [attribute.name.toLowerCase(), attribute]));

/** The schema of one resource type: its common, base and extension attributes, looked up case-insensitively. */
export class ResourceSchema {
  /** Common and base attributes, in output order. */
  readonly attributes: readonly Attribute[];
  /** Whether some attribute is only returned when it is asked for (RFC 7643 section 7 "returned"). */
  readonly returnsOnRequest: boolean;
  private readonly top: Map<string, Attribute>;
  private readonly byUrn: Map<string, { schema: Schema; attributes: Map<string, Attribute> }>;

  /**
   * @param type the resource type
   * @param base its base schema
   * @param extensions its schema extensions, in output order
   */
  constructor(
    readonly type: ResourceType,
    readonly base: Schema,
    readonly extensions: readonly Schema[],
  ) {
    this.attributes = [...commonAttributes, ...base.attributes, metaAttribute];
    this.top = byName(this.attributes);
    this.byUrn = new Map(
      extensions.map((schema) => [schema.id.toLowerCase(), { schema, attributes: byName(schema.attributes) }]),
    );
    const holders = [this.attributes, ...extensions.map((extension) => extension.attributes)].flat();
    const onRequest = ({ returned }: Attribute): boolean => returned === 'request';
    this.returnsOnRequest = holders.some(
      (attribute) => onRequest(attribute) || attribute.subAttributes?.some(onRequest),
    );
  }

  /** The resource type's name, such as `User`. */
  get name(): string {
    return this.type.name;
  }

  /** A common or base attribute by name. */
  attribute(name: string): Attribute | undefined {
    return this.top.get(name.toLowerCase());
  }

  /** An attribute of an extension by name. */
  extensionAttribute(extension: Schema, name: string): Attribute | undefined {
    return this.byUrn.get(extension.id.toLowerCase())?.attributes.get(name.toLowerCase());
  }

  /** An extension of this type by URN. */
  extension(urn: string): Schema | undefined {
    return this.byUrn.get(urn.toLowerCase())?.schema;
  }

  /** Whether a URN is that of the base schema. */
  isBase(urn: string): boolean {
    return urn.toLowerCase() === this.base.id.toLowerCase();
  }

  /**
   * Finds what an attribute path names in this resource type (RFC 7644 section 3.10).
   * @returns undefined when there is no such attribute
   */
  resolve(path: AttrPath): Target | undefined {
    if (path.uri === undefined) return descend(this.attribute(path.name), path.sub);
    const whole = `${path.uri}:${path.name}`;
    if (path.sub === undefined) {
      if (this.isBase(whole)) return { schema: this.base, isBase: true };
      const schema = this.extension(whole);
      if (schema) return { schema, isBase: false };
    }
    if (this.isBase(path.uri)) return descend(this.attribute(path.name), path.sub);
    const extension = this.extension(path.uri);
    return extension && descend(this.extensionAttribute(extension, path.name), path.sub, extension);
  }

  /** Finds an attribute that is named without its extension's URN, in the first extension that has it. */
  resolveUnqualified({ uri, name, sub }: AttrPath): AttributeTarget | undefined {
    const extension = this.extensions.find((candidate) => this.extensionAttribute(candidate, name));
    if (uri !== undefined || !extension) return undefined;
    return descend(this.extensionAttribute(extension, name), sub, extension);
  }
}

function descend(attribute: Attribute | undefined, sub?: string, extension?: Schema): AttributeTarget | undefined {
  if (!attribute) return undefined;
  const holder = extension ? { extension } : {};
  if (sub === undefined) return { ...holder, attribute };
  const found = subAttribute(attribute, sub);
  return found && { ...holder, attribute, subAttribute: found };
}

/** The schemas and resource types a tenant serves. */
export class SchemaRegistry {
  private readonly schemasByUrn: Map<string, Schema>;
  private readonly types: Map<string, ResourceSchema>;

  /**
   * @param schemas every schema that is published, in order
   * @param resourceTypes every resource type, in order
   * @throws Error when a resource type names a schema that is not among `schemas`
   */
  constructor(
    readonly schemas: readonly Schema[],
    readonly resourceTypes: readonly ResourceType[],
  ) {
    this.schemasByUrn = new Map(schemas.map((schema) => [schema.id.toLowerCase(), schema]));
    this.types = new Map(
      resourceTypes.map((type) => {
        const extensions = type.schemaExtensions.map((extension) => this.required(extension.schema));
        return [type.name, new ResourceSchema(type, this.required(type.schema), extensions)];
      }),
    );
  }

  /** A schema by URN, matched case-insensitively. */
  schema(urn: string): Schema | undefined {
    return this.schemasByUrn.get(urn.toLowerCase());
  }

  /**
   * The schema of a resource type.
   * @throws Error when there is no such type: names come from code, never from a client
   */
  resourceSchema(typeName: string): ResourceSchema {
    const found = this.types.get(typeName);
    if (!found) throw new Error(`Unknown resource type ${typeName}`);
    return found;
  }

  /** Whether a path may name an attribute of some resource type: it has no schema URI, or that of a schema here. */
  mayName({ uri, name }: AttrPath): boolean {
    return uri === undefined || this.schema(uri) !== undefined || this.schema(`${uri}:${name}`) !== undefined;
  }

  private required(urn: string): Schema {
    const schema = this.schema(urn);
    if (!schema) throw new Error(`Unknown schema ${urn}`);
    return schema;
  }
}
