import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readConfig } from '../../src/config.js';
import { connectionsFor } from '../../src/persistence/connections.js';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import type { Answer, ScimClient } from '../support/client.js';
import { postgresPrograms, removeClusters, startCluster } from '../support/cluster.js';
import { inconsistencies } from '../support/consistency.js';
import { onServer, serverUrl } from '../support/database.js';
import { scimError } from '../support/errors.js';
import { dropHomes, newHome, prepareHomes, queryHome, type Home } from '../support/home.js';
import { endProcesses, startProcess, stopProcess, type RollcallProcess } from '../support/process.js';
import { proxyTo, type Proxy } from '../support/proxy.js';
import { until } from '../support/until.js';
import { Progress, Writers } from '../support/writers.js';

/** How often a disturbance is repeated: once with every change, more by scripts/faults.mjs. */
const rounds = Number(process.env['FAULT_ROUNDS'] || 1);

jest.setTimeout(90_000 + rounds * 60_000);

/** No answer may take longer, in milliseconds: a connection, a statement, and the silence after it. */
const longestAnswer = 30_000;

const proxies: Proxy[] = [];
const clients: pg.Client[] = [];
const writing: Writers[] = [];

beforeAll(prepareHomes);
afterEach(async () => {
  await endProcesses();
  await Promise.all(writing.splice(0).map((writers) => writers.stop()));
  await Promise.all(proxies.splice(0).map((proxy) => proxy.cut()));
  await Promise.all(clients.splice(0).map((client) => client.end()));
  await removeClusters();
});
afterAll(dropHomes);

const start = (home: Home): Promise<RollcallProcess> =>
  startProcess({ ...home, SCIM_TOKEN: 'outage-test-token-of-32-characters-or-more' });

async function proxied(url: string): Promise<Proxy> {
  const proxy = await proxyTo(url);
  proxies.push(proxy);
  return proxy;
}

/** Starts writers, which end with the test at the latest. */
function write(scim: ScimClient, progress: Progress): Writers {
  const started = new Writers([scim], progress);
  writing.push(started);
  return started;
}

const withTimeout = (url: string, milliseconds: number): string =>
  `${url}?statement_timeout=${milliseconds}&idle_in_transaction_session_timeout=${milliseconds}`;

const unavailable = ({ status, headers, body }: Answer<unknown>) => [status, headers.get('retry-after'), body];
const refused = [503, '5', scimError(503)];

/** Expects that whoever was refused was told to come back, soon enough, and that nothing is half written. */
async function expectWhole(home: Home, writers: Writers): Promise<void> {
  expect([...writers.refusals.values()]).toEqual(
    [...writers.refusals].map(() => ({ status: 503, retryAfter: '5', body: scimError(503) })),
  );
  expect(writers.lost).toEqual(new Set());
  expect(writers.longest).toBeLessThan(longestAnswer);
  expect(await inconsistencies((sql) => queryHome(home, sql))).toEqual([]);
}

/** Waits until a request succeeds. Until then it may only be refused. */
async function recovered(scim: ScimClient): Promise<void> {
  for (;;) {
    const answer = await scim.get<unknown>('/Users?count=1');
    if (answer.status === 200) return;
    expect(unavailable(answer)).toEqual(refused);
  }
}

