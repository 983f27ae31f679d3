import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../persistence/data-source.js';
import type { EmbeddedDatabase } from '../persistence/embedded.js';
import { migrate } from '../persistence/migrate.js';
import { readSchemaVersion, type SchemaVersion } from '../persistence/schema-version.js';

const oldestVersion = 15;

/** What a database is found to be. */
export interface DatabaseState extends SchemaVersion {
  /** PostgreSQL's version, such as 17.2 */
  readonly version: string;
  readonly isSupported: boolean;
}

/** Looks at a database without changing it. */
export function inspect(database: string | EmbeddedDatabase): Promise<DatabaseState> {
  return connected(database, async (dataSource) => {
    const [server] = await dataSource.query<{ number: string; version: string }[]>(
      `SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version`,
    );
    return {
      version: server?.version.split(' ')[0] ?? '',
      isSupported: Number(server?.number) >= oldestVersion * 10_000,
      ...(await readSchemaVersion((sql) => dataSource.query(sql))),
    };
  });
}

/** Applies the pending migrations. @returns their names */
export const applyMigrations = (database: string | EmbeddedDatabase): Promise<string[]> => connected(database, migrate);

/** Does work with a connection to a database, which is not changed by that alone. */
export async function connected<T>(
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
