import { PGlite } from '@electric-sql/pglite';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { madeOnce } from './made-once.js';
import { createDatabase, onServer, serverUrl } from './database.js';
import { build, startProcess, stopProcess } from './process.js';

/** Where processes keep their data, as environment variables. */
export type Home = Readonly<Record<string, string>>;

const drops: (() => Promise<void>)[] = [];
/** An embedded database that is initialised, to be copied, for the first opening takes seconds. */
let prepared: string | undefined;

/** An empty directory of a test's own. */
export const newDirectory = () => mkdtemp(join(process.env['ROLLCALL_TEST_DIR'] ?? '', 'data-'));

/** Builds the program and, for embedded databases, initialises the one that homes are copies of. */
export async function prepareHomes(): Promise<void> {
  await build();
  if (serverUrl !== undefined) return;
  const home = await madeOnce('home', async (directory) => {
    const { code } = await stopProcess(await startProcess({ DATA_DIR: join(directory, 'data') }));
    if (code !== 0) throw new Error(`The first start ended with ${code}`);
  });
  prepared = join(home, 'data');
}

/** Makes an empty database of a test's own. */
export async function newHome(): Promise<Home> {
  if (serverUrl !== undefined) {
    const { database, drop } = await createDatabase();
    drops.push(drop);
    return { DATABASE_URL: database as string };
  }
  const directory = await newDirectory();
  drops.push(() => rm(directory, { recursive: true, force: true }));
  if (prepared !== undefined) await cp(prepared, directory, { recursive: true });
  return { DATA_DIR: directory };
}

/** Asks the database of a home. An embedded one must not be open in a process. */
export async function queryHome<Row extends object>(home: Home, sql: string): Promise<Row[]> {
  const { DATABASE_URL: url, DATA_DIR: directory = '' } = home;
  if (url !== undefined) return onServer(url, async (client) => (await client.query<Row>(sql)).rows);
  const database = await PGlite.create({ dataDir: join(directory, 'pg') });
  try {
    return (await database.query<Row>(sql)).rows;
  } finally {
    await database.close();
  }
}

/** Removes all homes. No process may use them any more. */
export async function dropHomes(): Promise<void> {
  for (const drop of drops.splice(0)) await drop();
}
