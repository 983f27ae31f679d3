import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { access, cp } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { inconsistencies } from '../support/consistency.js';
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
import { direct } from '../support/pooled.js';
import { dropPostgres, newPostgres } from '../support/postgres.js';
import {
  build,
  endProcesses,
  killProcess,
  startCommand,
  runCommand,
  startProcess,
  stopProcess,
} from '../support/process.js';
import { describeWith } from '../support/programs.js';
import { until } from '../support/until.js';

jest.setTimeout(180_000);

const start = (home: Home) => startProcess({ ...environment, ...home });
const rollcall = (args: string[], home: Home) => runCommand(args, { ...environment, ...home });

/** A directory that a server filled and closed; never changed afterwards, except where a test copies it. */
let from: string;
let credentials: Credentials;
let before: Observation;
/** What is in the source, table by table. */
let rows: Readonly<Record<string, number>>;

const tables = [
  'tenants',
  'tokens',
  'users',
  'groups',
  'group_members',
  'oauth_clients',
  'oauth_client_secrets',
  'issuers',
  'signing_keys',
  'secret_keys',
  'request_counts',
  'resource_counts',
  'resource_count_changes',
  'audit_events',
  'request_log',
  'tenant_bytes',
];
const countRows = async (home: Home): Promise<Record<string, number>> => {
  const counts = tables.map((table) => `SELECT '${table}' AS name, count(*)::integer AS rows FROM "${table}"`);
  const found = await queryHome<{ name: string; rows: number }>(home, counts.join(' UNION ALL '));
  return Object.fromEntries(found.map((table) => [table.name, table.rows]));
};
const tablesOf = (home: Home): Promise<{ name: string }[]> =>
  queryHome(home, `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`);

