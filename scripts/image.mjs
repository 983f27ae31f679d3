// node scripts/image.mjs: proves the image where there is no Docker. Builds what deploy/Dockerfile says into a clean
// folder, and runs it as its user, as process 1 and from files that this user cannot change: SIGTERM while it starts,
// probes, a write, SIGTERM, a second start. As root all of this; another user cannot change users nor be process 1.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { buildImage } from './image-build.mjs';

const isRoot = process.getuid() === 0;
// Process 1 is not ended by a signal that it does not take itself.
const asFirst = ['unshare', '--pid', '--fork', '--kill-child', '--'];
const canBeFirst = isRoot && spawnSync(asFirst[0], [...asFirst.slice(1), 'true']).status === 0;
const startDeadline = 120_000;
const token = `image_${randomBytes(24).toString('base64url')}`;

/** Where a path of the image is; Node itself is the one that runs this script. */
function located(image, path) {
  if (path === '/nodejs/bin/node') return process.execPath;
  return path.startsWith('/') ? join(image.root, path) : path;
}

/** A command line that runs as the image's user, without privileges. */
function asUser(image, [program, ...given]) {
  const command = [located(image, program), ...given.map((word) => located(image, word))];
  if (!isRoot) return command;
  const [uid, gid] = image.user.split(':');
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs', '--', ...command];
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return String(port);
}

const environmentOf = (image) =>
  Object.fromEntries(Object.entries(image.environment).map(([name, value]) => [name, located(image, value)]));

function ask(port, path, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((answered, failed) => {
    request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.on('end', () => answered({ status: response.statusCode, text }));
    })
      .on('error', failed)
      .end(body);
  });
}

/** Starts the container's process, and does not wait for anything. */
async function launch(image, more) {
  const ports = { PORT: await freePort(), METRICS_PORT: await freePort() };
  const env = { ...environmentOf(image), ...ports, SCIM_TOKEN: token, ...more };
  const command = asUser(image, [...image.entrypoint, ...image.command]);
  const [program, ...given] = canBeFirst ? [...asFirst, ...command] : command;
  const child = spawn(program, given, { cwd: join(image.root, image.workdir), env, stdio: ['ignore', 'pipe', 'pipe'] });
  const running = { child, env, output: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (running.output += text));
  return running;
}

async function start(image) {
  const running = await launch(image);
  const { child, env } = running;
  const ended = once(child, 'close').then(([code]) => assert.fail(`It ended with ${code}: ${running.output}`));
  const ready = async () => {
    for (;;) {
      const answer = await ask(env.PORT, '/readyz').catch(() => undefined);
      if (answer?.status === 200) return;
      await delay(100);
    }
  };
  const late = delay(startDeadline, undefined, { ref: false }).then(() => assert.fail(`Not ready: ${running.output}`));
  ended.catch(() => undefined);
  await Promise.race([ready(), ended, late]);
  return running;
}

async function stop({ child, output }) {
  const closed = once(child, 'close');
  const inside = () => readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim();
  process.kill(canBeFirst ? Number(inside()) : child.pid, 'SIGTERM');
  const late = delay(30_000, undefined, { ref: false }).then(() => assert.fail(`SIGTERM did not end it: ${output}`));
  assert.deepEqual(await Promise.race([closed, late]), [0, null], `SIGTERM must end it with 0: ${output}`);
}

/** A pod that is taken away while it starts must not last until it is killed. */
async function stopEarly(image) {
  const DATA_DIR = join(located(image, image.environment.DATA_DIR), 'early');
  const running = await launch(image, { DATA_DIR });
  while (!existsSync(DATA_DIR)) await delay(10);
  await stop(running);
  assert.ok(!running.output.includes('listens'), 'it was to be stopped before it listens');
}

function healthcheck(image, env) {
  const [program, ...given] = asUser(image, image.healthcheck);
  return spawnSync(program, given, { env }).status;
}

