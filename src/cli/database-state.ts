import { DataSource } from 'typeorm';
import { dataSourceOptions, migrate } from '../persistence/data-source.js';
import type { EmbeddedDatabase } from '../persistence/embedded.js';
import { migrations } from '../persistence/migrations/all.js';

const oldestVersion = 15;

/** What a database is found to be. */
export interface DatabaseState {
  /** PostgreSQL's version, such as 17.2 */
  readonly version: string;
  readonly isSupported: boolean;
  /** Migrations of this release that are not applied yet. */
  readonly pending: readonly string[];
  /** Migrations that are applied and that this release does not know: a later one was here. */
  readonly unknown: readonly string[];
}

/** Looks at a database without changing it. */
export function inspect(database: string | EmbeddedDatabase): Promise<DatabaseState> {
  return connected(database, async (dataSource) => {
    const [server] = await dataSource.query<{ number: string; version: string; migrated: boolean }[]>(
      `SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version,
              to_regclass('migrations') IS NOT NULL AS migrated`,
    );
    const applied = server?.migrated
      ? (await dataSource.query<{ name: string }[]>('SELECT name FROM migrations ORDER BY id')).map(({ name }) => name)
      : [];
    const known: string[] = migrations.map((migration) => new migration().name);
    return {
      version: server?.version.split(' ')[0] ?? '',
      isSupported: Number(server?.number) >= oldestVersion * 10_000,
      pending: known.filter((name) => !applied.includes(name)),
      unknown: applied.filter((name) => !known.includes(name)),
    };
  });
}

/** Applies the pending migrations. @returns their names */
export const applyMigrations = (database: string | EmbeddedDatabase): Promise<string[]> => connected(database, migrate);

async function connected<T>(
  database: string | EmbeddedDatabase,
  work: (dataSource: DataSource) => Promise<T>,
): Promise<T> {
  const dataSource = await new DataSource(dataSourceOptions(database)).initialize();
  try {
    return await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}
