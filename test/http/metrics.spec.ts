import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type pg from 'pg';
import { Config, otherConnections } from '../../src/config.js';
import { createLogger } from '../../src/ops/logging.js';
import { serveMetrics, type MetricsServer } from '../../src/ops/metrics-server.js';
import { Metrics } from '../../src/ops/metrics.js';
import { Portions } from '../../src/persistence/portions.js';
import { Pools } from '../../src/persistence/pools.js';
import { Transaction } from '../../src/persistence/transaction.js';
import { UsersService } from '../../src/users/users.service.js';
import { scimError } from '../support/errors.js';
import { readExposition, total, withLabels, type Sample } from '../support/exposition.js';
import { preparedStatements } from '../support/prepared-statements.js';
import { startServer, type TestServer } from '../support/server.js';

const duration = 'rollcall_http_request_duration_seconds';
const tenantDuration = 'rollcall_tenant_request_duration_seconds';
const queryDuration = 'rollcall_database_query_duration_seconds';
const scimErrors = 'rollcall_scim_errors_total';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ METRICS_TENANTS: '2' });
});

afterEach(() => void jest.restoreAllMocks());
afterAll(() => server.close());

const scrape = async (): Promise<Sample[]> => readExposition(await server.app.get(Metrics).text());

/** How much a sum of samples grows by something that is done; requests are measured when their connections are done. */
async function growth(
  name: string,
  labels: Readonly<Record<string, string>>,
  work: () => Promise<unknown>,
): Promise<number> {
  const before = total(await scrape(), name, labels);
  await work();
  for (;;) {
    const samples = await scrape();
    if (total(samples, 'rollcall_http_requests_in_flight') === 0) return total(samples, name, labels) - before;
    await nextTurn();
  }
}

