/** Attribute data types (RFC 7643 section 2.3). */
export type AttributeType =
  'string' | 'boolean' | 'decimal' | 'integer' | 'dateTime' | 'reference' | 'binary' | 'complex';

/** An attribute definition with every characteristic resolved (RFC 7643 sections 2.2 and 7). */
export interface Attribute {
  readonly name: string;
  readonly type: AttributeType;
  readonly multiValued: boolean;
  readonly description: string;
  readonly required: boolean;
  readonly canonicalValues?: readonly string[];
  readonly caseExact: boolean;
  readonly mutability: 'readWrite' | 'readOnly' | 'immutable' | 'writeOnly';
  readonly returned: 'always' | 'never' | 'default' | 'request';
  readonly uniqueness: 'none' | 'server' | 'global';
  readonly referenceTypes?: readonly string[];
  readonly subAttributes?: readonly Attribute[];
  /** How a value is prepared before it is compared (RFC 7644 section 5, RFC 8265); not part of /Schemas. */
  readonly precis?: 'UsernameCaseMapped' | 'OpaqueString';
  /** The resource types whose ids `value` holds, kept as links beside the document; not part of /Schemas. */
  readonly linksTo?: readonly string[];
  /** Whether an index has its values, which bounds their length; not part of /Schemas. */
  readonly isIndexed?: true;
}

/** A schema definition (RFC 7643 section 7). */
export interface Schema {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly attributes: readonly Attribute[];
}

/** A resource type (RFC 7643 section 6). */
export interface ResourceType {
  readonly name: string;
  readonly description: string;
  /** Relative to the base URL, with a leading slash. */
  readonly endpoint: string;
  readonly schema: string;
  readonly schemaExtensions: readonly { readonly schema: string; readonly required: boolean }[];
}

/**
 * Completes an attribute definition with the defaults of RFC 7643 section 2.2: a string that is not required, not
 * caseExact, readWrite, returned by default, without uniqueness, single-valued.
 */
export function attribute(definition: Pick<Attribute, 'name' | 'description'> & Partial<Attribute>): Attribute {
  return {
    type: 'string',
    multiValued: false,
    required: false,
    caseExact: false,
    mutability: 'readWrite',
    returned: 'default',
    uniqueness: 'none',
    ...definition,
  };
}

/** A sub-attribute by name, matched case-insensitively (RFC 7643 section 2.1). */
export function subAttribute(parent: Attribute, name: string): Attribute | undefined {
  const exact = parent.subAttributes?.find((candidate) => candidate.name === name);
  if (exact) return exact;
  const wanted = name.toLowerCase();
  return parent.subAttributes?.find((candidate) => candidate.name.toLowerCase() === wanted);
}
