import type pg from 'pg';
import type { DataSourceOptions } from 'typeorm';
import type { EmbeddedDatabase } from './embedded.js';
import { migrations } from './migrations/all.js';
import { setUpServerSession, setUpSession, takeTimeouts } from './sessions.js';

const serverPool = { connectionTimeoutMillis: 5_000, idleTimeoutMillis: 30_000 };

/**
 * TypeORM's options for either database. The schema is made by migrations only.
 * @param database a postgres:// URL, or an embedded database that is open
 * @param max the most connections to a server; the embedded database has one
 */
export function dataSourceOptions(database: string | EmbeddedDatabase, max = 10): DataSourceOptions {
  const common = { type: 'postgres', migrations, synchronize: false, migrationsRun: false, logging: false } as const;
  if (typeof database !== 'string') return { ...common, extra: { ...database.pool, onConnect: watched(database) } };
  const { url, timeouts } = takeTimeouts(database);
  const onConnect = (client: pg.PoolClient): Promise<void> => setUpServerSession(client, timeouts);
  return { ...common, url, applicationName: 'rollcall', extra: { ...serverPool, max, onConnect } };
}

const watched =
  ({ watch }: EmbeddedDatabase) =>
  (client: pg.PoolClient): Promise<unknown> => {
    watch(client);
    return setUpSession(client);
  };