describe('/metrics beside everything else', () => {
  const path = (): string => `${server.origin}/metrics`;

  it('is the Prometheus text format, to this machine, without credentials', async () => {
    const answer = await server.scim.get(path(), { token: null });
    expect([answer.status, answer.headers.get('Content-Type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    expect(answer.headers.get('Cache-Control')).toBe('no-store');
    expect(total(readExposition(answer.text), 'rollcall_build_info')).toBe(1);
  });

  it.each(['Forwarded', 'X-Forwarded-For', 'X-Real-IP', 'Via'])(
    'is nowhere for whoever comes through a proxy of this machine: %s',
    async (header) => {
      const answer = await server.scim.get(path(), { token: null, headers: { [header]: '203.0.113.7' } });
      expect([answer.status, answer.body]).toEqual([404, scimError(404)]);
      expect(answer.text).not.toContain('rollcall_');
    },
  );

  it.each([
    ['127.0.0.1', 200],
    ['127.8.9.10', 200],
    ['::1', 200],
    ['::ffff:127.0.0.1', 200],
    ['10.0.0.7', 404],
    ['::ffff:10.0.0.7', 404],
    ['2001:db8::7', 404],
    [undefined, 404],
  ])('is for this machine only: from %s it is %d', async (address, status) => {
    let patched = false;
    server.app.getHttpServer().prependOnceListener('request', (request) => {
      Object.defineProperty(request.socket, 'remoteAddress', { value: address });
      patched = true;
    });
    const answer = await server.scim.get(path(), { token: null, headers: { Connection: 'close' } });
    expect([patched, answer.status]).toEqual([true, status]);
  });
});

describe('/metrics on a port of its own', () => {
  let metrics: MetricsServer;
  let apart: TestServer;

  beforeAll(async () => {
    apart = await startServer({ METRICS_PORT: '0' });
    metrics = await serveMetrics(apart.app.get(Metrics), createLogger({ logLevel: 'silent' }), {
      host: '127.0.0.1',
      port: 0,
    });
  });

  afterAll(async () => {
    await metrics.close();
    await apart.close();
  });

  it('is there', async () => {
    const answer = await fetch(metrics.url);
    expect([answer.status, answer.headers.get('Content-Type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    expect(total(readExposition(await answer.text()), 'rollcall_build_info')).toBe(1);
  });

  it('answers HEAD without a body, and nothing else than /metrics', async () => {
    const head = await fetch(metrics.url, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const post = await fetch(metrics.url, { method: 'POST' });
    expect([post.status, post.headers.get('Allow')]).toEqual([405, 'GET, HEAD']);
    expect((await fetch(metrics.url.replace('/metrics', '/scim/v2/Users'))).status).toBe(404);
    expect((await fetch(`${metrics.url}?x=1`)).status).toBe(200);
  });

  it('is 500 when the metrics cannot be had, and goes on', async () => {
    jest.spyOn(apart.app.get(Metrics), 'text').mockRejectedValueOnce(new Error('broken'));
    expect((await fetch(metrics.url)).status).toBe(500);
    expect((await fetch(metrics.url)).status).toBe(200);
  });

  it('is not beside everything else then', async () => {
    const answer = await apart.scim.get(`${apart.origin}/metrics`);
    expect([answer.status, answer.body]).toEqual([404, scimError(404)]);
  });

  it('cannot be opened where another server listens', async () => {
    const port = Number(new URL(metrics.url).port);
    const logger = createLogger({ logLevel: 'silent' });
    await expect(serveMetrics(apart.app.get(Metrics), logger, { host: '127.0.0.1', port })).rejects.toThrow(
      'EADDRINUSE',
    );
  });
});

describe('requests', () => {
  it('are counted and timed by the template of their route, their method and status', async () => {
    const labels = { route: '/scim/v2/Users/:id', method: 'GET', status: '404' };
    const requests = async (): Promise<void> => {
      await server.scim.get('/Users/00000000-0000-7000-8000-000000000001');
      await server.scim.get('/Users/00000000-0000-7000-8000-000000000002?attributes=userName');
    };
    expect(await growth(`${duration}_count`, labels, requests)).toBe(2);
    const samples = await scrape();
    const buckets = withLabels(samples, `${duration}_bucket`, labels);
    expect(buckets.map(({ value }) => value)).toEqual(buckets.map(({ value }) => value).sort((a, b) => a - b));
    expect(buckets.at(-1)).toEqual(expect.objectContaining({ labels: { ...labels, le: '+Inf' }, value: 2 }));
    expect(total(samples, `${duration}_sum`, labels)).toBeGreaterThan(0);
  });

  it('fall into the bucket of their duration and all above it', async () => {
    const labels = { route: '/scim/v2/Users/:id', method: 'DELETE', status: '204' };
    const { body } = await server.scim.post('/Users', { userName: 'slow@example.com' });
    const now = performance.now.bind(performance);
    let later = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now() + later);
    jest.spyOn(server.app.get(UsersService), 'delete').mockImplementation(() => {
      later = 3_000;
      return Promise.resolve();
    });
    await growth(`${duration}_count`, labels, () => server.scim.delete(`/Users/${body.id}`));
    const buckets = withLabels(await scrape(), `${duration}_bucket`, labels);
    const byBound = Object.fromEntries(buckets.map(({ labels: { le = '' }, value }) => [le, value]));
    expect(byBound).toEqual(expect.objectContaining({ '0.001': 0, '2.5': 0, '5': 1, '10': 1, '+Inf': 1 }));
  });

  it.each([
    ['/scim/v2/Nowhere', { route: 'unmatched', method: 'GET', status: '404' }],
    ['/docs/nowhere.css', { route: 'unmatched', method: 'GET', status: '404' }],
    ['/livez', { route: '/livez', method: 'GET', status: '200' }],
  ])('have no path of their own in the metrics: %s', async (path, labels) => {
    expect(await growth(`${duration}_count`, labels, () => server.scim.get(server.origin + path))).toBe(1);
    const routes = new Set((await scrape()).map(({ labels: { route = '' } }) => route));
    expect([...routes].filter((route) => /Nowhere|css|00000000/.test(route))).toEqual([]);
  });

  it('have no method of their own unless SCIM uses it', async () => {
    const labels = { route: 'unmatched', method: 'other', status: '405' };
    const request = (): Promise<unknown> => server.scim.send('PROPFIND', '/Users', undefined);
    expect(await growth(`${duration}_count`, labels, request)).toBe(1);
  });

  it('whose client leaves before the answer are "aborted"', async () => {
    const labels = { route: '/scim/v2/Users', method: 'GET', status: 'aborted' };
    const gone = async (): Promise<void> => {
      let answer: (() => void) | undefined;
      const asked = new Promise<void>((called) => {
        jest.spyOn(server.app.get(UsersService), 'search').mockImplementation(() => {
          called();
          return new Promise((_, reject) => (answer = () => reject(new Error('gone'))));
        });
      });
      const socket = connect(Number(new URL(server.origin).port), '127.0.0.1');
      socket.write(`GET /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.scim.token}\r\n\r\n`);
      await asked;
      expect(total(await scrape(), 'rollcall_http_requests_in_flight')).toBe(1);
      socket.destroy();
      while (total(await scrape(), 'rollcall_http_requests_in_flight') > 0) await nextTurn();
      answer?.();
    };
    expect(await growth(`${duration}_count`, labels, gone)).toBe(1);
  });
});

describe('tenants', () => {
  it('have a label each while there are few, and share one beyond the bound', async () => {
    const [second, third] = [await server.addTenant('second'), await server.addTenant('third')];
    const counted = (tenant: string, work: () => Promise<unknown>): Promise<number> =>
      growth(`${tenantDuration}_count`, { tenant, status: '200' }, work);
    expect(await counted('default', () => server.scim.list('/Users'))).toBe(1);
    expect(await counted('second', () => second.list('/Users'))).toBe(1);
    expect(await counted('_other', () => third.list('/Users'))).toBe(1);
    expect(await counted('second', () => second.list('/Users'))).toBe(1);
    const tenants = new Set(
      withLabels(await scrape(), `${tenantDuration}_count`, {}).map(({ labels }) => labels['tenant']),
    );
    expect([...tenants].sort()).toEqual(['_none', '_other', 'default', 'second']);
  });

  it('that nobody proved to be are none', async () => {
    const labels = { tenant: '_none', status: '401' };
    expect(await growth(`${tenantDuration}_count`, labels, () => server.scim.get('/Users', { token: 'x' }))).toBe(1);
  });

  it('have no labels when that is turned off', async () => {
    const silent = await startServer({ METRICS_TENANTS: '0' });
    await silent.scim.list('/Users');
    const { text } = await silent.scim.get(`${silent.origin}/metrics`, { token: null });
    const counts = withLabels(readExposition(text), `${tenantDuration}_count`, {});
    expect(counts.map(({ labels }) => labels)).toEqual([{ tenant: '_other', status: '200' }]);
    await silent.close();
  });
});

describe('errors (RFC 7644 section 3.12)', () => {
  it.each([
    ['/Users?filter=userName', { error: 'invalidFilter', scim_type: 'invalidFilter', status: '400' }],
    ['/Users?count=x', { error: 'invalidValue', scim_type: 'invalidValue', status: '400' }],
    ['/Users/none', { error: 'notFound', scim_type: '', status: '404' }],
  ])('are counted by name, scimType and status: %s', async (path, labels) => {
    expect(await growth(scimErrors, labels, () => server.scim.get(path))).toBe(1);
  });

  it('are not counted for requests that succeed', async () => {
    expect(await growth(scimErrors, {}, () => server.scim.list('/Users'))).toBe(0);
  });
});

describe('the database', () => {
  const pool = (): pg.Pool => (server.dataSource.driver as unknown as { master: pg.Pool }).master;
  /** How many statements work is: the least of some times, for what the server does by itself may come between. */
  const statements = async (operation: string, work: () => Promise<unknown>): Promise<number> => {
    const times: number[] = [];
    for (let time = 0; time < 4; time++) times.push(await growth(`${queryDuration}_count`, { operation }, work));
    return Math.min(...times);
  };

  it.each([
    ['SELECT', 'SELECT 1'],
    ['SELECT', ' with one AS (SELECT id FROM users FOR NO KEY UPDATE) TABLE one'],
    [
      'INSERT',
      'WITH one AS (INSERT INTO users (tenant_id) SELECT tenant_id FROM users WHERE FALSE RETURNING 1) TABLE one',
    ],
    ['DELETE', 'WITH one AS (DELETE FROM users WHERE FALSE RETURNING 1) TABLE one'],
    ['UPDATE', 'WITH one AS (UPDATE users u SET version = 1 WHERE FALSE RETURNING 1) TABLE one'],
    ['UPDATE', 'UPDATE users SET version = 1 WHERE FALSE'],
    ['other', 'SHOW server_version'],
  ])('is timed by what statements do: %s: %s', async (operation, text) => {
    expect(await statements(operation, () => server.dataSource.query(text))).toBe(1);
    // Behind a pooler that knows no prepared statements it has no name.
    const name = preparedStatements['PREPARED_STATEMENTS'] === 'false' ? {} : { name: `metrics ${text}`.slice(0, 60) };
    const prepared = (): Promise<unknown> => pool().query({ ...name, text, values: [] });
    expect(await statements(operation, prepared)).toBe(1);
    expect(total(await scrape(), `${queryDuration}_sum`, { operation })).toBeGreaterThan(0);
  });

  it('is timed whether a statement is given with a callback or answers with a promise', async () => {
    const both = async (): Promise<void> => {
      const client = await pool().connect();
      expect((await client.query<{ n: number }>('SELECT 1 AS n')).rows).toEqual([{ n: 1 }]);
      const result = await new Promise<pg.QueryResult>((done, failed) =>
        client.query('SELECT $1::integer AS n', [2], (error, given) => (error ? failed(error) : done(given))),
      );
      expect(result.rows).toEqual([{ n: 2 }]);
      client.release();
    };
    expect(await statements('SELECT', both)).toBe(2);
  });

  it.each([
    ['42601', 'SELEC 1'],
    ['22012', 'SELECT 1 / 0'],
  ])('tells of failures by SQLSTATE: %s', async (sqlstate, text) => {
    const failing = (): Promise<void> => expect(pool().query(text)).rejects.toThrow();
    expect(await growth('rollcall_database_errors_total', { sqlstate }, failing)).toBe(1);
  });

  it('shows conflicts from the start, so that the first is an increase', async () => {
    const shown = withLabels(await scrape(), 'rollcall_database_errors_total', {}).map(
      ({ labels }) => labels['sqlstate'],
    );
    expect(shown).toEqual(expect.arrayContaining(['40001', '40P01']));
  });

  it('counts the transactions that are tried again, and those that are given up', async () => {
    const scope = { tenant: { id: '00000000-0000-7000-8000-000000000000' } };
    const conflict = Object.assign(new Error('could not serialize access'), { code: '40001' });
    const failing = (times: number) => async () => {
      let left = times;
      await server.app
        .get(Transaction)
        .run(scope, () => (left-- > 0 ? Promise.reject(conflict) : Promise.resolve()))
        .catch((error: unknown) => expect(error).toMatchObject({ row: 'unavailable' }));
    };
    const [retries, failures] = ['rollcall_transaction_retries_total', 'rollcall_transaction_failures_total'];
    expect(await growth(retries, {}, failing(0))).toBe(0);
    expect(await growth(retries, {}, failing(2))).toBe(2);
    expect(await growth(failures, {}, failing(5))).toBe(0);
    expect(await growth(failures, {}, failing(6))).toBe(1);
  });

  it('shows the connections, and who waits for one', async () => {
    const most = pool().options.max;
    const clients = await Promise.all(Array.from({ length: most }, () => pool().connect()));
    const waiting = pool().connect();
    const busy = await scrape();
    expect(total(busy, 'rollcall_database_connections', { pool: 'requests', state: 'active' })).toBe(most);
    expect(total(busy, 'rollcall_database_connections_max', { pool: 'requests' })).toBe(most);
    expect(total(busy, 'rollcall_database_waiting')).toBe(1);
    for (const client of clients) client.release();
    (await waiting).release();
    const idle = await scrape();
    expect(total(idle, 'rollcall_database_connections', { pool: 'requests', state: 'active' })).toBe(0);
    expect(total(idle, 'rollcall_database_waiting')).toBe(0);
  });

  it('is watched as well where large groups are read, on connections of their own', async () => {
    const { max: most = 0 } = pool().options;
    const own = { pool: most === 1 ? 'requests' : 'large_groups' };
    const portions = server.app.get(Portions);
    const client = await (portions.ownPool ?? pool()).connect();
    expect(total(await scrape(), 'rollcall_database_connections', { ...own, state: 'active' })).toBe(1);
    client.release();
    const scope = { tenant: { id: randomUUID() } };
    expect(await statements('SELECT', async () => void (await portions.run(scope, 'SELECT 1', [])))).toBe(1);
    const pools = server.app.get(Pools);
    expect(pools.most).toBe(most === 1 ? 1 : server.app.get(Config).databaseConnections + otherConnections);
    expect(total(await scrape(), 'rollcall_database_connections_max')).toBe(pools.most);
  });
});

describe('the process', () => {
  it('says what it is and how it is', async () => {
    const samples = await scrape();
    const [build] = withLabels(samples, 'rollcall_build_info', {});
    expect(build?.labels).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+/), node_version: process.version });
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
    ])
      expect(withLabels(samples, name, {})).toHaveLength(1);
  });

  it('shows how often credentials are recognised without the database', async () => {
    const labels = (result: string): Record<string, string> => ({ cache: 'credential', result });
    const requests = 'rollcall_cache_requests_total';
    const scim = await server.addTenant('cached');
    expect(await growth(requests, labels('miss'), () => scim.list('/Users'))).toBe(1);
    expect(await growth(requests, labels('hit'), () => scim.list('/Users'))).toBe(1);
    expect(await growth(requests, labels('miss'), () => scim.list('/Users'))).toBe(0);
  });

  it('shows how any of its caches are used', async () => {
    server.app.get(Metrics).watchCache('example', () => ({ hits: 7, misses: 3 }));
    const samples = await scrape();
    expect(total(samples, 'rollcall_cache_requests_total', { cache: 'example', result: 'hit' })).toBe(7);
    expect(total(samples, 'rollcall_cache_requests_total', { cache: 'example', result: 'miss' })).toBe(3);
  });

  it('names every metric once, with nothing personal in any label', async () => {
    await server.scim.post('/Users', { userName: 'grace.hopper@navy.example' });
    const samples = await scrape();
    const lines = samples.map(({ name, labels }) => JSON.stringify([name, labels]));
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines.join('\n')).not.toMatch(/grace|hopper|navy/i);
  });
});
