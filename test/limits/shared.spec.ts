import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { PostgresUsage } from '../../src/limits/postgres-usage.js';
import { RedisUsage } from '../../src/limits/redis-usage.js';
import { UsageExchange } from '../../src/limits/usage-exchange.js';
import { UsageStore } from '../../src/limits/usage-store.js';
import { TokensService } from '../../src/auth/tokens.service.js';
import { startAdministered, type AdministeredServer } from '../support/admin.js';
import { ScimClient } from '../support/client.js';
import { fakeClock } from '../support/clock.js';
import { serverUrl } from '../support/database.js';
import { freePort } from '../support/free-port.js';
import { describeWith, findProgram, startProgram } from '../support/programs.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { author } from '../support/server.js';

const tenantId = '019aaf3c-6b5e-7cc1-a4ad-0f8d8e5f0a11';
const key = `tenant:${tenantId}`;
const environment = { RATE_LIMIT: 'on', REQUESTS_PER_SECOND: '5', FAILED_AUTHENTICATIONS_PER_MINUTE: '5' };

const redisServer = findProgram('redis-server');

const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  jest.useRealTimers();
  for (const end of ends.splice(0).reverse()) await end();
});

/** A process that has the tenant, with a client of it. */
async function startReplica(redisUrl: string): Promise<{ server: AdministeredServer; client: ScimClient }> {
  const server = await startAdministered({ ...environment, REDIS_URL: redisUrl });
  ends.push(server.close);
  await server.dataSource.query(`INSERT INTO tenants (id, name, created_at) VALUES ($1, 'shared', now())`, [tenantId]);
  const { secret } = await server.app.get(TokensService).issue(author, { id: tenantId }, { name: 'test' });
  return { server, client: new ScimClient(server.scim.baseUrl, secret) };
}

const exchange = ({ app }: AdministeredServer): Promise<void> => app.get(UsageExchange).exchange();

/** Sends requests one after the other. @returns how many were admitted */
async function admitted(client: ScimClient, count: number): Promise<number> {
  let found = 0;
  for (let at = 0; at < count; at++) if ((await client.list('/Users?count=0')).status === 200) found++;
  return found;
}

describe('processes with a REDIS_URL in common', () => {
  let redis: TestRedis;

  /** Starts two, and waits until they have told each other of the tenant. */
  async function startTwo() {
    redis = await startRedis();
    ends.push(redis.stop);
    const replicas = [await startReplica(redis.url), await startReplica(redis.url)] as const;
    for (const [at, { server }] of replicas.entries()) {
      // Of a tenant that the other has not, until the connection to Redis is there.
      while (redis.counts.size <= at) {
        await server.scim.list('/Users');
        await exchange(server);
      }
    }
    fakeClock(Date.now());
    for (const { server, client } of replicas) {
      await admitted(client, 1);
      await exchange(server);
    }
    return replicas;
  }

  it('count together what a tenant sends to either', async () => {
    const [one, two] = await startTwo();
    expect(await admitted(one.client, 20)).toBe(9);
    await exchange(one.server);
    // Until it has heard of it, the other has a burst of its own.
    expect(await admitted(two.client, 1)).toBe(1);
    await exchange(two.server);
    expect(await admitted(two.client, 20)).toBe(0);
    jest.setSystemTime(Date.now() + 2_000);
    expect((await admitted(one.client, 20)) + (await admitted(two.client, 20))).toBeGreaterThan(0);
  });

  it('count together what a source guesses', async () => {
    const [one, two] = await startTwo();
    const guess = async ({ server }: typeof one): Promise<number> =>
      (await server.scim.get('/Users', { token: `guess-${Math.random()}` })).status;
    expect([await guess(one), await guess(two)]).toEqual([401, 401]);
    await exchange(one.server);
    await exchange(two.server);
    for (let at = 0; at < 4; at++) expect(await guess(one)).toBe(401);
    expect(await guess(one)).toBe(429);
    await exchange(one.server);
    expect(await guess(two)).toBe(401);
    await exchange(two.server);
    expect(await guess(two)).toBe(429);
  });

  it('ask it once for all tenants, not for each request, and keep counts for ten minutes', async () => {
    const [one] = await startTwo();
    const store = jest.spyOn(one.server.app.get(UsageExchange)['store'] as UsageStore, 'add');
    await admitted(one.client, 5);
    await one.server.scim.list('/Users');
    expect(store).not.toHaveBeenCalled();
    await exchange(one.server);
    expect(store.mock.calls.map(([used]) => used.map(({ count }) => count).sort())).toEqual([[1, 5]]);
    expect(redis.kept.get(`rollcall:requests:${key}`)).toBe(600);
    // Nothing was used since.
    await exchange(one.server);
    expect(store).toHaveBeenCalledTimes(1);
  });

  it('go on by their own counts while it is away, and say so once a minute', async () => {
    const [one, two] = await startTwo();
    // Nest has one logger a process: that of the server that was made last.
    const warnings = (): unknown[] =>
      two.server
        .logged()
        .filter(({ level, msg }) => level === 40 && String(msg).startsWith('Rate limits are not shared'));
    await redis.stop();
    expect(await admitted(one.client, 20)).toBe(9);
    await exchange(one.server);
    jest.setSystemTime(Date.now() + 1_000);
    expect(await admitted(one.client, 20)).toBe(5);
    await exchange(one.server);
    expect(warnings()).toHaveLength(1);
    jest.setSystemTime(Date.now() + 60_000);
    await admitted(one.client, 1);
    await exchange(one.server);
    expect(warnings()).toHaveLength(2);
  });

  it('start while it is away', async () => {
    const { client } = await startReplica('redis://127.0.0.1:1');
    expect(await admitted(client, 1)).toBe(1);
  });
});

