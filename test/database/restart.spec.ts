import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Resource } from '../support/client.js';
import { databaseUrl, onServer, serverUrl } from '../support/database.js';
import { scimError } from '../support/errors.js';
import { freePort } from '../support/free-port.js';
import { dropHomes, newDirectory, newHome, prepareHomes, queryHome, type Home } from '../support/home.js';
import {
  endProcesses,
  killProcess,
  runCommand,
  runToEnd,
  startCommand,
  startProcess,
  stopProcess,
  type RollcallProcess,
} from '../support/process.js';
import { direct } from '../support/pooled.js';
import { describeWith } from '../support/programs.js';
import { head, open, parseAnswer, readAll } from '../support/raw-http.js';
import { until } from '../support/until.js';

jest.setTimeout(120_000);

const token = 'restart-test-token-of-32-characters-or-more';

const start = (home: Home, more: Home = {}) => startProcess({ ...home, SCIM_TOKEN: token, ...more });

beforeAll(prepareHomes);
afterEach(endProcesses);
afterAll(dropHomes);

describe('The first start', () => {
  it('prints where the server is and a token that works; later starts print no token', async () => {
    // Not a copy of the prepared directory, whose token was printed already.
    const home = serverUrl === undefined ? { DATA_DIR: await newDirectory() } : await newHome();
    const publicUrl = 'https://scim.example.com';
    const first = await startProcess({ ...home, PUBLIC_URL: publicUrl });
    const [, port] = /^http:\/\/127\.0\.0\.1:(\d+)$/.exec(first.origin) ?? [];
    const secret = first.scim.token;
    expect(secret).toMatch(/^rollcall_[\w-]{43}[0-9A-Za-z]{6}$/);
    const where = [`Rollcall listens on 127.0.0.1:${port}`, `  SCIM base URL  ${publicUrl}/scim/v2`];
    const lines = [...where, `  Bearer token   ${secret}`, '                 (shown this once; keep it)'];
    expect(first.output()).toEqual({
      stdout: [...lines, `  Swagger UI     ${publicUrl}/docs`, ''].join('\n'),
      stderr: '',
    });
    expect((await first.scim.list('/Users')).status).toBe(200);
    expect(await stopProcess(first)).toEqual({ code: 0, signal: null });

    const second = await startProcess({ ...home, PUBLIC_URL: publicUrl });
    expect(second.output().stdout).not.toMatch(/token/i);
    expect((await second.scim.list('/Users', { token: secret })).status).toBe(200);
  });

  it('prints a base URL that answers when no other is configured', async () => {
    const PORT = String(await freePort());
    const { scim, output } = await start(await newHome(), { PORT });
    expect(output().stdout).toContain(`  SCIM base URL  http://localhost:${PORT}/scim/v2\n`);
    const { status, body } = await scim.post(`http://localhost:${PORT}/scim/v2/Users`, { userName: 'ann' });
    expect([status, body.meta.location]).toEqual([201, `http://localhost:${PORT}/scim/v2/Users/${body.id}`]);
  });

  it.each([
    [{ PORT: 'http' }, 'PORT must be a port number, from 0 to 65535\n'],
    [{ DATABASE_URL: 'mysql://127.0.0.1/x' }, 'DATABASE_URL must be a postgres:// URL\n'],
  ])('ends with one line and code 1 when it is given %j', async (environment, stderr) => {
    expect(await runToEnd(environment)).toEqual({ code: 1, signal: null, stdout: '', stderr });
  });
});

describe('A start that fails', () => {
  it('for the database cannot be reached ends with one line that says so, and code 1', async () => {
    const { code, stderr } = await runToEnd({ DATABASE_URL: 'postgres://postgres@127.0.0.1:1/nothing' });
    expect([code, stderr]).toEqual([1, 'The database cannot be reached: connect ECONNREFUSED 127.0.0.1:1\n']);
  });

  it('for another server listens on its port ends with one line that says so, and code 1', async () => {
    const { origin } = await start(await newHome());
    const { code, stderr } = await runToEnd({ ...(await newHome()), PORT: new URL(origin).port });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^The server cannot listen: .*EADDRINUSE.*\n$/)]);
  });

  describeWith([], 'on a server that has no such database', () => {
    it('ends with one line that says so, and code 1', async () => {
      const DATABASE_URL = databaseUrl(direct(serverUrl ?? ''), 'no-such-database');
      const reason = 'The database refuses: database "no-such-database" does not exist\n';
      const { code, stderr } = await runToEnd({ DATABASE_URL });
      expect([code, stderr]).toEqual([1, reason]);
      const migrated = await runCommand(['migrate'], { DATABASE_URL });
      expect([migrated.code, migrated.stderr]).toEqual([1, `rollcall: ${reason}`]);
    });
  });
});

