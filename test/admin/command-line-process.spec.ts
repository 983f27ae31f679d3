import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScimClient } from '../support/client.js';
import { databaseUrl, onServer, serverUrl } from '../support/database.js';
import { build, endProcesses, killProcess, runCommand, startProcess, stopProcess } from '../support/process.js';

const ends: (() => Promise<unknown>)[] = [];

beforeAll(build, 120_000);
afterEach(async () => {
  await endProcesses();
  for (const end of ends.splice(0).reverse()) await end();
});

/** An environment with a database that nobody has used: on the server that the suite runs on, or embedded. */
async function home(): Promise<Record<string, string>> {
  if (serverUrl === undefined) {
    const DATA_DIR = await mkdtemp(join(tmpdir(), 'rollcall-cli-'));
    ends.push(() => rm(DATA_DIR, { recursive: true, force: true }));
    return { DATA_DIR };
  }
  const url = serverUrl;
  const name = `${process.env['ROLLCALL_TEST_PREFIX']}_${randomUUID().slice(0, 8)}`;
  await onServer(url, (client) => client.query(`CREATE DATABASE "${name}"`));
  ends.push(() => onServer(url, (client) => client.query(`DROP DATABASE "${name}" WITH (FORCE)`)));
  return { DATABASE_URL: databaseUrl(url, name) };
}

describe('the program rollcall', () => {
  it('prepares a database for a server that is started afterwards, and administers it', async () => {
    const environment = await home();
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await runCommand(args, environment);
      return { code, stdout, stderr };
    };
    const before = await run('check', '--json');
    if (serverUrl === undefined) {
      expect([before.code, before.stdout]).toEqual([1, expect.stringContaining('There is no database yet')]);
      expect(await readdir(environment['DATA_DIR'] ?? '')).toEqual([]);
    } else expect([before.code, before.stdout]).toEqual([1, expect.stringContaining('pending: Initial')]);
    const migrated = await run('migrate');
    expect([migrated.code, migrated.stdout]).toEqual([0, expect.stringMatching(/^Initial\d+\nSecretKeys\d+\n/)]);
    expect((await run('check')).code).toBe(0);
    expect((await run('tenant', 'create', 'acme')).code).toBe(0);
    const { stdout: secret } = await run('token', 'create', 'acme', '--name', 'Okta');

    const configured = { ...environment, SCIM_TOKEN: 'token-of-the-default-tenant-of-32-characters-or-more' };
    const server = await startProcess(configured, 'cli/main.js', ['serve']);
    const acme = new ScimClient(`${server.origin}/tenants/acme/scim/v2`, secret.trim());
    expect((await acme.post('/Users', { userName: 'ann' })).status).toBe(201);
    const meanwhile = await run('tenant', 'list');
    if (serverUrl === undefined) {
      expect([meanwhile.code, meanwhile.stdout]).toEqual([1, '']);
      const advice = 'which has no ADMIN_TOKEN. Stop it, or start it with ADMIN_TOKEN.';
      expect(meanwhile.stderr).toBe(
        `rollcall: ${environment['DATA_DIR']} is in use by the server at ${server.origin}, ${advice}\n`,
      );
    } else {
      expect([meanwhile.code, meanwhile.stdout]).toEqual([0, expect.stringContaining('acme')]);
    }
    expect(await stopProcess(server)).toEqual({ code: 0, signal: null });

    const deleted = await run('tenant', 'delete', 'acme', '--confirm', 'acme');
    expect([deleted.code, deleted.stdout, deleted.stderr]).toEqual([0, 'The tenant acme is erased.\n', '']);
  }, 120_000);

  it('works beside a server that has the embedded database open, through its admin API', async () => {
    const withoutToken = await home();
    const directory = withoutToken['DATA_DIR'] ?? '';
    const token = 'operators-token-of-32-characters-or-more';
    const administered = { ...withoutToken, ADMIN_TOKEN: token, HOST: '0.0.0.0' };
    const server = await startProcess(administered);
    const created = await runCommand(['tenant', 'create', 'acme', '--token', 'Okta'], administered);
    const [, secret = ''] = /^Bearer token +(\S+)$/m.exec(created.stdout) ?? [];
    expect([created.code, secret]).toEqual([0, expect.stringMatching(/^rollcall_/)]);
    const { port } = new URL(server.origin);
    const acme = new ScimClient(`http://127.0.0.1:${port}/tenants/acme/scim/v2`, secret);
    expect((await acme.post('/Users', { userName: 'ann' })).status).toBe(201);
    if (serverUrl === undefined) {
      const refused = await runCommand(['tenant', 'list'], withoutToken);
      const advice = 'Set ADMIN_TOKEN to that of the server, or stop the server.';
      const inUse = `${directory} is in use by the server at http://127.0.0.1:${port}. ${advice}`;
      expect([refused.code, refused.stderr]).toEqual([1, `rollcall: ${inUse}\n`]);
      expect((await stat(join(directory, 'server.json'))).mode & 0o777).toBe(0o600);
      // Killed, it leaves its address behind. The next command takes no notice of it.
      await killProcess(server);
      expect(await readdir(directory)).toContain('server.json');
    } else await stopProcess(server);
    expect((await runCommand(['tenant', 'list'], administered)).stdout).toContain('acme');
    if (serverUrl === undefined) expect(await readdir(directory)).not.toContain('server.json');
  }, 120_000);

  it('ends with 2 when it is not understood, and with 1 when the database is away', async () => {
    expect((await runCommand(['tenant', 'destroy'], {})).code).toBe(2);
    const away = { DATABASE_URL: 'postgres://postgres@127.0.0.1:1/nothing' };
    const { code, stdout } = await runCommand(['check'], away);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/database +FAILED +The database cannot be reached: .+/)]);
    const migrated = await runCommand(['migrate'], away);
    expect([migrated.code, migrated.stdout, migrated.stderr]).toEqual([
      1,
      '',
      expect.stringMatching(/^rollcall: The database cannot be reached: .+\n$/),
    ]);
  }, 60_000);

  it('changes nothing by looking: where there is no embedded database, check makes none', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'rollcall-cli-'));
    ends.push(() => rm(parent, { recursive: true, force: true }));
    const DATA_DIR = join(parent, 'none');
    const { code, stdout } = await runCommand(['check', '--json'], { DATA_DIR });
    const { findings } = JSON.parse(stdout) as { findings: object[] };
    expect([code, findings.at(-1)]).toEqual([
      1,
      {
        check: 'database',
        ok: false,
        detail: `There is no database yet in ${DATA_DIR}; rollcall migrate or a start makes it.`,
      },
    ]);
    expect(await readdir(parent)).toEqual([]);
  }, 60_000);
});
