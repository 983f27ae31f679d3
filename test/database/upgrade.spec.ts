import { PGlite } from '@electric-sql/pglite';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../src/persistence/data-source.js';
import { openEmbedded } from '../../src/persistence/embedded.js';
import { migrations } from '../../src/persistence/migrations/all.js';
import { readTables, type Table } from '../../src/persistence/tables.js';
import { inconsistencies } from '../support/consistency.js';
import { serverUrl } from '../support/database.js';
import { newDirectory, queryHome, type Home } from '../support/home.js';
import {
  environment,
  fill,
  goOn,
  observe,
  wentOn,
  type Credentials,
  type Observation,
} from '../support/observation.js';
import { dropPostgres, newPostgres } from '../support/postgres.js';
import { describeWith } from '../support/programs.js';
import { build, endProcesses, runCommand, runToEnd, startProcess, stopProcess } from '../support/process.js';

jest.setTimeout(180_000);

const names = migrations.map((migration) => new migration().name);

/** Since which migration a database can hold a part of what is seen. */
const since: Record<keyof Observation, number> = {
  directory: 1,
  page: 2,
  administration: 3,
  oauth: 4,
  audit: 8,
  requests: 9,
};

/** Written by triggers where there are any, and otherwise by the migration that brings them. */
const counted = ['resource_counts', 'resource_count_changes'];

/** What today's release keeps: the rows of each table as JSON. */
type Rows = ReadonlyMap<string, string>;

let rows: Rows;
let credentials: Credentials;
let before: Observation;
/** An embedded database without any table, to be copied: making one takes seconds. */
let blank: string;

const start = (home: Home) => startProcess({ ...environment, ...home });

beforeAll(async () => {
  await build();
  if (serverUrl === undefined) {
    blank = await newDirectory();
    await (await PGlite.create({ dataDir: join(blank, 'pg') })).close();
  }
  const home = await blankHome();
  const first = await start(home);
  credentials = await fill(first);
  // What is kept in memory is written when it ends.
  await stopProcess(first);
  rows = await withDatabase(home, names.length, readRows);
  const server = await start(home);
  before = await observe(server, credentials);
  await stopProcess(server);
});
afterEach(endProcesses);
afterAll(dropPostgres);

async function blankHome(): Promise<Home> {
  if (serverUrl !== undefined) return { DATABASE_URL: await newPostgres() };
  const DATA_DIR = await newDirectory();
  await cp(blank, DATA_DIR, { recursive: true });
  return { DATA_DIR };
}

/** Does work with a database, for which the first so many migrations are known. */
async function withDatabase<T>(home: Home, known: number, work: (dataSource: DataSource) => Promise<T>): Promise<T> {
  const { DATABASE_URL: url, DATA_DIR: directory = '' } = home;
  const embedded = url === undefined ? await openEmbedded(directory) : undefined;
  const options = { ...dataSourceOptions(embedded ?? url ?? ''), migrations: migrations.slice(0, known) };
  const dataSource = await new DataSource(options).initialize();
  try {
    return await work(dataSource);
  } finally {
    await dataSource.destroy();
    await embedded?.close();
  }
}

/** The tables, read and the connection given back: the embedded database has one. */
async function tablesOf(dataSource: DataSource): Promise<Table[]> {
  const queryRunner = dataSource.createQueryRunner();
  return readTables(queryRunner).finally(() => queryRunner.release());
}

async function readRows(dataSource: DataSource): Promise<Rows> {
  const found = new Map<string, string>();
  for (const { name } of await tablesOf(dataSource)) {
    const [table] = await dataSource.query<{ rows: string }[]>(
      `SELECT coalesce(json_agg(r), '[]')::text AS rows FROM "${name}" r`,
    );
    found.set(name, table?.rows ?? '[]');
  }
  return found;
}