if (serverUrl !== undefined) {
  describe('PostgreSQL that cannot be reached under load', () => {
    it.each<[string, (proxy: Proxy) => Promise<void> | void]>([
      ['because connections are refused', (proxy) => proxy.cut()],
      ['because the network swallows what is sent', (proxy) => proxy.stall()],
    ])('%s: is answered 503 with Retry-After until it can be reached, without a restart', async (_why, disturb) => {
      const home = await newHome();
      const proxy = await proxied(home['DATABASE_URL'] ?? '');
      const { origin, scim } = await start({ DATABASE_URL: withTimeout(proxy.url, 2_000) });
      const progress = new Progress();
      const writers = write(scim, progress);
      for (let round = 0; round < rounds; round++) {
        await writers.acknowledged.more(40);
        const refusedAll = writers.refused.more(8);
        await disturb(proxy);
        await refusedAll;
        expect(unavailable(await scim.get(`${origin}/readyz`))).toEqual(refused);
        expect((await scim.get(`${origin}/livez`)).status).toBe(200);
        await proxy.mend();
        await recovered(scim);
        await nobodyHoldsLocks(home);
      }
      await writers.acknowledged.more(40);
      await writers.stop();
      expect(await progress.contradictions(scim)).toEqual([]);
      await expectWhole(home, writers);
    });

    /** Waits until transactions that nobody goes on with are over. */
    async function nobodyHoldsLocks(home: Home): Promise<void> {
      const sql = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
        AND state LIKE 'idle in transaction%' AND state_change < now() - interval '2 seconds'`;
      await onServer(home['DATABASE_URL'] ?? '', async (client) => {
        await until(async () => (await client.query(sql)).rows.length === 0);
      });
    }

    it('because connections break in the middle of statements: loses nothing and leaves nothing half written', async () => {
      const home = await newHome();
      const proxy = await proxied(home['DATABASE_URL'] ?? '');
      const { scim } = await start({ DATABASE_URL: proxy.url });
      const progress = new Progress();
      const writers = write(scim, progress);
      for (let round = 0; round < 8 * rounds; round++) {
        await writers.acknowledged.more(10 + round);
        proxy.drop();
      }
      await writers.acknowledged.more(40);
      await writers.stop();
      expect(await progress.contradictions(scim)).toEqual([]);
      await expectWhole(home, writers);
    });

    it('is told of by every kind of request, and by none with what only operators should know', async () => {
      const home = await newHome();
      const proxy = await proxied(home['DATABASE_URL'] ?? '');
      const { scim } = await start({ DATABASE_URL: proxy.url });
      const { body: ann } = await scim.post('/Users', { userName: 'ann', nickName: 'a' });
      await proxy.cut();
      const answers: Answer<unknown>[] = [
        await scim.get(`/Users/${ann.id}`),
        await scim.list('/Groups'),
        await scim.post('/Users', { userName: 'bob' }),
        await scim.put(`/Users/${ann.id}`, { userName: 'ann' }),
        await scim.operations(`/Users/${ann.id}`, [{ op: 'replace', value: { nickName: 'b' } }]),
        await scim.delete(`/Users/${ann.id}`),
        await scim.post('/.search', { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'] }),
      ];
      expect(answers.map(unavailable)).toEqual(answers.map(() => refused));
      expect(answers.map(({ text }) => text).join()).not.toMatch(/ECONN|127\.0\.0\.1|select|terminated/i);
      await proxy.mend();
      expect((await scim.get(`/Users/${ann.id}`)).body).toEqual(ann);
    });
  });

  describe('Rows that somebody else has locked', () => {
    /** Locks all groups, from outside, until the client's transaction ends. */
    async function lockGroups(home: Home): Promise<pg.Client> {
      const client = new pg.Client({ connectionString: home['DATABASE_URL'] });
      clients.push(client);
      await client.connect();
      await client.query('BEGIN');
      await client.query('SELECT 1 FROM groups FOR UPDATE');
      return client;
    }

    async function waitingFor(home: Home, least: number): Promise<void> {
      const sql = `SELECT count(*)::integer AS n FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      await onServer(home['DATABASE_URL'] ?? '', async (client) => {
        await until(async () => ((await client.query<{ n: number }>(sql)).rows[0]?.n ?? 0) >= least);
      });
    }
    const rename = (displayName: string) => [{ op: 'replace', path: 'displayName', value: displayName }];

    it('use all connections of a tenant up: its other changes are answered 503 in the time of a connection, and all is well afterwards', async () => {
      const home = await newHome();
      // Nobody who waits for the lock gives up before the others do.
      const { origin, scim } = await start({ DATABASE_URL: withTimeout(home['DATABASE_URL'] ?? '', 120_000) });
      const { body: group } = await scim.post('/Groups', { displayName: 'locked' });
      const locking = await lockGroups(home);
      const { requests } = connectionsFor(readConfig({}).databaseConnections);
      const share = Math.ceil(requests / 2);
      // More than the tenant may have; how many that is depends on how quick its statements were.
      const waiting = Array.from({ length: requests }, (_, n) =>
        scim.operations(`/Groups/${group.id}`, rename(`name ${n}`)),
      );
      await waitingFor(home, share);
      const others = ['a', 'b', 'c'].map((userName) => scim.post('/Users', { userName }));
      expect((await Promise.all(others)).map(unavailable)).toEqual(others.map(() => refused));
      // What has connections of its own goes on.
      const paths = ['/Users', '/Groups', `${origin}/readyz`, '/Users?filter=title eq "a"'];
      const read = await Promise.all(paths.map((path) => scim.get(path)));
      expect(read.map(({ status }) => status)).toEqual(paths.map(() => 200));
      await locking.query('ROLLBACK');
      const renamed = (await Promise.all(waiting)).filter(({ status }) => status === 204).length;
      expect(renamed).toBeGreaterThanOrEqual(share);
      expect(renamed).toBeLessThan(requests);
      expect((await scim.get(`/Groups/${group.id}`)).body.meta.version).toBe(`W/"${renamed + 1}"`);
    });

    it('are waited for as long as a statement may take, then the answer is 503 and nothing has changed', async () => {
      const home = await newHome();
      const { scim } = await start({ DATABASE_URL: withTimeout(home['DATABASE_URL'] ?? '', 500) });
      const { body: group } = await scim.post('/Groups', { displayName: 'locked' });
      const locking = await lockGroups(home);
      expect(unavailable(await scim.operations(`/Groups/${group.id}`, rename('too late')))).toEqual(refused);
      await locking.query('ROLLBACK');
      expect((await scim.get(`/Groups/${group.id}`)).body).toEqual(group);
      expect((await scim.operations(`/Groups/${group.id}`, rename('in time'))).status).toBe(204);
    });
  });

  if (postgresPrograms() !== undefined) {
    describe('A PostgreSQL server under load', () => {
      it('may be shut down, crash and come back: nothing acknowledged is lost, and nobody restarts Rollcall', async () => {
        const cluster = await startCluster();
        const home = { DATABASE_URL: cluster.url };
        const { scim } = await start(home);
        const progress = new Progress();
        const writers = write(scim, progress);
        for (const mode of Array.from({ length: rounds }, () => ['fast', 'immediate'] as const).flat()) {
          await writers.acknowledged.more(40);
          const refusedAll = writers.refused.more(8);
          await cluster.stop(mode);
          await refusedAll;
          await cluster.start();
          await recovered(scim);
        }
        await writers.acknowledged.more(40);
        await writers.stop();
        expect(await progress.contradictions(scim)).toEqual([]);
        await expectWhole(home, writers);
      });

      it('may be replaced by its standby: what was acknowledged is there, and reads and writes go on', async () => {
        for (let round = 0; round < rounds; round++) {
          const primary = await startCluster();
          const standby = await primary.addStandby();
          const proxy = await proxied(primary.url);
          const started = await start({ DATABASE_URL: proxy.url });
          const { scim } = started;
          const progress = new Progress();
          const writers = write(scim, progress);
          await writers.acknowledged.more(80);
          const refusedAll = writers.refused.more(8);
          await primary.stop('immediate');
          await refusedAll;
          // A standby that is not promoted yet takes connections and refuses writes.
          const refusedAgain = writers.refused.more(8);
          proxy.moveTo(standby.url);
          await recovered(scim);
          await refusedAgain;
          await standby.promote();
          await writers.acknowledged.more(80);
          await writers.stop();
          expect(await progress.contradictions(scim)).toEqual([]);
          await expectWhole({ DATABASE_URL: standby.url }, writers);
          await stopProcess(started);
          await removeClusters();
        }
      });
    });
  }
} else {
  describe('The disk of the embedded database', () => {
    const preload = pathToFileURL(join('test', 'support', 'full-disk.mjs')).href;

    /** A server whose disk can be full. */
    async function startOnDisk(home: Home) {
      const directory = home['DATA_DIR'] ?? '';
      const FULL_DISK = `${directory}.full`;
      const server = await start({ ...home, FULL_DISK, NODE_OPTIONS: `--import ${preload}` });
      return {
        ...server,
        fill: (folder = '') => writeFile(FULL_DISK, join(directory, folder)),
        free: () => rm(FULL_DISK),
      };
    }
    /** A user that takes its place on the disk, because it does not compress. */
    const bulky = (userName: string) => ({
      userName,
      entitlements: Array.from({ length: 10 }, () => ({ value: randomBytes(20_000).toString('base64') })),
    });
    /** Creates users until that is answered with something else than 201. */
    async function createUntilRefused(scim: ScimClient, name: string) {
      const created: string[] = [];
      for (;;) {
        const answer = await scim.post('/Users', bulky(`${name}-${created.length}`));
        if (answer.status !== 201) return { created, answer };
        created.push(answer.body.id);
      }
    }

    it('is full: writes are answered 503, reads go on, nothing is half written, and all is well when there is room', async () => {
      const home = await newHome();
      const disk = await startOnDisk(home);
      const { scim } = disk;
      const progress = new Progress();
      const writers = write(scim, progress);
      for (let round = 0; round < rounds; round++) {
        await writers.acknowledged.more(40);
        const refusedSome = writers.refused.more(40);
        await disk.fill();
        const { created, answer } = await createUntilRefused(scim, `full-${round}`);
        expect(unavailable(answer)).toEqual(refused);
        await refusedSome;
        expect((await scim.list('/Users?count=1')).status).toBe(200);
        await disk.free();
        const kept = await scim.post('/Users', bulky(`room-${round}`));
        expect(kept.status).toBe(201);
        for (const id of [...created, kept.body.id]) expect((await scim.delete(`/Users/${id}`)).status).toBe(204);
      }
      await writers.acknowledged.more(40);
      await writers.stop();
      expect(await progress.contradictions(scim)).toEqual([]);
      // Operators learn why: the SQLSTATE of a full disk.
      expect(disk.output().stdout).toMatch(/"code":"53100".*"msg":"request failed"/);
      await stopProcess(disk);
      await expectWhole(home, writers);
    });

    it('has no room for the log: the process ends, and the next one has every acknowledged write', async () => {
      const home = await newHome();
      const disk = await startOnDisk(home);
      await disk.fill('pg/pg_wal');
      // Whose request it was may be told, or find the connection broken.
      const created: string[] = [];
      const ended = disk.exited.then(() => undefined);
      for (let number = 0; ; number++) {
        const answer = await Promise.race([
          disk.scim.post('/Users', bulky(`log-${number}`)).catch(() => undefined),
          ended,
        ]);
        if (answer === undefined) break;
        expect(unavailable(answer)).toEqual(answer.status === 201 ? [201, null, answer.body] : refused);
        if (answer.status === 201) created.push(answer.body.id);
      }
      const { code, signal } = await disk.exited;
      expect([code === 0, signal]).toEqual([false, null]);
      expect(disk.output().stderr).toMatch(/^The embedded database has stopped: .*No space left on device\n$/);
      expect(created.length).toBeGreaterThan(3);
      const { scim } = await start(home);
      const found = await Promise.all(created.map((id) => scim.get(`/Users/${id}?attributes=id`)));
      expect(found.map(({ status }) => status)).toEqual(created.map(() => 200));
      expect((await scim.post('/Users', { userName: 'afterwards' })).status).toBe(201);
    });
  });
}