describe('SIGTERM', () => {
  it('ends the process with code 0, and the next start has everything', async () => {
    const home = await newHome();
    const first = await start(home);
    const { body: user } = await first.scim.post('/Users', { userName: 'ann', password: 'Str0ng-enough' });
    const { body: group } = await first.scim.post('/Groups', { displayName: 'G', members: [{ value: user.id }] });
    const { body: read } = await first.scim.get(`/Users/${user.id}`);
    expect(await stopProcess(first)).toEqual({ code: 0, signal: null });
    // Kept in memory until then.
    expect(await queryHome(home, 'SELECT count(last_used_at)::integer AS used FROM tokens')).toContainEqual({
      used: 1,
    });
    const second = await start(home);
    expect((await second.scim.get(`/Users/${user.id}`)).body).toEqual(read);
    expect((await second.scim.get(`/Groups/${group.id}`)).body).toEqual(group);
    expect((await second.scim.list('/Users')).body.totalResults).toBe(1);
  });

  it('lets a request in flight finish, and does not wait for its client to close the connection', async () => {
    const home = await newHome();
    const first = await start(home, { LOG_LEVEL: 'info' });
    const body = JSON.stringify({ userName: 'in-flight' });
    const lines = ['Host: rollcall.test', 'Connection: keep-alive', `Authorization: Bearer ${token}`];
    const request = ['POST /scim/v2/Users HTTP/1.1', ...lines, `Content-Length: ${body.length}`, '', ''].join('\r\n');
    const socket = open(first.origin);
    const answered = readAll(socket);
    socket.write(request + body.slice(0, 5));
    // The answer to another request says that this one has reached the server too.
    await first.scim.list('/Users');
    first.signal('SIGTERM');
    await first.printed(/"msg":"stopping"/);
    socket.write(body.slice(5));
    const { status, body: created } = parseAnswer(await answered);
    expect([status, await first.exited]).toEqual([201, { code: 0, signal: null }]);
    const second = await start(home);
    const { id } = JSON.parse(created) as Resource;
    expect((await second.scim.get(`/Users/${id}`)).status).toBe(200);
  });

  it('turns /readyz to 503, also for a request that was on its way', async () => {
    const first = await start(await newHome(), { LOG_LEVEL: 'info' });
    const readyz = `${first.origin}/readyz`;
    expect((await first.scim.get(readyz)).status).toBe(200);
    const socket = open(first.origin);
    const answered = readAll(socket);
    const request = head('GET', '/readyz');
    socket.write(request.slice(0, -2));
    expect((await first.scim.get(readyz)).status).toBe(200);
    first.signal('SIGTERM');
    await first.printed(/"msg":"stopping"/);
    socket.write(request.slice(-2));
    const { status, headers, body } = parseAnswer(await answered);
    expect([status, headers['retry-after'], JSON.parse(body)]).toEqual([503, '5', scimError(503)]);
    expect(await first.exited).toEqual({ code: 0, signal: null });
  });

  it('does not wait for connections that never carried a request', async () => {
    const first = await start(await newHome());
    const closed = readAll(open(first.origin));
    expect((await first.scim.list('/Users')).status).toBe(200);
    expect(await stopProcess(first)).toEqual({ code: 0, signal: null });
    expect(await closed).toBe('');
  });

  it('does not wait for clients that never stop asking', async () => {
    const first = await start(await newHome());
    const askForEver = async (): Promise<void> => {
      for (;;) expect((await first.scim.list('/Users?count=0')).status).toBe(200);
    };
    const clients = Array.from({ length: 3 }, () => askForEver().catch(() => undefined));
    for (let asked = 0; asked < 10; asked++) await first.scim.list('/Users?count=0');
    expect(await stopProcess(first)).toEqual({ code: 0, signal: null });
    await Promise.all(clients);
  });
});

