// Measures Rollcall beside a bare server on the same PostgreSQL, in one run, and prints ratios.
// Usage: npm run bench -- [--users 10000] [--seconds 3] [--rounds 3] [--rows pattern] [--attacks pattern] [--only neighbour]
// Users beyond the first 10,000 are copied in the database, which takes minutes for a million instead of hours.
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { read, type Read } from './large-group.js';
import { load, type LoadRequest, type Measurement } from './load.js';
import { multiply, templateUser } from './multiply.js';
import { measureNeighbour } from './neighbour.js';
import { startServer, type ServerProcess } from './process.js';
import { Seeder, user, userName } from './seed.js';

const { values: options } = parseArgs({
  options: {
    users: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    rows: { type: 'string', default: '.' },
    attacks: { type: 'string', default: '.' },
    only: { type: 'string' },
  },
});
const users = Number(options.users);
const seconds = Number(options.seconds);
const rounds = Number(options.rounds);
const chosen = new RegExp(options.rows);
const adminToken = randomBytes(32).toString('base64url');
const mostByApi = 10_000;

const adminUrl = process.env['DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres';

const token = randomBytes(32).toString('base64url');
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' };

/** What is in the database. */
interface Seeded {
  readonly tenant: string;
  /** Some of the users. */
  readonly userIds: readonly string[];
  /** Groups by their number of members. */
  readonly groups: ReadonlyMap<number, string>;
}

interface Row {
  readonly name: string;
  readonly next: (number: number) => LoadRequest;
}

const scim = (path: string): string => `/scim/v2${path}`;
const random = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;
const patch = (...Operations: object[]): string =>
  JSON.stringify({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations });
const filter = (text: string): string => scim(`/Users?filter=${encodeURIComponent(text)}`);

function rows({ userIds }: Seeded, cursor: string): Row[] {
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
      name: 'cursor page, count=100, the hundredth',
      next: () => ({ method: 'GET', path: scim(`/Users?cursor=${cursor}&count=100`) }),
    },
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

/** The cursor of a page by its number, or of the last there is. */
async function cursorAt(rollcall: ServerProcess, page: number): Promise<string> {
  let cursor = '';
  for (let number = 1; number < page; number++) {
    const answer = await fetch(`${rollcall.origin}${scim(`/Users?cursor=${cursor}&count=100`)}`, { headers });
    const { nextCursor } = (await answer.json()) as { nextCursor?: string };
    if (nextCursor === undefined) break;
    cursor = nextCursor;
  }
  return cursor;
}

async function measureRows(bare: ServerProcess, rollcall: ServerProcess, seeded: Seeded): Promise<void> {
  const bareRow = (): LoadRequest => ({ method: 'GET', path: `/${random(seeded.userIds)}` });
  const parallel = { connections: 16, seconds };
  table('row', 'req/s', 'p50 ms', 'p99 ms', 'CPU ms/req', 'bare req/s', 'ratio to bare');
  table('---', '---', '---', '---', '---', '---', '---');
  for (const { name, next } of rows(seeded, await cursorAt(rollcall, 100))) {
    if (!chosen.test(name)) continue;
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

/** One member is added and removed in turn; groups of all sizes and the bare server take turns. */
async function measureMembers(bare: ServerProcess, rollcall: ServerProcess, seeded: Seeded): Promise<void> {
  console.log('\nOne member added and removed in turn, one connection:\n');
  table('group of', 'p50 ms', 'p99 ms', 'bare p50 ms');
  table('---', '---', '---', '---');
  const member = seeded.userIds.at(-1) ?? '';
  const sizes = [...seeded.groups].map(([size, id]) => ({ size, id, measured: [] as Measurement[] }));
  const measure = (id: string, time: number): Promise<Measurement> =>
    load(rollcall, headers, (number) => memberChange(id, member, number), { connections: 1, seconds: time });
  for (const { id } of sizes) await measure(id, 1);
  const baseline: Measurement[] = [];
  const bareRow = (): LoadRequest => ({ method: 'GET', path: `/${random(seeded.userIds)}` });
  for (let round = 0; round < rounds; round++) {
    baseline.push(await load(bare, {}, bareRow, { connections: 1, seconds }));
    for (const { id, measured } of sizes) measured.push(await measure(id, seconds));
  }
  const of = (measured: readonly Measurement[], read: (one: Measurement) => number): string =>
    median(measured.map(read)).toFixed(2);
  for (const { size, measured } of sizes) {
    const [p50, p99] = [of(measured, (one) => one.p50), of(measured, (one) => one.p99)];
    table(
      size,
      p50,
      p99,
      of(baseline, (one) => one.p50),
    );
  }
}

const memberChange = (group: string, member: string, number: number): LoadRequest => ({
  method: 'PATCH',
  path: scim(`/Groups/${group}`),
  body: patch(
    number % 2 === 0
      ? { op: 'add', path: 'members', value: [{ value: member }] }
      : { op: 'remove', path: `members[value eq "${member}"]` },
  ),
});

async function withDatabase(work: (url: string) => Promise<void>): Promise<void> {
  const database = `rollcall_bench_${process.pid}_${Date.now().toString(36)}`;
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

/** Fills the database: users, and groups of several sizes. */
async function fill(url: string, origin: string): Promise<Seeded> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const seeder = new Seeder(origin, headers);
  await seeder.users(Math.min(users, mostByApi));
  if (users > mostByApi) {
    const { id } = await seeder.send<{ id: string }>('POST', '/Users', templateUser());
    await multiply(client, mostByApi, users);
    await seeder.send('DELETE', `/Users/${id}`);
  }
  const ids = async (count: number): Promise<string[]> =>
    (await client.query<{ id: string }>('SELECT id FROM users ORDER BY md5(id::text) LIMIT $1', [count])).rows.map(
      ({ id }) => id,
    );
  const groups = new Map<number, string>();
  for (const size of [10, 10_000, 100_000]) {
    if (size <= users) groups.set(size, await seeder.group(`Group of ${size}`, await ids(size)));
  }
  await seeder.close();
  // What comes and goes is counted; after that, plans should not depend on when autovacuum comes by.
  while ((await client.query('SELECT 1 FROM resource_count_changes LIMIT 1')).rowCount !== 0) await delay(1000);
  await client.query('VACUUM ANALYZE');
  const { rows: found } = await client.query<{ id: string }>('SELECT id FROM tenants');
  const seeded = { tenant: found[0]?.id ?? '', userIds: await ids(20_000), groups };
  await client.end();
  return seeded;
}

/** Reads the largest group, alone and by eight readers at once, from a server that has done nothing else. */
async function measureLargeGroup(rollcall: ServerProcess, { groups }: Seeded): Promise<void> {
  const [size, id] = [...groups].at(-1) ?? [0, ''];
  const path = scim(`/Groups/${id}`);
  const alone: Read[] = [];
  for (let round = 0; round < 5; round++) alone.push(await read(rollcall, path, headers));
  const together = await Promise.all(Array.from({ length: 8 }, () => read(rollcall, path, headers)));
  const of = (reads: readonly Read[], value: (read: Read) => number): string => median(reads.map(value)).toFixed(0);
  console.log(`\nGET of the group of ${size} members, ${of(alone, ({ bytes }) => bytes / 1024)} KiB:\n`);
  table('readers', 'first byte ms', 'all ms', 'peak memory MiB');
  table('---', '---', '---', '---');
  table(
    1,
    of(alone, ({ firstByte }) => firstByte),
    of(alone, ({ total }) => total),
    '',
  );
  const [first, total] = [of(together, ({ firstByte }) => firstByte), of(together, (each) => each.total)];
  table(together.length, first, total, rollcall.peakMemory().toFixed(0));
}

/** What a quiet tenant notices of attacks, on a database and a server with a small heap and the default limits. */
const measureAttacks = (): Promise<void> =>
  withDatabase(async (url) => {
    const server = await startServer('dist/src/main.js', 33_003, '/readyz', {
      ...{ DATABASE_URL: url, ADMIN_TOKEN: adminToken, LOG_LEVEL: 'fatal', NODE_ENV: 'production' },
      NODE_OPTIONS: '--max-old-space-size=512',
    });
    await measureNeighbour(server, adminToken, new RegExp(options.attacks), Math.max(3, seconds));
    await server.stop();
  });

const measureDirectory = (): Promise<void> =>
  withDatabase(async (url) => {
    // Limits, audit and request log stay on; the load does not reach the limits.
    const limits = { REQUESTS_PER_SECOND: '100000', CONCURRENT_REQUESTS: '10000' };
    const environment = { DATABASE_URL: url, SCIM_TOKEN: token, LOG_LEVEL: 'warn', NODE_ENV: 'production', ...limits };
    const start = (): Promise<ServerProcess> => startServer('dist/src/main.js', 33_001, '/readyz', environment);
    const rollcall = await start();
    const begun = performance.now();
    const seeded = await fill(url, rollcall.origin);
    const took = (performance.now() - begun) / 1000;
    const bare = await startServer('dist/bench/bare-server.js', 33_002, '/00000000-0000-7000-8000-000000000000', {
      DATABASE_URL: url,
      TENANT: seeded.tenant,
    });
    console.log(`${users} users seeded in ${took.toFixed(0)} s; ${rounds} rounds of ${seconds} s, 16 connections\n`);
    await measureRows(bare, rollcall, seeded);
    await measureMembers(bare, rollcall, seeded);
    console.log(`\nRollcall's peak memory ${rollcall.peakMemory().toFixed(0)} MiB`);
    await rollcall.stop();
    const again = await start();
    console.log(`cold start on a migrated database: ready in ${again.startedIn.toFixed(0)} ms`);
    await measureLargeGroup(again, seeded);
    await again.stop();
    await bare.stop();
  });

if (options.only !== 'neighbour') await measureDirectory();
await measureAttacks();
