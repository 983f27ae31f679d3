import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import pg from 'pg';
import { DataSource, type QueryRunner } from 'typeorm';
import { borrow } from '../../src/persistence/borrowed.js';
import { dataSourceOptions } from '../../src/persistence/data-source.js';
import { toScimError } from '../../src/persistence/database-error.js';
import type { EmbeddedConnection } from '../../src/persistence/embedded-connection.js';
import { openEmbedded } from '../../src/persistence/embedded.js';
import { exclusively } from '../../src/persistence/migrate.js';
import type { ScimClient } from '../support/client.js';
import { inconsistencies } from '../support/consistency.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { dropHomes, newDirectory, newHome, prepareHomes, queryHome } from '../support/home.js';
import { whileNeighbourReads } from '../support/neighbour.js';
import { endProcesses, killProcess, startProcess, stopProcess } from '../support/process.js';
import { describeEmbedded } from '../support/programs.js';
import { startServer, type TestServer } from '../support/server.js';
import { Progress, Writers } from '../support/writers.js';

jest.setTimeout(600_000);

const SCIM_TOKEN = 'token-of-the-embedded-engine-under-test';
/** A statement that would run for days, and looks at no interrupt. */
const endless = 'SELECT count(*) FROM generate_series(1, 1000000000000)';
const insertTenant = (name: string): string =>
  `INSERT INTO tenants (id, name, created_at) VALUES ('${randomUUID()}', '${name}', now())`;
const writing: Writers[] = [];

const writers = (scim: ScimClient, progress: Progress): Writers => {
  const started = new Writers([scim], progress);
  writing.push(started);
  return started;
};

const poolOf = ({ driver }: DataSource): pg.Pool => (driver as unknown as { master: pg.Pool }).master;

/** Runs a statement on a connection of its own, and gives it back with the failure. */
async function run(dataSource: DataSource, query: string | object): Promise<pg.QueryResult> {
  const { client, giveBack } = await borrow(poolOf(dataSource));
  try {
    const result = await client.query(query as pg.QueryConfig);
    giveBack();
    return result;
  } catch (error) {
    giveBack(error);
    throw error;
  }
}

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** When the engine was opened: another time after it was ended. */
async function openedAt(dataSource: DataSource): Promise<unknown> {
  const [row] = await dataSource.query<{ at: Date }[]>('SELECT pg_postmaster_start_time() AS at');
  return row?.at;
}

/** Asks /livez until work is over. @returns how often it was answered 200, and other answers */
async function whileAlive<T>(origin: string, work: Promise<T>): Promise<{ result: T; alive: number; other: number[] }> {
  const state = { isOver: false };
  const over = work.finally(() => (state.isOver = true));
  let alive = 0;
  const other: number[] = [];
  while (!state.isOver) {
    const { status } = await fetch(`${origin}/livez`);
    if (status === 200) alive++;
    else other.push(status);
  }
  return { result: await over, alive, other };
}