describeWith([], 'SIGTERM before there is anything to finish', () => {
  // As process 1 of a container a program is not ended by a signal that it does not take itself.
  it.each([
    ['serve', 0],
    ['migrate', 143],
  ])('ends rollcall %s, which waits for its turn to migrate, by its own doing with code %d', async (command, code) => {
    const home = await newHome();
    const url = direct(home['DATABASE_URL'] ?? '');
    const waits = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await onServer(url, async (holder) => {
      await holder.query('BEGIN');
      await holder.query('LOCK TABLE migrations');
      const waiting = startCommand([command], { ...home, SCIM_TOKEN: token });
      await onServer(url, (client) => until(async () => (await client.query(waits)).rowCount === 1));
      waiting.signal('SIGTERM');
      expect(await waiting.exited).toEqual({ code, signal: null });
    });
  });
});

if (serverUrl === undefined) {
  describe('A second process on one data directory', () => {
    it('says so in one line and ends with code 1; the first is not disturbed', async () => {
      const home = await newHome();
      const first = await start(home);
      const directory = home['DATA_DIR'];
      expect(await runToEnd({ ...home })).toEqual({
        ...{ code: 1, signal: null, stdout: '' },
        stderr: `${directory} is in use by another Rollcall process; stop it, or set DATA_DIR or DATABASE_URL.\n`,
      });
      expect((await first.scim.post('/Users', { userName: 'ann' })).status).toBe(201);
    });

    it('is refused also when both find the lock of a process that was killed', async () => {
      const home = await newHome();
      await killProcess(await start(home));
      const starts = await Promise.allSettled([start(home), start(home), start(home)]);
      expect(starts.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
    });
  });
} else {
  describe('Two replicas on one database', () => {
    const both = async (home: Home): Promise<[RollcallProcess, RollcallProcess]> =>
      Promise.all([startProcess(home), startProcess(home)]);

    it('print one token between them when they start together for the first time', async () => {
      const replicas = await both(await newHome());
      const printed = replicas.filter(({ output }) => output().stdout.includes('Bearer token'));
      expect(printed).toHaveLength(1);
      const secret = printed[0]?.scim.token ?? '';
      const answers = await Promise.all(replicas.map(({ scim }) => scim.list('/Users', { token: secret })));
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    });

    it('make one user of the same POST, and one membership of the same PATCH', async () => {
      const replicas = await both({ ...(await newHome()), SCIM_TOKEN: token });
      const posted = await Promise.all(replicas.map(({ scim }) => scim.post('/Users', { userName: 'ann' })));
      expect(posted.map(({ status }) => status).sort()).toEqual([201, 409]);
      const user = posted.find(({ status }) => status === 201)?.body.id ?? '';
      const { body: group } = await replicas[0].scim.post('/Groups', { displayName: 'G' });
      const add = [{ op: 'add', path: 'members', value: [{ value: user }] }];
      const patched = await Promise.all(replicas.map(({ scim }) => scim.operations(`/Groups/${group.id}`, add)));
      expect(patched.map(({ status }) => status)).toEqual([204, 204]);
      const { body } = await replicas[1].scim.get(`/Groups/${group.id}`);
      expect([body['members'], body.meta.version]).toEqual([[expect.objectContaining({ value: user })], 'W/"2"']);
    });

    it('read the next page of a list that the other began', async () => {
      const replicas = await both({ ...(await newHome()), SCIM_TOKEN: token });
      const [one, two] = replicas.map(({ scim }) => scim);
      for (const userName of ['ann', 'bob']) await one?.post('/Users', { userName: `${userName}-${randomUUID()}` });
      const first = await one?.list('/Users?startIndex=1&count=1');
      const second = await two?.list('/Users?startIndex=2&count=1');
      const all = await two?.list('/Users');
      expect([first, second].flatMap((answer) => answer?.body.Resources)).toEqual(all?.body.Resources);
    });
  });
}
