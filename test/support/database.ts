import { PGlite } from '@electric-sql/pglite';
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../src/persistence/data-source.js';
import { openEmbedded, openEmbeddedInMemory, type EmbeddedDatabase } from '../../src/persistence/embedded.js';
import { migrate } from '../../src/persistence/migrate.js';
import { madeOnce } from './made-once.js';

/** A migrated, empty database of a test's own. */
export interface TestDatabase {
  /** What the application is started on. */
  readonly database: string | EmbeddedDatabase;
  /** Closes it and, on a server, drops it. */
  readonly drop: () => Promise<void>;
}

/** The PostgreSQL server that the suite runs on; undefined for the embedded database. */
export const serverUrl = process.env['DATABASE_URL'] || undefined;

/** Makes a database: a clone of one that is migrated once for a run of the tests. */
export function createDatabase(): Promise<TestDatabase> {
  return serverUrl === undefined ? cloneEmbedded() : cloneOnServer(serverUrl);
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: tests run through npm test`);
  return value;
}

async function cloneEmbedded(): Promise<TestDatabase> {
  const template = await madeOnce('template', async (directory) => {
    const embedded = await openEmbedded(directory);
    await migrateAndClose(embedded);
    await embedded.close();
    const database = await PGlite.create({ dataDir: join(directory, 'pg') });
    const dump = await database.dumpDataDir('none');
    await database.close();
    await writeFile(join(directory, 'data.tar'), Buffer.from(await dump.arrayBuffer()));
  });
  const embedded = await openEmbeddedInMemory(await readFile(join(template, 'data.tar')));
  return { database: embedded, drop: embedded.close };
}

async function migrateAndClose(database: string | EmbeddedDatabase): Promise<void> {
  const dataSource = await new DataSource(dataSourceOptions(database)).initialize();
  await migrate(dataSource);
  await dataSource.destroy();
}

/** Runs statements on the server's own database, outside any transaction. */
export async function onServer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The URL of another database on the same server. */
export function databaseUrl(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${name}`;
  return other.toString();
}

async function cloneOnServer(url: string): Promise<TestDatabase> {
  const prefix = required('ROLLCALL_TEST_PREFIX');
  const template = `${prefix}_template`;
  await madeOnce('template', async () => {
    await onServer(url, (client) => client.query(`CREATE DATABASE "${template}"`));
    await migrateAndClose(databaseUrl(url, template));
  });
  const name = `${prefix}_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  await onServer(url, (client) => client.query(`CREATE DATABASE "${name}" TEMPLATE "${template}"`));
  return {
    database: databaseUrl(url, name),
    drop: () =>
      onServer(url, async (client) => void (await client.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`))),
  };
}
