import type { AttributeTarget } from '../../scim/index.js';

/** A value in SQL. `text` is compared as folded text; the others by their own type. */
export interface SqlValue {
  readonly sql: string;
  readonly type: 'text' | 'uuid' | 'timestamptz' | 'numeric' | 'boolean';
  /** Whether every row has one. */
  readonly required?: boolean;
  /** Whether it is of an element, which no index on the row can have. */
  readonly isOfElement?: boolean;
}

/** The elements of a multi-valued attribute as rows named `e`, and how each sub-attribute is read from one. */
export interface SqlElements {
  readonly from: string;
  readonly fields: Readonly<Record<string, SqlValue>>;
}

/** What the SQL of one statement is made with. */
export interface SqlContext {
  /** Adds a parameter and returns its placeholder. */
  readonly parameter: (value: unknown) => string;
  /** The placeholder of the tenant's id, and the id itself. */
  readonly tenant: string;
  readonly tenantId: string;
  /** The base of locations and references. */
  readonly baseUrl: string;
}

/** A context for a statement whose first parameter is the tenant's id; it adds the others to the list. */
export function sqlContext(parameters: unknown[], baseUrl: string): SqlContext {
  return { parameter: (value) => `$${parameters.push(value)}`, tenant: '$1', tenantId: String(parameters[0]), baseUrl };
}

/**
 * Where a table keeps what is not in its folded document: values in columns of their own, and elements that are rows of
 * other tables. The table's row is named `r`.
 */
export interface TableColumns {
  readonly table: string;
  /** By `targetKey`. */
  readonly values: Readonly<Record<string, (context: SqlContext) => SqlValue>>;
  /** The values, by `targetKey`, that no two rows of a tenant have in common, by a unique index. */
  readonly unique: readonly string[];
  /** By attribute name. */
  readonly elements: Readonly<Record<string, (context: SqlContext) => SqlElements>>;
}

/** The name of what a target points to: `userName`, `meta.created`, `urn:…:2.0:User:manager.displayName`. */
export function targetKey({ extension, attribute, subAttribute }: AttributeTarget): string {
  const name = subAttribute ? `${attribute.name}.${subAttribute.name}` : attribute.name;
  return extension ? `${extension.id}:${name}` : name;
}

/** A string as an SQL literal. Only for names out of the schema registry; what a client sends is always a parameter. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The columns that every resource table has. */
export function commonColumns(resourceType: string, endpoint: string): TableColumns['values'] {
  return {
    id: () => ({ sql: 'r.id', type: 'uuid', required: true }),
    externalId: () => ({ sql: 'r.external_id', type: 'text' }),
    'meta.resourceType': () => ({ sql: literal(resourceType), type: 'text' }),
    'meta.created': () => ({ sql: 'r.created_at', type: 'timestamptz', required: true }),
    'meta.lastModified': () => ({ sql: 'r.last_modified_at', type: 'timestamptz', required: true }),
    'meta.version': () => ({ sql: `('W/"' || r.version || '"')`, type: 'text' }),
    'meta.location': ({ parameter, baseUrl }) => ({
      sql: `(${parameter(baseUrl + endpoint)}::text || '/' || r.id)`,
      type: 'text',
    }),
  };
}