/** Makes a database as the release with so many migrations left it: with the columns that it had. */
async function databaseOf(release: number): Promise<Home> {
  const home = await blankHome();
  await withDatabase(home, release, async (dataSource) => {
    await dataSource.runMigrations({ transaction: 'all' });
    for (const { name, columns } of await tablesOf(dataSource)) {
      if (counted.includes(name)) continue;
      const stored = columns.filter(({ isGenerated }) => !isGenerated).map((column) => `"${column.name}"`);
      await dataSource.query(
        `INSERT INTO "${name}" (${stored.join(', ')}) OVERRIDING SYSTEM VALUE
         SELECT ${stored.join(', ')} FROM json_populate_recordset(NULL::"${name}", $1)`,
        [rows.get(name)],
      );
      for (const column of columns.filter(({ isIdentity }) => isIdentity)) {
        await dataSource.query(
          `SELECT setval(pg_get_serial_sequence('${name}', '${column.name}'), max("${column.name}")) FROM "${name}"`,
        );
      }
    }
  });
  return home;
}

/** All that there were; on the embedded database, where each takes long, the first and the last. */
const releases = names.slice(0, -1).map((name, index) => ({ name, release: index + 1 }));
const chosen = releases.filter(({ release }) => serverUrl !== undefined || [1, releases.length].includes(release));

describe.each(chosen)('A filled database whose last migration is $name', ({ release }) => {
  it('answers as before when a start has brought it up to date, and is written to', async () => {
    const home = await databaseOf(release);
    const server = await start(home);
    const after = await observe(server, credentials);
    for (const [part, first] of Object.entries(since) as [keyof Observation, number][]) {
      if (first <= release) expect([part, after[part]]).toEqual([part, before[part]]);
    }
    expect(await goOn(server, credentials)).toEqual(wentOn);
    await stopProcess(server);
    const applied = await queryHome<{ name: string }>(home, 'SELECT name FROM migrations ORDER BY id');
    expect(applied.map(({ name }) => name)).toEqual(names);
    // What was written before there was an audit trail has no events.
    const isJudged = (line: string): boolean => release >= since.audit || /^a (?:total|membership)/.test(line);
    expect((await inconsistencies((sql) => queryHome(home, sql))).filter(isJudged)).toEqual([]);
  });
});

describe('A database on which a later release was', () => {
  const later = 'Later1999999999999';
  const reason = new RegExp(
    `A later release was here: this one does not know the migration ${later}\\. Deploy that release or a later one`,
  );
  const deployLater = (home: Home) =>
    queryHome(home, `INSERT INTO migrations (timestamp, name) VALUES (1999999999999, '${later}') RETURNING id`);
  const everything = (home: Home) =>
    withDatabase(home, names.length, async (dataSource) => [
      ...(await readRows(dataSource)),
      await dataSource.query<unknown[]>('SELECT name FROM migrations ORDER BY id'),
    ]);

  it('is refused by the start and by every command, in one line and with 1, and is not changed', async () => {
    // One with something pending as well, which must not be applied.
    const home = await databaseOf(names.length - 1);
    await deployLater(home);
    const left = await everything(home);
    const started = await runToEnd({ ...environment, ...home });
    expect([started.code, started.stdout]).toEqual([1, expect.not.stringContaining('listens')]);
    expect(started.stderr).toMatch(new RegExp(`^${reason.source}[^\\n]*\\n$`));
    for (const command of [['migrate'], ['tenant', 'list']]) {
      const { code, stdout, stderr } = await runCommand(command, { ...environment, ...home });
      expect([code, stdout, stderr]).toEqual([1, '', expect.stringMatching(/^rollcall: [^\n]+\n$/)]);
      expect(stderr).toMatch(reason);
    }
    const { code, stdout } = await runCommand(['check'], { ...environment, ...home });
    expect([code, stdout]).toEqual([1, expect.stringMatching(new RegExp(`migrations +FAILED .*${reason.source}`))]);
    expect(await everything(home)).toEqual(left);
  });

  describeWith([], 'while servers of this one run', () => {
    it('goes on being served by them, until they are replaced', async () => {
      const home = await databaseOf(names.length);
      const running = await start(home);
      await deployLater(home);
      expect((await runToEnd({ ...environment, ...home })).code).toBe(1);
      expect(await goOn(running, credentials)).toEqual(wentOn);
      expect(await stopProcess(running)).toEqual({ code: 0, signal: null });
    });
  });
});