describeWith([redisServer], 'processes with a Redis in common that is a program of its own', () => {
  it('count together, go on by their own counts while it is away, and together again when it is back', async () => {
    const port = await freePort();
    const args = ['--port', String(port), '--save', '', '--appendonly', 'no'];
    let redis = await startProgram(redisServer, args, port);
    ends.push(() => redis.stop('SIGKILL'));
    const url = `redis://127.0.0.1:${port}`;
    const [one, two] = [await startReplica(url), await startReplica(url)];
    /** Sends requests that count until Redis knows of them from both. */
    const shared = async (): Promise<void> => {
      const store = new RedisUsage(url);
      ends.push(() => store.close());
      let seen = 0;
      while (seen < 2) {
        for (const { server, client } of [one, two]) {
          await client.list('/Users?count=0');
          await exchange(server);
        }
        seen = await store.add([{ key, count: 0 }]).then(
          (totals) => totals.get(key) ?? 0,
          () => 0,
        );
      }
    };
    await shared();
    fakeClock(Date.now() + 60_000);
    for (const { server, client } of [one, two]) {
      await admitted(client, 1);
      await exchange(server);
    }
    expect(await admitted(one.client, 20)).toBe(9);
    await exchange(one.server);
    // Until it has heard of it, the other has a burst of its own.
    expect(await admitted(two.client, 1)).toBe(1);
    await exchange(two.server);
    expect(await admitted(two.client, 20)).toBe(0);

    await redis.stop('SIGKILL');
    jest.setSystemTime(Date.now() + 120_000);
    expect([await admitted(one.client, 20), await admitted(two.client, 20)]).toEqual([10, 10]);
    await exchange(one.server);
    redis = await startProgram(redisServer, args, port);
    jest.useRealTimers();
    await shared();
  });
});

describe('processes on one PostgreSQL database', () => {
  let server: AdministeredServer;
  beforeAll(async () => {
    server = await startAdministered(environment);
  });
  afterAll(() => server.close());

  const rate = { perSecond: 5, burst: 10 };

  it('count together in one table, which takes one statement for all', async () => {
    const exchanges = [0, 1].map(() => new UsageExchange(new PostgresUsage(server.dataSource)));
    const buckets = exchanges.map((each) => ['a', 'b'].map((name) => each.bucket(name, rate, 0)));
    for (const each of buckets.flat()) each.take(1);
    for (const each of exchanges) await each.exchange();
    const query = jest.spyOn(server.dataSource, 'query');
    for (const each of buckets[0] ?? []) each.take(9);
    await exchanges[0]?.exchange();
    expect(query).toHaveBeenCalledTimes(1);
    query.mockRestore();
    buckets[1]?.[0]?.take(1);
    await exchanges[1]?.exchange();
    // It had two, and learns of nine.
    expect(buckets.map((each) => each.map(({ left }) => left))).toEqual([
      [-1, -1],
      [-1, 9],
    ]);
  });

  it('do not deadlock when they count the same at once, in any order', async () => {
    const names = Array.from({ length: 50 }, (_, at) => `deadlock-${at}`);
    const stores = [0, 1, 2, 3].map(() => new PostgresUsage(server.dataSource));
    const add = (store: PostgresUsage, at: number) =>
      store.add((at % 2 ? names : [...names].reverse()).map((name) => ({ key: name, count: 1 })));
    for (let round = 0; round < 10; round++) await Promise.all(stores.map(add));
    const totals = await add(stores[0] as PostgresUsage, 0);
    expect([...totals.values()]).toEqual(names.map(() => 41));
  });

  it('begin a count anew that nobody added to for ten minutes, and remove it', async () => {
    const store = new PostgresUsage(server.dataSource);
    await store.add([
      { key: 'old', count: 7 },
      { key: 'older', count: 7 },
    ]);
    const kept = await server.dataSource.query<{ seconds: string }[]>(
      `SELECT extract(epoch FROM expires_at - now()) AS seconds FROM request_counts WHERE key = 'old'`,
    );
    expect(Number(kept[0]?.seconds)).toBeGreaterThan(590);
    await server.dataSource.query(
      `UPDATE request_counts SET expires_at = now() - interval '1 second' WHERE key LIKE 'old%'`,
    );
    expect(await store.add([{ key: 'old', count: 2 }])).toEqual(new Map([['old', 2]]));
    fakeClock(Date.now() + 60_001);
    await store.add([{ key: 'old', count: 1 }]);
    expect(await server.dataSource.query(`SELECT key, count FROM request_counts WHERE key LIKE 'old%'`)).toEqual([
      { key: 'old', count: 3 },
    ]);
  });

  it('are those on a server: the embedded database is one process’s own', async () => {
    await admitted(server.scim, 1);
    await exchange(server);
    const tenant = await server.admin.get<{ id: string }>('/tenants/default');
    const rows = await server.dataSource.query<object[]>('SELECT count FROM request_counts WHERE key = $1', [
      `tenant:${tenant.body.id}`,
    ]);
    expect(rows).toHaveLength(serverUrl === undefined ? 0 : 1);
  });

  it('go on while the database is away', async () => {
    const failing = new UsageExchange(new PostgresUsage(server.dataSource));
    const bucket = failing.bucket('away', rate, 0);
    jest.spyOn(server.dataSource, 'query').mockRejectedValueOnce(Object.assign(new Error(), { code: 'ECONNREFUSED' }));
    bucket.take(1);
    await expect(failing.exchange()).resolves.toBeUndefined();
    expect(bucket.left).toBe(9);
  });
});
