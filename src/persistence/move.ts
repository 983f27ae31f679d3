import type { DataSource, QueryRunner } from 'typeorm';
import { applyPending, exclusively } from './migrate.js';
import { refuseNewer, readSchemaVersion } from './schema-version.js';
import { readTables, type Column, type Table } from './tables.js';

/** The move cannot be made, or went wrong and was taken back. The message says why and what to do. */
export class MoveRefused extends Error {}

/** A table that was moved, and how many rows it has. */
export interface MovedTable {
  readonly name: string;
  readonly rows: number;
}

/** What a table holds: two with the same rows, in whatever order, have the same. */
interface Content extends MovedTable {
  readonly digest: string;
}

// What is held in memory at a time; a row is at most about as large as a request.
const rowsAtOnce = 200;

/**
 * Copies everything that Rollcall keeps from one database to another that has nothing of it, as it is: ids, versions,
 * times, secrets, and the numbers that come next. The target's schema is made by the same transaction as its rows, so
 * whatever goes wrong leaves it as it was. The source is only read.
 * @returns the tables, in the order they were copied
 * @throws NewerDatabase when a later release was on either
 * @throws MoveRefused when the source is not up to date, the target has rows, or does not have at the end what the source has
 */
export function move(source: DataSource, target: DataSource): Promise<MovedTable[]> {
  return exclusively(source, (reader) =>
    exclusively(target, async (writer) => {
      await refuseOutdated(reader);
      await applyPending(target, writer);
      const tables = await readTables(reader);
      await writer.query(`LOCK TABLE ${tables.map(({ name }) => quoted(name)).join(', ')} IN SHARE ROW EXCLUSIVE MODE`);
      await refuseFilled(writer, tables);
      for (const each of [reader, writer]) for (const setting of textForms) await each.query(`SET LOCAL ${setting}`);
      for (const table of tables) await copy(reader, writer, table);
      return compare(await contents(reader, tables), await contents(writer, tables));
    }),
  );
}

// Values go from one to the other as text, and are compared as text.
const textForms = [
  `TimeZone = 'UTC'`,
  `DateStyle = 'ISO'`,
  `IntervalStyle = 'postgres'`,
  `bytea_output = 'hex'`,
  `extra_float_digits = 1`,
];

const quoted = (name: string): string => `"${name}"`;

async function refuseOutdated(reader: QueryRunner): Promise<void> {
  const query = (sql: string) => reader.query(sql);
  await refuseNewer(query);
  const { pending } = await readSchemaVersion(query);
  if (pending.length === 0) return;
  throw new MoveRefused(
    `The embedded database is of an earlier release (pending: ${pending.join(', ')}). Bring it up to date first: run ` +
      'rollcall migrate with DATA_DIR set to it and without DATABASE_URL.',
  );
}

async function refuseFilled(writer: QueryRunner, tables: readonly Table[]): Promise<void> {
  const filled: string[] = [];
  for (const { name } of tables) {
    const rows = (await writer.query(`SELECT 1 FROM ${quoted(name)} LIMIT 1`)) as unknown[];
    if (rows.length > 0) filled.push(name);
  }
  if (filled.length === 0) return;
  throw new MoveRefused(
    `The database at DATABASE_URL is not empty: it has rows in ${filled.join(', ')}. Nothing was changed; name an ` +
      'empty one. A server that was started on it has made a tenant and keys of its own.',
  );
}

/** Copies a table's rows and the numbers that come next. Its triggers rest: what they would count is copied as well. */
async function copy(reader: QueryRunner, writer: QueryRunner, { name, columns }: Table): Promise<void> {
  const table = quoted(name);
  await writer.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
  const stored = columns.filter(({ isGenerated }) => !isGenerated);
  const insert = insertOf(table, stored);
  const texts = stored.map((column) => `${quoted(column.name)}::text`).join(', ');
  await reader.query(`DECLARE moved NO SCROLL CURSOR FOR SELECT ${texts} FROM ${table}`);
  for (;;) {
    const rows = (await reader.query(`FETCH ${rowsAtOnce} FROM moved`)) as Record<string, string | null>[];
    if (rows.length === 0) break;
    await writer.query(
      insert,
      stored.map((column) => rows.map((row) => row[column.name])),
    );
  }
  await reader.query('CLOSE moved');
  for (const column of columns.filter(({ isIdentity }) => isIdentity)) {
    await continueNumbers(reader, writer, name, column);
  }
  await writer.query(`ALTER TABLE ${table} ENABLE TRIGGER USER`);
  // The first statements are planned by what is there and not by guesses.
  await writer.query(`ANALYZE ${table}`);
}

/** An INSERT whose parameters are columns: an array of texts for each. */
function insertOf(table: string, columns: readonly Column[]): string {
  const names = columns.map(({ name }) => quoted(name)).join(', ');
  const values = columns.map(({ name, type }) => `r.${quoted(name)}::${type}`).join(', ');
  const parameters = columns.map((_, index) => `$${index + 1}::text[]`).join(', ');
  return `INSERT INTO ${table} (${names}) OVERRIDING SYSTEM VALUE SELECT ${values} FROM unnest(${parameters}) AS r(${names})`;
}

/** Sets a column's next number to the source's: numbers of rows that are gone must not come again. */
async function continueNumbers(
  reader: QueryRunner,
  writer: QueryRunner,
  table: string,
  { name }: Column,
): Promise<void> {
  const sequenceOf = async (queryRunner: QueryRunner): Promise<string> => {
    const sql = 'SELECT pg_get_serial_sequence($1, $2) AS name';
    const [sequence] = (await queryRunner.query(sql, [quoted(table), name])) as { name: string }[];
    return sequence?.name ?? '';
  };
  const state = `SELECT last_value::text AS last, is_called AS called FROM ${await sequenceOf(reader)}`;
  const [next] = (await reader.query(state)) as { last: string; called: boolean }[];
  await writer.query('SELECT setval($1::regclass, $2::bigint, $3)', [
    await sequenceOf(writer),
    next?.last,
    next?.called,
  ]);
}

async function contents(queryRunner: QueryRunner, tables: readonly Table[]): Promise<Content[]> {
  const found: Content[] = [];
  for (const { name } of tables) {
    const [content] = (await queryRunner.query(
      `SELECT count(*)::integer AS rows,
              coalesce(sum(('x' || left(md5(r::text), 16))::bit(64)::bigint), 0)::text AS digest
       FROM ${quoted(name)} r`,
    )) as Omit<Content, 'name'>[];
    if (content) found.push({ name, ...content });
  }
  return found;
}

/** @throws MoveRefused unless both have the same */
function compare(source: readonly Content[], target: readonly Content[]): MovedTable[] {
  const differing = source.filter(({ rows, digest }, index) => {
    const other = target[index];
    return other?.rows !== rows || other.digest !== digest;
  });
  if (differing.length === 0) return source.map(({ name, rows }) => ({ name, rows }));
  const names = differing.map(({ name }) => name).join(', ');
  throw new MoveRefused(`What arrived differs from what was sent, in ${names}. Everything was taken back.`);
}
