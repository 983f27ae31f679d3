import type { Socket } from 'node:net';
import type pg from 'pg';
import { DataSource, MigrationExecutor, type DataSourceOptions } from 'typeorm';
import type { EmbeddedDatabase } from './embedded.js';
import { migrations } from './migrations/all.js';

// A statement is planned once and not anew for each set of values: planning takes longer than running it, and a plan that
// does not depend on values takes the same time for everybody.
const planOnce = 'SET plan_cache_mode = force_generic_plan; SET jit = off';
const prepare = (client: pg.PoolClient): Promise<unknown> => client.query(planOnce);

// Times in milliseconds. A transaction whose client is gone, or reads nothing for a minute, must not hold its locks and
// connection for longer.
const serverPool = {
  max: 20,
  connectionTimeoutMillis: 5_000,
  idleTimeoutMillis: 30_000,
  statement_timeout: 20_000,
  idle_in_transaction_session_timeout: 60_000,
  onConnect: (client: pg.PoolClient): Promise<unknown> => {
    endWhenSilent(client as unknown as ConnectedClient);
    return prepare(client);
  },
};

/** What a client has beside its public types. */
interface ConnectedClient {
  readonly connection: { readonly stream: Socket };
  /** Of the pool, or of the database's URL, which goes first; false or 0 for none. */
  readonly connectionParameters: { readonly statement_timeout: number | string | false };
  /** Whether no answer is due. */
  readonly readyForQuery: boolean;
}

// How much longer an answer may take than the server lets a statement run.
const silence = 5_000;

/**
 * Ends a connection over which an answer is due and nothing comes, when the server would have ended the statement by
 * itself: something between swallows what is sent, and TCP would take a quarter of an hour to notice.
 */
function endWhenSilent(client: ConnectedClient): void {
  const { stream } = client.connection;
  const statementTimeout = Number(client.connectionParameters.statement_timeout);
  if (!(statementTimeout > 0)) return;
  stream.setTimeout(statementTimeout + silence, () => {
    if (client.readyForQuery) return;
    stream.destroy(Object.assign(new Error('The database server does not answer'), { code: 'ETIMEDOUT' }));
  });
}

/**
 * TypeORM's options for either database. The schema is made by migrations only.
 * @param database a postgres:// URL, or an embedded database that is open
 */
export function dataSourceOptions(database: string | EmbeddedDatabase): DataSourceOptions {
  const common = { type: 'postgres', migrations, synchronize: false, migrationsRun: false, logging: false } as const;
  if (typeof database !== 'string') return { ...common, extra: { ...database.pool, onConnect: watched(database) } };
  return { ...common, url: database, applicationName: 'rollcall', extra: serverPool };
}

const watched =
  ({ watch }: EmbeddedDatabase) =>
  (client: pg.PoolClient): Promise<unknown> => {
    watch(client);
    return prepare(client);
  };

// Any constant: all Rollcall processes on one database must agree on it.
const migrationLock = 7_264_317;

/**
 * Applies the pending migrations in one transaction. Replicas that start together wait for each other.
 * @returns the names of the migrations applied
 */
export async function migrate(dataSource: DataSource): Promise<string[]> {
  return exclusively(dataSource, async (queryRunner) => {
    const executor = new MigrationExecutor(dataSource, queryRunner);
    executor.transaction = 'none';
    return (await executor.executePendingMigrations()).map((migration) => migration.name);
  });
}

/** Runs work in a transaction that only one process at a time holds: a transaction lock also works through a pooler. */
export async function exclusively<T>(
  dataSource: DataSource,
  work: (queryRunner: ReturnType<DataSource['createQueryRunner']>) => Promise<T>,
): Promise<T> {
  const queryRunner = dataSource.createQueryRunner();
  try {
    await queryRunner.startTransaction();
    await queryRunner.query('SELECT pg_advisory_xact_lock($1)', [migrationLock]);
    const result = await work(queryRunner);
    await queryRunner.commitTransaction();
    return result;
  } catch (error) {
    if (queryRunner.isTransactionActive) await queryRunner.rollbackTransaction();
    throw error;
  } finally {
    await queryRunner.release();
  }
}
