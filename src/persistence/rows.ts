import type { EntityMetadata } from 'typeorm';
import type { SqlContext } from './filter-sql/columns.js';

/** The SQL of an entity's rows: its columns by the names that the code has for them. */
export class Rows<E extends object> {
  readonly table: string;
  /** Columns by property. */
  private readonly columns: ReadonlyMap<string, string>;
  /** A select list that makes an entity of the row `r`, without the columns that are never read back. */
  readonly selectList: string;

  constructor(metadata: EntityMetadata) {
    this.table = metadata.tableName;
    this.columns = new Map(metadata.columns.map(({ propertyName, databaseName }) => [propertyName, databaseName]));
    this.selectList = metadata.columns
      .filter(({ isSelect }) => isSelect)
      .map(({ propertyName, databaseName }) => `r.${databaseName} AS "${propertyName}"`)
      .join(', ');
  }

  /** An INSERT of one row of the context's tenant, without RETURNING. */
  insert(row: Omit<E, 'tenantId'>, { tenant, parameter }: SqlContext): string {
    const entries = Object.entries<unknown>(row as Record<string, unknown>);
    const columns = entries.map(([property]) => this.column(property)).join(', ');
    const values = entries.map(([, value]) => parameter(value)).join(', ');
    return `INSERT INTO ${this.table} (tenant_id, ${columns}) VALUES (${tenant}, ${values})`;
  }

  /** The SET clause of an UPDATE. */
  assignments(changes: Partial<E>, { parameter }: SqlContext): string {
    return Object.entries(changes)
      .map(([property, value]) => `${this.column(property)} = ${parameter(value)}`)
      .join(', ');
  }

  private column(property: string): string {
    const column = this.columns.get(property);
    if (column === undefined) throw new Error(`${this.table} has no column for ${property}`);
    return column;
  }
}
