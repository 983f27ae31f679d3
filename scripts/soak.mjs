// Mixed load on one server for as long as is wanted, to see whether memory stays flat and nothing fails.
// Usage: npm run soak -- [MINUTES]   10 unless said otherwise; on DATABASE_URL (an empty database) or the embedded database.
// Prints a line every 15 seconds. Ends with 1 when a request failed, or when what is in use at the end is more than at the start.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Pool } from 'undici';

const minutes = Number(process.argv[2] ?? 10);
if (!(minutes > 0)) {
  console.error('The number of minutes must be more than 0');
  process.exit(2);
}
const connections = 16;
const sampleMilliseconds = Math.min(15_000, (minutes * 60_000) / 8);
/** How many MiB more may be in use at the end than at the start: what is live, and what the system has given. */
const mostGrowth = { heap: 16, rss: 128 };

const token = randomUUID();
const directory = await mkdtemp(join(tmpdir(), 'rollcall-soak-'));
const preload = pathToFileURL(join(import.meta.dirname, '..', 'test', 'support', 'memory-use.mjs')).href;
const server = spawn(process.execPath, [join(import.meta.dirname, '..', 'dist', 'src', 'main.js')], {
  env: {
    DATA_DIR: directory,
    ...process.env,
    ...{ PORT: '0', HOST: '127.0.0.1', SCIM_TOKEN: token, RATE_LIMIT: 'off', LOG_LEVEL: 'error' },
    NODE_OPTIONS: `--import ${preload}`,
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const lines = createInterface(server.stdout);
lines.on('line', (line) => line.startsWith('{') && console.error(line));

/** Waits for a line of the server's. */
async function line(pattern) {
  for (;;) {
    const [text] = await once(lines, 'line');
    const found = pattern.exec(text);
    if (found) return found[1];
  }
}

const origin = `http://${await line(/^Rollcall listens on (\S+)/)}`;
const pool = new Pool(origin, { connections });
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' };
const patchOp = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const bulkRequest = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';
let requests = 0;
const failures = new Map();
let isOver = false;

/** Sends a request. @returns its body when it is answered as expected; otherwise it is counted as a failure */
async function send(method, path, body, ...expected) {
  requests++;
  try {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await pool.request({ method, path: `/scim/v2${path}`, headers, body: text });
    const json = answer.statusCode === 204 ? await answer.body.dump() : await answer.body.json();
    if (expected.includes(answer.statusCode)) return json;
    fail(`${method} ${path.replace(/[0-9a-f-]{36}/g, '…')}: ${answer.statusCode}`);
  } catch (error) {
    fail(String(error.cause ?? error));
  }
  return undefined;
}

function fail(what) {
  failures.set(what, (failures.get(what) ?? 0) + 1);
}

const patch = (path, ...Operations) => send('PATCH', path, { schemas: [patchOp], Operations }, 200, 204);
const filter = (text) => `filter=${encodeURIComponent(text)}`;
const shared = await send('POST', '/Groups', { displayName: 'Shared' }, 201);

/** The life of one user: created, found, changed, in groups, and deleted again, so that the directory stays as large as it is. */
async function life() {
  const name = randomUUID();
  const user = await send(
    'POST',
    '/Users',
    { userName: name, externalId: name, emails: [{ value: `${name}@example.com`, type: 'work' }] },
    201,
  );
  if (!user) return;
  const path = `/Users/${user.id}`;
  await send('GET', `/Users?${filter(`userName eq "${name}"`)}`, undefined, 200);
  await send('GET', `/Users?${filter(`emails[type eq "work" and value eq "${name}@example.com"]`)}`, undefined, 200);
  await patch(path, { op: 'replace', path: 'active', value: false }, { op: 'add', path: 'title', value: name });
  await patch(`/Groups/${shared.id}`, { op: 'add', path: 'members', value: [{ value: user.id }] });
  await send('GET', path, undefined, 200);
  await send('GET', '/Users?count=50&sortBy=userName', undefined, 200);
  await send('GET', `/Groups/${shared.id}`, undefined, 200);
  await send('GET', `/Users/${randomUUID()}`, undefined, 404);
  await send('POST', '/Users', { userName: name }, 409);
  await send('GET', `/Users?${filter(`title co "${name.slice(0, 8)}" or nickName sw "${name}"`)}`, undefined, 200);
  const { Operations: [created] = [] } =
    (await send(
      'POST',
      '/Bulk',
      {
        schemas: [bulkRequest],
        Operations: [
          { method: 'POST', path: '/Groups', bulkId: 'g', data: { displayName: name, members: [{ value: user.id }] } },
          { method: 'PATCH', path, data: { schemas: [patchOp], Operations: [{ op: 'remove', path: 'title' }] } },
        ],
      },
      200,
    )) ?? {};
  await send('PUT', path, { userName: `${name}-renamed` }, 200);
  await send('DELETE', `/Groups/${created?.location?.slice(-36)}`, undefined, 204);
  await send('DELETE', path, undefined, 204);
}

/** What the server uses at this moment, when all garbage is collected, in MiB; and the event loop's delay in milliseconds. */
async function sample(number) {
  const { body } = await pool.request({ method: 'GET', path: '/metrics' });
  const lag = Number(/^nodejs_eventloop_lag_p99_seconds(?:\{.*\})? (\S+)/m.exec(await body.text())?.[1]) * 1000;
  const said = line(new RegExp(`^memory ${number} (.*)`));
  server.kill('SIGUSR2');
  const { heapUsed, external, rss } = JSON.parse(await said);
  return { heap: (heapUsed + external) / 2 ** 20, rss: rss / 2 ** 20, lag };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

const begun = performance.now();
const workers = Array.from({ length: connections }, async () => {
  while (!isOver) await life();
});
const samples = [];
for (let before = 0; performance.now() - begun < minutes * 60_000; before = requests) {
  const from = performance.now();
  await delay(sampleMilliseconds);
  const perSecond = (requests - before) / ((performance.now() - from) / 1000);
  const { heap, rss, lag } = await sample(samples.length + 1);
  samples.push({ heap, rss });
  const failed = [...failures.values()].reduce((sum, count) => sum + count, 0);
  const figures = [
    `${perSecond.toFixed(0)} requests/s`,
    `${failed} failed`,
    `heap ${heap.toFixed(1)} MiB`,
    `RSS ${rss.toFixed(0)} MiB`,
    `event loop p99 ${lag.toFixed(0)} ms`,
  ];
  console.log(`${((performance.now() - begun) / 60_000).toFixed(1)} min  ${figures.join('  ')}`);
}
isOver = true;
await Promise.all(workers);
await pool.close();
server.kill('SIGTERM');
const [code] = await once(server, 'exit');
await rm(directory, { recursive: true, force: true });

// The first quarter warms the caches up.
const quarter = Math.max(1, Math.floor(samples.length / 4));
const grown = Object.fromEntries(
  Object.keys(mostGrowth).map((what) => {
    const [start, end] = [samples.slice(quarter, 2 * quarter), samples.slice(-quarter)];
    return [what, median(end.map((each) => each[what])) - median(start.map((each) => each[what]))];
  }),
);
console.log(
  `${requests} requests; heap ${grown.heap.toFixed(1)} MiB and RSS ${grown.rss.toFixed(0)} MiB more at the end than at the start`,
);
for (const [what, count] of failures) console.error(`${count} × ${what}`);
const isFlat = Object.entries(mostGrowth).every(([what, most]) => grown[what] <= most);
if (!isFlat) console.error(`Memory grew by more than ${mostGrowth.heap} MiB of heap or ${mostGrowth.rss} MiB of RSS`);
if (code !== 0) console.error(`The server ended with ${code}`);
process.exit(isFlat && failures.size === 0 && code === 0 ? 0 : 1);