describeWith([], 'Moving to PostgreSQL', () => {
  beforeAll(async () => {
    await build();
    from = await newDirectory();
    const first = await start({ DATA_DIR: from });
    credentials = await fill(first);
    await stopProcess(first);
    // Some of the directory is counted and some is not yet, as at any moment.
    const home = { DATA_DIR: from };
    await queryHome(
      home,
      `WITH users AS (DELETE FROM resource_count_changes WHERE resource_type = 'User' RETURNING tenant_id, n)
       INSERT INTO resource_counts (tenant_id, resource_type, first_id, n)
         SELECT tenant_id, 'User', '00000000-0000-0000-0000-000000000000', sum(n) FROM users GROUP BY tenant_id`,
    );
    const server = await start(home);
    before = await observe(server, credentials);
    await stopProcess(server);
    rows = await countRows({ DATA_DIR: from });
  });
  afterEach(endProcesses);
  afterAll(dropPostgres);

  describe('rollcall move', () => {
    it('loses nothing: every answer is the same on PostgreSQL, and writing goes on', async () => {
      const home = { DATABASE_URL: await newPostgres() };
      const { code, stdout, stderr } = await rollcall(['move', '--from', from, '--json'], home);
      expect([code, stderr]).toEqual([0, '']);
      const moved = JSON.parse(stdout) as { from: string; tables: { name: string; rows: number }[] };
      expect(moved.from).toBe(from);
      expect(Object.fromEntries(moved.tables.map((table) => [table.name, table.rows]))).toEqual(rows);
      // Each table that has to arrive has something to lose; two may be empty at any moment.
      const empty = Object.keys(rows).filter((name) => rows[name] === 0);
      expect(empty.filter((name) => name !== 'request_counts' && name !== 'resource_count_changes')).toEqual([]);
      expect(await countRows(home)).toEqual(rows);

      const server = await start(home);
      expect(await observe(server, credentials)).toEqual(before);
      expect(await goOn(server, credentials)).toEqual(wentOn);
      await stopProcess(server);
      expect(await inconsistencies((sql) => queryHome(home, sql))).toEqual([]);
      // The source is as it was.
      expect(await countRows({ DATA_DIR: from })).toEqual(rows);
    });

    it('keeps the numbers that come next, so that none of a row that is gone comes again', async () => {
      const copy = await copied();
      const last = `SELECT max(id)::integer AS last FROM audit_events`;
      const [newest] = await queryHome<{ last: number }>({ DATA_DIR: copy }, last);
      await queryHome({ DATA_DIR: copy }, `DELETE FROM audit_events WHERE id > ${(newest?.last ?? 0) - 20}`);
      const home = { DATABASE_URL: await newPostgres() };
      expect((await rollcall(['move', '--from', copy], home)).code).toBe(0);
      expect((await rollcall(['tenant', 'create', 'later'], home)).code).toBe(0);
      expect(await queryHome(home, last)).toEqual([{ last: (newest?.last ?? 0) + 1 }]);
    });

    it('goes into a database with an empty schema as well, says so for people, and a second time is refused', async () => {
      const home = { DATABASE_URL: await newPostgres() };
      expect((await rollcall(['migrate'], home)).code).toBe(0);
      const { stdout: report } = await rollcall(['move', '--from', from], home);
      expect(report).toMatch(
        new RegExp(`^NAME +ROWS\\n(?:\\w+ +\\d+\\n){${tables.length}}Everything is at DATABASE_URL\\.`),
      );
      expect(report).toContain(`keep ${from} as a backup`);
      const { code, stdout, stderr } = await rollcall(['move', '--from', from], home);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^rollcall: The database at DATABASE_URL is not empty: it has rows in .*tenants.*\n$/);
      expect(await countRows(home)).toEqual(rows);
    });

    it('is refused while a server has the directory open', async () => {
      const home = { DATABASE_URL: await newPostgres() };
      const copy = await copied();
      const server = await start({ DATA_DIR: copy });
      const { code, stdout, stderr } = await rollcall(['move', '--from', copy], home);
      expect([code, stdout, stderr]).toEqual([
        1,
        '',
        expect.stringContaining(`${copy} is in use: stop the server first`),
      ]);
      expect(await tablesOf(home)).toEqual([]);
      await stopProcess(server);
    });

    it('is refused for a directory of an earlier or a later release', async () => {
      const home = { DATABASE_URL: await newPostgres() };
      const copy = await copied();
      const last = `(SELECT max(id) FROM migrations)`;
      await queryHome({ DATA_DIR: copy }, `INSERT INTO migrations (timestamp, name) VALUES (2, 'Later2')`);
      const newer = await rollcall(['move', '--from', copy], home);
      expect([newer.code, newer.stderr]).toEqual([1, expect.stringContaining('A later release was here')]);
      await queryHome({ DATA_DIR: copy }, `DELETE FROM migrations WHERE name = 'Later2'`);
      await queryHome({ DATA_DIR: copy }, `DELETE FROM migrations WHERE id = ${last}`);
      const older = await rollcall(['move', '--from', copy], home);
      expect([older.code, older.stderr]).toEqual([1, expect.stringMatching(/earlier release.*rollcall migrate/)]);
      expect(await tablesOf(home)).toEqual([]);
    });

    it('that is killed half way leaves the target without any table', async () => {
      const home = { DATABASE_URL: await newPostgres() };
      // Holds the move up when users have been copied and memberships are to come.
      const holder = new pg.Client({ connectionString: direct(home.DATABASE_URL) });
      holder.on('error', () => undefined);
      await holder.connect();
      await holder.query(`CREATE FUNCTION hold() RETURNS event_trigger LANGUAGE plpgsql AS $$
        BEGIN IF tg_tag = 'ALTER TABLE' AND EXISTS (SELECT 1 FROM users) THEN PERFORM pg_advisory_xact_lock(1); END IF; END $$`);
      await holder.query(
        `CREATE EVENT TRIGGER hold ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION hold()`,
      );
      await holder.query('SELECT pg_advisory_lock(1)');
      const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'`;
      const others = `SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL`;
      const moving = startCommand(['move', '--from', from], { ...environment, ...home });
      await until(async () => (await holder.query(waiting)).rowCount === 1);
      expect(await killProcess(moving)).toEqual({ code: null, signal: 'SIGKILL' });
      await holder.query('SELECT pg_advisory_unlock(1)');
      await until(async () => (await holder.query(others)).rowCount === 0);
      expect(await tablesOf(home)).toEqual([]);
      await holder.query('DROP EVENT TRIGGER hold');
      await holder.end();
      // Neither is the directory held by the process that is gone.
      expect((await rollcall(['move', '--from', from], home)).code).toBe(0);
      expect(await countRows(home)).toEqual(rows);
    });

    it('that does not arrive whole is taken back', async () => {
      const home = { DATABASE_URL: await newPostgres() };
      expect((await rollcall(['migrate'], home)).code).toBe(0);
      await queryHome(home, 'CREATE RULE lose AS ON INSERT TO tokens DO INSTEAD NOTHING');
      const { code, stderr } = await rollcall(['move', '--from', from], home);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/differs from what was sent, in tokens\. Everything was taken back/),
      ]);
      expect(Object.values(await countRows(home)).filter((count) => count > 0)).toEqual([]);
    });
  });

  describe('rollcall move that cannot be meant', () => {
    it('ends with 2 without a target, a source, or a directory with a database, and makes none', async () => {
      const nothing = join(await newDirectory(), 'nothing');
      const DATABASE_URL = 'postgres://postgres@127.0.0.1:1/nothing';
      const outcomes = [
        await rollcall(['move', '--from', from], {}),
        await rollcall(['move'], { DATABASE_URL }),
        await rollcall(['move', '--from', nothing], { DATABASE_URL }),
      ];
      expect(outcomes.map(({ code, stdout, stderr }) => [code, stdout, stderr.split('\n')[0]])).toEqual([
        [2, '', 'rollcall: Set DATABASE_URL to the database to move to.'],
        [2, '', "error: required option '--from <directory>' not specified"],
        [2, '', `rollcall: There is no embedded database in ${nothing}.`],
      ]);
      await expect(access(nothing)).rejects.toThrow('ENOENT');
    });

    it('ends with 1 when the target is away', async () => {
      const away = { DATABASE_URL: 'postgres://postgres@127.0.0.1:1/nothing' };
      const { code, stderr } = await rollcall(['move', '--from', from], away);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^rollcall: The database cannot be reached: .+\n$/)]);
    });
  });
});

async function copied(): Promise<string> {
  const directory = await newDirectory();
  await cp(from, directory, { recursive: true });
  return directory;
}
