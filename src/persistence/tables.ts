import type { QueryRunner } from 'typeorm';

/** A column of a table. */
export interface Column {
  readonly name: string;
  /** As SQL has it, such as `timestamp(3) with time zone`. */
  readonly type: string;
  /** Whether the database makes its value from others of the row. */
  readonly isGenerated: boolean;
  /** Whether the database numbers the rows by it. */
  readonly isIdentity: boolean;
}

/** A table, and what its rows have. */
export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
}

interface CatalogueRow extends Table {
  readonly references: readonly string[];
}

/**
 * Reads the tables of the schema from the catalogue, so that none can be forgotten; all but the list of migrations.
 * @returns those that others refer to before the others
 */
export async function readTables(queryRunner: QueryRunner): Promise<Table[]> {
  const rows = (await queryRunner.query(
    `SELECT t.relname AS name,
       (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
          'isGenerated', a.attgenerated <> '', 'isIdentity', a.attidentity <> '') ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
       (SELECT coalesce(json_agg(o.relname), '[]') FROM pg_constraint f JOIN pg_class o ON o.oid = f.confrelid
        WHERE f.contype = 'f' AND f.conrelid = t.oid AND f.confrelid <> t.oid) AS references
     FROM pg_class t
     WHERE t.relkind IN ('r', 'p') AND t.relnamespace = current_schema()::regnamespace AND t.relname <> 'migrations'
     ORDER BY t.relname`,
  )) as CatalogueRow[];
  const ordered: CatalogueRow[] = [];
  const isDone = (name: string): boolean => ordered.some((table) => table.name === name);
  while (ordered.length < rows.length) {
    const next = rows.find((table) => !isDone(table.name) && table.references.every(isDone));
    if (!next) throw new Error('Tables refer to each other in a circle');
    ordered.push(next);
  }
  return ordered.map(({ name, columns }) => ({ name, columns }));
}
