import { migrations } from './migrations/all.js';

/** Which migrations were run on a database. */
export interface SchemaVersion {
  /** Migrations of this release that were not run yet. */
  readonly pending: readonly string[];
  /** Migrations that were run and that this release does not know: a later one was here. */
  readonly unknown: readonly string[];
}

/** The database has migrations of a later release, so this one does not know what it reads and writes. */
export class NewerDatabase extends Error {
  constructor(unknown: readonly string[]) {
    super(
      `A later release was here: this one does not know the migration ${unknown.join(', ')}. ` +
        'Deploy that release or a later one, or restore a backup from before it. Nothing was changed.',
    );
  }
}

/** Asks a database. */
type Query = (sql: string) => Promise<unknown>;

/** Reads which migrations were run, on an empty database too. */
export async function readSchemaVersion(query: Query): Promise<SchemaVersion> {
  const [found] = (await query(`SELECT to_regclass('migrations') IS NOT NULL AS there`)) as { there: boolean }[];
  const rows = found?.there ? ((await query('SELECT name FROM migrations ORDER BY id')) as { name: string }[]) : [];
  const applied = rows.map(({ name }) => name);
  const known: string[] = migrations.map((migration) => new migration().name);
  return {
    pending: known.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !known.includes(name)),
  };
}

/** @throws NewerDatabase for one on which a later release was */
export async function refuseNewer(query: Query): Promise<void> {
  const { unknown } = await readSchemaVersion(query);
  if (unknown.length > 0) throw new NewerDatabase(unknown);
}