describeEmbedded('The engine of the embedded database', () => {
  beforeAll(prepareHomes);
  afterAll(dropHomes);

  describe('on a directory', () => {
    let server: TestServer;

    beforeAll(async () => {
      const { DATA_DIR = '' } = await newHome();
      const opened = openEmbedded(DATA_DIR);
      server = await startServer(
        { SCIM_TOKEN },
        opened.then((database): TestDatabase => ({ database, drop: database.close })),
      );
    });
    afterEach(() => Promise.all(writing.splice(0).map((each) => each.stop())));
    afterAll(() => server.close());

    it('is ended with a statement whose connection is destroyed, again and again, and nobody else notices', async () => {
      const progress = new Progress();
      const neighbour = await server.addTenant('neighbour');
      const { body: user } = await neighbour.post('/Users', { userName: 'quiet' });
      const { failures } = await whileNeighbourReads(neighbour, `/Users/${user.id}`, async () => {
        const started = writers(server.scim, progress);
        for (let round = 0; round < 4; round++) {
          await started.acknowledged.more(10 + 7 * round);
          const before = await openedAt(server.dataSource);
          const ended = failureOf(run(server.dataSource, { text: endless, query_timeout: 100 + 50 * round }));
          const { result, alive, other } = await whileAlive(server.origin, ended);
          expect(toScimError(result)?.row).toBe('unavailable');
          expect(alive).toBeGreaterThan(0);
          expect(other).toEqual([]);
          expect(await openedAt(server.dataSource)).not.toEqual(before);
        }
        await started.acknowledged.more(20);
        await started.stop();
        expect(started.refusals).toEqual(new Map());
        expect(started.lost).toEqual(new Set());
      });
      expect(failures).toEqual([]);
      expect(await progress.contradictions(server.scim)).toEqual([]);
      expect(await inconsistencies((sql) => server.dataSource.query(sql))).toEqual([]);
    });

    it('is ended by a statement beyond its limit, which is answered with 503, and takes back its transaction', async () => {
      const before = await openedAt(server.dataSource);
      const failure = await failureOf(
        server.dataSource.transaction(async (manager) => {
          await manager.query(insertTenant('half'));
          const client = (await manager.queryRunner?.connect()) as { connection: { stream: EmbeddedConnection } };
          expect(client.connection.stream.timeout).toBe(20_000);
          client.connection.stream.setTimeout(300);
          await manager.query(endless);
        }),
      );
      expect(failure).toMatchObject({ driverError: { code: '57014' } });
      expect(toScimError(failure)?.row).toBe('unavailable');
      expect(await server.dataSource.query(`SELECT 1 FROM tenants WHERE name = 'half'`)).toEqual([]);
      expect(await openedAt(server.dataSource)).not.toEqual(before);
    });

    it('has no limit while a migration or a move has it, and has one again afterwards', async () => {
      const limits: number[] = [];
      const limitOf = async (queryRunner: { connect: () => Promise<unknown> }): Promise<void> => {
        const client = (await queryRunner.connect()) as { connection: { stream: EmbeddedConnection } };
        limits.push(client.connection.stream.timeout);
      };
      await exclusively(server.dataSource, limitOf);
      await server.dataSource.transaction((manager) => limitOf(manager.queryRunner as QueryRunner));
      expect(limits).toEqual([0, 20_000]);
    });

    it('goes on when a connection ends that runs nothing, and leaves the next one nothing of its session', async () => {
      const before = await openedAt(server.dataSource);
      const { client, giveBack } = await borrow(poolOf(server.dataSource));
      try {
        await client.query('BEGIN');
        await client.query({ name: 'mine', text: 'SELECT 1' });
        await client.query(insertTenant('left'));
        await client.query('SET plan_cache_mode = auto');
      } finally {
        giveBack(new Error('whoever read it is gone'));
      }
      expect(await server.dataSource.query(`SELECT 1 FROM tenants WHERE name = 'left'`)).toEqual([]);
      expect((await run(server.dataSource, { name: 'mine', text: 'SELECT 2 AS two' })).rows).toEqual([{ two: 2 }]);
      const { rows } = await run(server.dataSource, 'SHOW plan_cache_mode');
      expect(rows).toEqual([{ plan_cache_mode: 'force_generic_plan' }]);
      expect(await openedAt(server.dataSource)).toEqual(before);
    });

    it('passes a large answer in parts, between which others are answered', async () => {
      const rows = 60;
      const large = run(server.dataSource, `SELECT repeat('x', 1000000) AS text FROM generate_series(1, ${rows})`);
      let turns = 0;
      const state = { isOver: false };
      const counting = (async () => {
        for (; !state.isOver; turns++) await turn();
      })();
      const { rows: read } = (await large.finally(() => (state.isOver = true))) as pg.QueryResult<{ text: string }>;
      await counting;
      expect(read.map(({ text }) => text.length)).toEqual(Array.from({ length: rows }, () => 1_000_000));
      // At most 16 parts of 64 KiB come in one turn.
      expect(turns).toBeGreaterThan((rows * 1_000_000) / (17 * 64 * 1024));
    });
  });

  it('in memory loses its data when it is ended, and says so', async () => {
    const { database, drop } = await createDatabase();
    const dataSource = await new DataSource(dataSourceOptions(database)).initialize();
    expect(await failureOf(run(dataSource, { text: endless, query_timeout: 100 }))).toBeDefined();
    const failure = await failureOf(dataSource.query('SELECT 1'));
    expect(failure).toMatchObject({ message: expect.stringMatching(/was in memory and is lost/), code: '57P02' });
    expect(toScimError(failure)?.row).toBe('unavailable');
    await dataSource.destroy();
    await drop();
  });

  describe('of a server', () => {
    afterEach(async () => {
      await endProcesses();
      await Promise.all(writing.splice(0).map((each) => each.stop()));
    });

    const exiting = { SCIM_TOKEN, NODE_OPTIONS: `--import ${resolve('test/support/engine-exit.mjs')}` };

    it('stands still for nobody but a search that would take minutes; kill -9 loses nothing afterwards', async () => {
      const home = await newHome();
      const start = () => startProcess({ ...home, SCIM_TOKEN });
      const server = await start();
      const formatted = 'x'.repeat(65_536);
      const types = Array.from({ length: 10 }, (_, index) => `type-${index}`);
      for (let number = 0; number < 20; number++) {
        const addresses = types.map((type) => ({ type, formatted }));
        expect((await server.scim.post('/Users', { userName: `fat-${number}`, addresses })).status).toBe(201);
      }
      // They differ in the beginning, which is compared last.
      const terms = Array.from({ length: 26 }, (_, index) => `addresses.formatted co "${index}${'x'.repeat(250)}"`);
      const filter = encodeURIComponent(terms.join(' or '));
      const progress = new Progress();
      const started = writers(server.scim, progress);
      await started.acknowledged.more(20);
      const { result, alive, other } = await whileAlive(
        server.origin,
        server.scim.get(`/Users?attributes=userName&filter=${filter}`),
      );
      expect(result.status).toBeGreaterThanOrEqual(400);
      expect(alive).toBeGreaterThan(100);
      expect(other).toEqual([]);
      await started.acknowledged.more(60);
      // Who waited for the engine had an answer; where that was a refusal, it said when to try again.
      expect(started.lost).toEqual(new Set());
      for (const { status, retryAfter } of started.refusals.values()) {
        expect([429, 503]).toContain(status);
        expect(retryAfter).not.toBeNull();
      }
      const ended = server.scim.get(`/Users?attributes=userName&filter=${filter}`).catch(() => undefined);
      await started.acknowledged.more(10).catch(() => undefined);
      await killProcess(server);
      await started.stop();
      await ended;
      expect(await inconsistencies((sql) => queryHome(home, sql))).toEqual([]);
      const again = await start();
      expect(await progress.contradictions(again.scim)).toEqual(
        expect.not.arrayContaining([expect.stringMatching(/^name/)]),
      );
      expect((await again.scim.post('/Users', { userName: 'afterwards' })).status).toBe(201);
    });

    it('is opened again when it exits by itself, and nothing that was acknowledged is lost', async () => {
      const home = await newHome();
      const flag = join(await newDirectory(), 'exits');
      const server = await startProcess({ ...home, ...exiting, ENGINE_EXIT: flag });
      const progress = new Progress();
      const started = writers(server.scim, progress);
      await started.acknowledged.more(30);
      await writeFile(flag, '1');
      await started.refused.more(1);
      await started.acknowledged.more(30);
      await started.stop();
      expect(await readFile(flag, 'utf8')).toBe('0');
      // The statement that ran fails, and the others go on.
      expect([...started.refusals.values()].map(({ status, retryAfter }) => [status, retryAfter])).toEqual([
        [503, '5'],
      ]);
      expect(started.refused.count).toBe(1);
      expect(started.lost).toEqual(new Set());
      expect(await progress.contradictions(server.scim)).toEqual([]);
      expect((await stopProcess(server)).code).toBe(0);
    });

    it('ends the process with a line when it exits by itself again and again', async () => {
      const home = await newHome();
      const flag = join(await newDirectory(), 'exits');
      const server = await startProcess({ ...home, ...exiting, ENGINE_EXIT: flag });
      const { body } = await server.scim.post('/Users', { userName: 'kept' });
      await writeFile(flag, '100');
      await server.scim.post('/Users', { userName: 'lost' }).catch(() => undefined);
      const { code } = await server.exited;
      expect(code).toBe(1);
      expect(server.output().stderr).toMatch(/^The embedded database has stopped: .*\n$/);
      await writeFile(flag, '0');
      const again = await startProcess({ ...home, SCIM_TOKEN });
      expect((await again.scim.get(`/Users/${body.id}`)).status).toBe(200);
    });
  });
});
