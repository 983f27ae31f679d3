// Measures Rollcall beside a bare server on the same PostgreSQL, in one run, and prints ratios.
// Usage: npm run bench -- [--users 10000] [--seconds 3] [--rounds 3]
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { load, type LoadRequest, type Measurement } from './load.js';
import { startServer, type ServerProcess } from './process.js';
import { seed, user, userName, type Seeded } from './seed.js';

const { values: options } = parseArgs({
  options: {
    users: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
  },
});
const users = Number(options.users);
const seconds = Number(options.seconds);
const rounds = Number(options.rounds);

const adminUrl = process.env['DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const database = `rollcall_bench_${process.pid}`;
const token = randomBytes(32).toString('base64url');
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' };

interface Row {
  readonly name: string;
  readonly next: (number: number) => LoadRequest;
}

const scim = (path: string): string => `/scim/v2${path}`;
const random = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;
const patch = (...Operations: object[]): string =>
  JSON.stringify({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations });
const filter = (text: string): string => scim(`/Users?filter=${encodeURIComponent(text)}`);

function rows({ userIds }: Seeded): Row[] {
  const anyone = (): string => userName(Math.floor(Math.random() * users));
  const deep = Math.floor(users * 0.9);
  return [
    { name: 'GET /Users/{id}', next: () => ({ method: 'GET', path: scim(`/Users/${random(userIds)}`) }) },
    { name: 'GET filter=userName eq', next: () => ({ method: 'GET', path: filter(`userName eq "${anyone()}"`) }) },
    {
      name: 'GET filter=emails[type eq "work" and value eq …]',
      next: () => ({ method: 'GET', path: filter(`emails[type eq "work" and value eq "${anyone()}"]`) }),
    },
    { name: 'GET page, count=100', next: () => ({ method: 'GET', path: scim('/Users?startIndex=1&count=100') }) },
    {
      name: `GET page, count=100, startIndex=${deep}`,
      next: () => ({ method: 'GET', path: scim(`/Users?startIndex=${deep}&count=100`) }),
    },
    { name: 'cursor page, count=100', next: () => ({ method: 'GET', path: scim('/Users?cursor&count=100') }) },
    {
      name: 'POST /Users',
      next: () => ({
        method: 'POST',
        path: scim('/Users'),
        body: JSON.stringify(user(randomBytes(12).toString('hex'))),
      }),
    },
    {
      name: 'PATCH active',
      next: (number) => ({
        method: 'PATCH',
        path: scim(`/Users/${random(userIds)}`),
        body: patch({ op: 'replace', value: { active: number % 2 === 0 } }),
      }),
    },
  ];
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
const table = (...cells: (string | number)[]): void => console.log(`| ${cells.join(' | ')} |`);

async function measureRows(bare: ServerProcess, rollcall: ServerProcess, seeded: Seeded): Promise<void> {
  const bareRow = (): LoadRequest => ({ method: 'GET', path: `/${random(seeded.userIds)}` });
  const parallel = { connections: 16, seconds };
  table('row', 'req/s', 'p50 ms', 'p99 ms', 'CPU ms/req', 'bare req/s', 'ratio to bare');
  table('---', '---', '---', '---', '---', '---', '---');
  for (const { name, next } of rows(seeded)) {
    const measured: { own: Measurement; bare: Measurement }[] = [];
    await load(rollcall, headers, next, { connections: 16, seconds: 1 });
    for (let round = 0; round < rounds; round++) {
      const baseline = await load(bare, {}, bareRow, parallel);
      measured.push({ bare: baseline, own: await load(rollcall, headers, next, parallel) });
    }
    const of = (read: (pair: { own: Measurement; bare: Measurement }) => number): number => median(measured.map(read));
    table(
      name,
      of(({ own }) => own.perSecond).toFixed(0),
      of(({ own }) => own.p50).toFixed(2),
      of(({ own }) => own.p99).toFixed(2),
      of(({ own }) => own.cpuPerRequest).toFixed(3),
      of((pair) => pair.bare.perSecond).toFixed(0),
      of((pair) => pair.own.perSecond / pair.bare.perSecond).toFixed(3),
    );
  }
}

async function measureMembers(bare: ServerProcess, rollcall: ServerProcess, seeded: Seeded): Promise<void> {
  console.log('\nOne member added and removed in turn, one connection:\n');
  table('group of', 'p50 ms', 'p99 ms', 'bare p50 ms');
  table('---', '---', '---', '---');
  const alone = { connections: 1, seconds };
  const baseline = await load(bare, {}, () => ({ method: 'GET', path: `/${random(seeded.userIds)}` }), alone);
  const member = seeded.userIds.at(-1) ?? '';
  for (const [size, id] of seeded.groups) {
    const measured = await load(
      rollcall,
      headers,
      (number) => ({
        method: 'PATCH',
        path: scim(`/Groups/${id}`),
        body: patch(
          number % 2 === 0
            ? { op: 'add', path: 'members', value: [{ value: member }] }
            : { op: 'remove', path: `members[value eq "${member}"]` },
        ),
      }),
      alone,
    );
    table(size, measured.p50.toFixed(2), measured.p99.toFixed(2), baseline.p50.toFixed(2));
  }
}

async function withDatabase(work: (url: string) => Promise<void>): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE "${database}"`);
  try {
    const url = new URL(adminUrl);
    url.pathname = `/${database}`;
    await work(url.toString());
  } finally {
    await admin.query(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
    await admin.end();
  }
}

async function tenantOf(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  // Plans after a bulk load should not depend on when autovacuum comes by.
  await client.query('VACUUM ANALYZE');
  const { rows: found } = await client.query<{ id: string }>('SELECT id FROM tenants');
  await client.end();
  return found[0]?.id ?? '';
}

await withDatabase(async (url) => {
  // Limits stay on, where the load does not reach them.
  const limits = { REQUESTS_PER_SECOND: '100000', CONCURRENT_REQUESTS: '10000' };
  const environment = { DATABASE_URL: url, SCIM_TOKEN: token, LOG_LEVEL: 'warn', NODE_ENV: 'production', ...limits };
  const rollcall = await startServer('dist/src/main.js', 33_001, '/readyz', environment);
  const sizes = [10, 10_000, 100_000].filter((size) => size < users);
  const begun = performance.now();
  const seeded = await seed(rollcall.origin, headers, users, sizes);
  const took = (performance.now() - begun) / 1000;
  const bare = await startServer('dist/bench/bare-server.js', 33_002, '/00000000-0000-7000-8000-000000000000', {
    DATABASE_URL: url,
    TENANT: await tenantOf(url),
  });
  console.log(`${users} users seeded in ${took.toFixed(0)} s; ${rounds} rounds of ${seconds} s, 16 connections\n`);
  await measureRows(bare, rollcall, seeded);
  await measureMembers(bare, rollcall, seeded);
  console.log(`\nRollcall's peak memory ${rollcall.peakMemory().toFixed(0)} MiB`);
  await rollcall.stop();
  const again = await startServer('dist/src/main.js', 33_001, '/readyz', environment);
  console.log(`cold start on a migrated database: ready in ${again.startedIn.toFixed(0)} ms`);
  await again.stop();
  await bare.stop();
});
