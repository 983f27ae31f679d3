import pg from 'pg';
import type { DataSource, DataSourceOptions } from 'typeorm';
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

/** The pool of a data source's connections. */
export const poolOf = ({ driver }: DataSource): pg.Pool => (driver as unknown as { master: pg.Pool }).master;

/** Whether a data source is a database server; the embedded database has one connection, which everybody needs. */
export const isServer = ({ options }: DataSource): boolean => 'url' in options && options.url !== undefined;

/** Sets up a connection that a pool made. */
type SetUp = (client: pg.PoolClient) => Promise<void>;

/**
 * Makes another pool of connections to the same server, which send statements without waiting for answers.
 * @param setUp runs with each connection, after what is set up in all
 */
export function pipelinedPool(shared: pg.Pool, max: number, setUp: SetUp): pg.Pool {
  const { onConnect: setUpAll, ...options } = shared.options as unknown as { readonly onConnect?: SetUp };
  const onConnect = async (client: pg.PoolClient): Promise<void> => {
    await setUpAll?.(client);
    await setUp(client);
  };
  const pool = new pg.Pool({ ...options, max, pipeline: true, onConnect } as object);
  // One that breaks while nobody uses it is of no interest.
  pool.on('error', () => undefined);
  return pool;
}

const watched =
  ({ watch }: EmbeddedDatabase) =>
  (client: pg.PoolClient): Promise<unknown> => {
    watch(client);
    return setUpSession(client);
  };