/** Everything of the image but its data, by path, with what would show a change. */
function unchanging(image) {
  const data = located(image, image.environment.DATA_DIR);
  return readdirSync(image.root, { recursive: true })
    .map((path) => join(image.root, path))
    .filter((path) => path !== data && !path.startsWith(`${data}/`))
    .map((path) => `${path} ${lstatSync(path).size} ${lstatSync(path).mtimeMs}`)
    .sort();
}

function protect(image) {
  const data = located(image, image.environment.DATA_DIR);
  for (const path of ['', ...readdirSync(image.root, { recursive: true })].map((each) => join(image.root, each)))
    if (path !== data && !lstatSync(path).isSymbolicLink()) chmodSync(path, lstatSync(path).mode & 0o555);
  const [program, ...given] = asUser(image, ['/nodejs/bin/node', '-e', 'fs.writeFileSync(process.argv[1], "")']);
  const writes = (path) => spawnSync(program, [...given, path]).status === 0;
  assert.equal(writes(join(image.root, image.workdir, 'written')), false, 'the program must not be writable');
  assert.equal(writes(join(data, '.written')), true, 'the data must be writable');
}

function inspect(image) {
  const inside = (path) => join(image.root, image.workdir, path);
  for (const path of ['package.json', 'LICENSE', 'node_modules/pg']) assert.ok(existsSync(inside(path)), path);
  for (const path of ['src', 'test']) assert.ok(!existsSync(inside(path)), path);
  const compiled = readdirSync(inside('dist'), { recursive: true });
  assert.deepEqual(
    compiled.filter((path) => path.includes('.spec.')),
    [],
  );
  const { packages } = JSON.parse(readFileSync(inside('package-lock.json'), 'utf8'));
  const forDevelopment = Object.entries(packages).filter(([, { dev, devOptional }]) => dev || devOptional);
  assert.deepEqual(
    forDevelopment.map(([path]) => path).filter((path) => existsSync(inside(path))),
    [],
  );
}

async function use(image) {
  await stopEarly(image);
  const authorization = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/scim+json' };
  const users = '/scim/v2/Users';
  const body = JSON.stringify({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: 'image@example.com',
  });
  const [migrate, ...given] = asUser(image, [...image.entrypoint, 'migrate']);
  assert.equal(
    spawnSync(migrate, given, { env: environmentOf(image) }).status,
    0,
    'migrate, as the init container does',
  );
  const first = await start(image);
  assert.equal(healthcheck(image, first.env), 0, 'HEALTHCHECK of a running server');
  assert.equal((await ask(first.env.METRICS_PORT, '/metrics')).status, 200);
  assert.notEqual((await ask(first.env.PORT, '/metrics')).status, 200, 'metrics have their own port');
  assert.equal((await ask(first.env.PORT, users, { method: 'POST', headers: authorization, body })).status, 201);
  await stop(first);
  assert.equal(healthcheck(image, first.env), 1, 'HEALTHCHECK of none');
  const second = await start(image);
  assert.equal(JSON.parse((await ask(second.env.PORT, users, { headers: authorization })).text).totalResults, 1);
  await stop(second);
}

const target = mkdtempSync(join(tmpdir(), 'rollcall-image-'));
chmodSync(target, 0o755);
try {
  const log = (line) => console.log(`  ${line.split('\n', 1)[0]}`);
  const image = buildImage({ dockerfile: 'deploy/Dockerfile', context: resolve('.'), target, log });
  inspect(image);
  protect(image);
  const before = unchanging(image);
  await use(image);
  assert.deepEqual(unchanging(image), before, 'nothing is written but data');
  const user = isRoot ? `user ${image.user}` : 'the user of this shell (be root to take the image’s own)';
  console.log(`The image works as ${user}${canBeFirst ? ' and process 1' : ''}, on Node.js ${process.version}.`);
} finally {
  rmSync(target, { recursive: true, force: true });
}
