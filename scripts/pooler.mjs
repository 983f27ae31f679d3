// The suite with pgbouncer in transaction mode before PostgreSQL: once without prepared statements, and once with.
// Usage: npm run test:pooler -- [PATHS]   all tests that go through DATABASE_URL, unless paths or options of Jest are given.
// Needs DATABASE_URL (a role that may make databases) and pgbouncer; before version 1.21 that cannot pass prepared statements on.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Not those that are about deployment, and not outage.spec.ts, which counts a server's own sessions and their bounds. */
const everything = [
  ...['admin', 'clients', 'database', 'http', 'limits', 'oauth', 'property', 'rfc'].map((folder) => `test/${folder}/`),
  '--testPathIgnorePatterns=database/outage',
];
/** How many connections pgbouncer has with each database: fewer than a server's 20. */
const poolSize = 8;
const preparedStatements = 200;
/** What docs/high-availability.md has the role set; here, where databases come and go, pgbouncer sets it. */
const settings = {
  ...{ statement_timeout: 20_000, idle_in_transaction_session_timeout: 60_000 },
  ...{ plan_cache_mode: 'force_generic_plan', jit: 'off' },
};

function fail(message) {
  console.error(message);
  process.exit(2);
}

const { DATABASE_URL: url, ...environment } = process.env;
if (!url) fail('DATABASE_URL must be set');
const path = `${process.env.PATH}${delimiter}/usr/sbin${delimiter}/usr/local/sbin`;
const { stdout: said, error } = spawnSync('pgbouncer', ['--version'], { encoding: 'utf8', env: { PATH: path } });
if (error) fail(`pgbouncer is not installed: ${error.message}`);
const [, version, minor] = /PgBouncer (\d+\.(\d+)\S*)/.exec(said) ?? fail(`pgbouncer says of itself: ${said}`);
const passesPrepared = version.startsWith('1.') ? Number(minor) >= 21 : true;

/** A free port of this machine. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

async function listens(port) {
  const socket = connect(port, '127.0.0.1');
  const [outcome] = await Promise.race([
    once(socket, 'connect').then(() => [true]),
    once(socket, 'error').then(() => [false]),
  ]).catch(() => [false]);
  socket.destroy();
  return outcome;
}

/** Starts pgbouncer before the server. @returns its URL, and how it ends */
async function startPgbouncer(more) {
  const { hostname, port, username, password } = new URL(url);
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-pgbouncer-'));
  const [configuration, users] = [join(folder, 'pgbouncer.ini'), join(folder, 'users.txt')];
  const listenPort = await freePort();
  const values = { host: hostname, port: port || 5432, listenPort, users, poolSize };
  const template = await readFile(join(import.meta.dirname, '..', 'test', 'support', 'pgbouncer.ini'), 'utf8');
  const text = template.replace(/\$\{(\w+)\}/g, (placeholder, name) => values[name] ?? placeholder);
  const query = Object.entries(settings).map(([name, value]) => `SET ${name} = ${value}`);
  const setUp = text.replace(/^\* = .*$/m, (line) => `${line} connect_query='${query.join('; ')}'`);
  await writeFile(configuration, `${setUp}${more}\n`);
  await writeFile(users, `"${decodeURIComponent(username)}" "${decodeURIComponent(password)}"\n`);
  // It does not run as root.
  const id = (option) => Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }));
  const as = process.getuid() === 0 ? { uid: id('-u'), gid: id('-g') } : {};
  if (as.uid !== undefined) for (const each of [folder, configuration, users]) await chown(each, as.uid, as.gid);
  const pgbouncer = spawn('pgbouncer', ['--quiet', configuration], { env: { PATH: path }, stdio: 'inherit', ...as });
  const ended = once(pgbouncer, 'exit');
  while (!(await listens(listenPort))) {
    if (pgbouncer.exitCode !== null) fail('pgbouncer ended');
    await delay(50);
  }
  const pooled = new URL(url);
  pooled.host = `127.0.0.1:${listenPort}`;
  const stop = async () => {
    pgbouncer.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  return { url: pooled.toString(), stop };
}

const given = process.argv.slice(2);
const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
const args = given.some((each) => !each.startsWith('-')) ? given : [...everything, ...given];

/** Runs the suite once. @returns whether it passed */
async function passes(more, variables) {
  const { url: pooled, stop } = await startPgbouncer(more);
  // What tests themselves need one session for goes to the server.
  const env = { ...environment, ...variables, DATABASE_URL: pooled, POOLED_SERVER: url };
  const run = spawn(process.execPath, [...jest, ...args], { env, stdio: 'inherit' });
  const [status] = await once(run, 'exit');
  await stop();
  return status === 0;
}

console.log(`pgbouncer ${version} in transaction mode, PREPARED_STATEMENTS=false`);
const without = await passes(passesPrepared ? 'max_prepared_statements = 0' : '', { PREPARED_STATEMENTS: 'false' });
if (!passesPrepared) {
  console.error(
    `pgbouncer ${version} cannot pass prepared statements on: 1.21 is the first that can. That half was not run.`,
  );
  process.exit(without ? 3 : 1);
}
console.log(`pgbouncer ${version} in transaction mode, max_prepared_statements = ${preparedStatements}`);
const withPrepared = await passes(`max_prepared_statements = ${preparedStatements}`, {});
process.exit(without && withPrepared ? 0 : 1);
