import type { Socket } from 'node:net';
import type pg from 'pg';
import { MigrationExecutor, type DataSource, type QueryRunner } from 'typeorm';
import { refuseNewer } from './schema-version.js';

// Any constant: all Rollcall processes on one database must agree on it.
const migrationLock = 7_264_317;

/**
 * Applies the pending migrations in one transaction. Replicas that start together wait for each other.
 * @returns the names of the migrations applied
 * @throws NewerDatabase when a later release was here; nothing is changed then
 */
export async function migrate(dataSource: DataSource): Promise<string[]> {
  return exclusively(dataSource, (queryRunner) => applyPending(dataSource, queryRunner));
}

/**
 * Applies the pending migrations in the transaction that is open.
 * @returns their names
 * @throws NewerDatabase when a later release was here
 */
export async function applyPending(dataSource: DataSource, queryRunner: QueryRunner): Promise<string[]> {
  await refuseNewer((sql) => queryRunner.query(sql));
  const executor = new MigrationExecutor(dataSource, queryRunner);
  executor.transaction = 'none';
  return (await executor.executePendingMigrations()).map((migration) => migration.name);
}

/**
 * Runs work in a transaction that only one process at a time holds: a transaction lock also works through a pooler. It may
 * take as long as it takes, unlike a request.
 */
export async function exclusively<T>(
  dataSource: DataSource,
  work: (queryRunner: QueryRunner) => Promise<T>,
): Promise<T> {
  const queryRunner = dataSource.createQueryRunner();
  const limit = await liftSilenceLimit(queryRunner);
  try {
    await queryRunner.startTransaction();
    await queryRunner.query('SET LOCAL statement_timeout = 0');
    await queryRunner.query('SET LOCAL idle_in_transaction_session_timeout = 0');
    await queryRunner.query('SELECT pg_advisory_xact_lock($1)', [migrationLock]);
    const result = await work(queryRunner);
    await queryRunner.commitTransaction();
    return result;
  } catch (error) {
    if (queryRunner.isTransactionActive) await queryRunner.rollbackTransaction();
    throw error;
  } finally {
    limit.restore();
    await queryRunner.release();
  }
}

/** Lets the connection be silent for longer than a request's statement may take; on the embedded one that is its limit. */
async function liftSilenceLimit(queryRunner: QueryRunner): Promise<{ restore: () => void }> {
  const client = (await queryRunner.connect()) as pg.PoolClient & { connection: { stream: Socket } };
  const { stream } = client.connection;
  const { timeout } = stream;
  if (!timeout) return { restore: () => undefined };
  stream.setTimeout(0);
  return { restore: () => void stream.setTimeout(timeout) };
}
