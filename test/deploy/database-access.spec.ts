import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { chownSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresPrograms, removeClusters, startCluster, type Cluster } from '../support/cluster.js';
import { inconsistencies } from '../support/consistency.js';
import { databaseUrl, onServer } from '../support/database.js';
import { queryHome } from '../support/home.js';
import { environment, fill, goOn, wentOn } from '../support/observation.js';
import { build, endProcesses, runCommand, runToEnd, startProcess, stopProcess } from '../support/process.js';
import { describeWith, findProgram, unprivileged } from '../support/programs.js';

jest.setTimeout(120_000);

beforeAll(build);
afterEach(async () => {
  await endProcesses();
  await removeClusters();
});

const page = readFileSync('docs/operating.md', 'utf8');
const programs = [{ name: "PostgreSQL's own programs", path: postgresPrograms() }];

/** The statements of a block of the page that begins with a comment. */
function statements(comment: string): string[] {
  const block = new RegExp(`\`\`\`sql\\n-- ${comment}[^\\n]*\\n([^\`]+)\`\`\``).exec(page)?.[1] ?? '';
  return block
    .split('\n')
    .filter((line) => !line.startsWith('--'))
    .join('\n')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

/** A URL of the same server for another role and database. */
function as(role: string, { url }: Cluster): string {
  const other = new URL(databaseUrl(url, 'rollcall'));
  other.username = role;
  return other.toString();
}

async function runAll(url: string, sql: readonly string[]): Promise<void> {
  await onServer(url, async (client) => {
    for (const statement of sql) await client.query(statement);
  });
}

describeWith(programs, 'The roles of docs/operating.md', () => {
  it('one that owns the database: it migrates and serves', async () => {
    const cluster = await startCluster();
    const made = statements('One role');
    expect(made).toHaveLength(2);
    await runAll(cluster.url, made);
    const server = await startProcess({ ...environment, DATABASE_URL: as('rollcall', cluster) });
    expect(await goOn(server, await fill(server))).toEqual(wentOn);
    expect(await stopProcess(server)).toEqual({ code: 0, signal: null });
  });

  it('two: one makes and changes the tables, and the server has no right to', async () => {
    const cluster = await startCluster();
    const owner = { ...environment, DATABASE_URL: as('rollcall_owner', cluster) };
    const serving = { ...environment, DATABASE_URL: as('rollcall', cluster) };
    await runAll(cluster.url, statements('Two roles'));
    await runAll(owner.DATABASE_URL, statements('In the database rollcall'));

    const early = await runToEnd(serving);
    expect([early.code, early.stderr]).toEqual([1, 'The database refuses: permission denied for schema public\n']);
    expect((await runCommand(['migrate'], owner)).code).toBe(0);
    const server = await startProcess(serving);
    expect(await goOn(server, await fill(server))).toEqual(wentOn);
    expect((await runCommand(['check'], serving)).code).toBe(0);
    expect(await stopProcess(server)).toEqual({ code: 0, signal: null });
    expect(await inconsistencies((sql) => queryHome(serving, sql))).toEqual([]);
    await expect(queryHome(serving, 'CREATE TABLE other (id integer)')).rejects.toThrow('permission denied');
    await expect(queryHome(serving, 'DROP TABLE users CASCADE')).rejects.toThrow('must be owner');
  });
});

const openssl = findProgram('openssl');

describeWith([...programs, openssl], 'TLS to PostgreSQL', () => {
  let keys: string;
  const sign = (...args: string[]): void => {
    execFileSync(openssl.path ?? '', args, { cwd: keys, stdio: 'pipe' });
  };
  beforeAll(async () => {
    // Not among the tests' own files, which the user of PostgreSQL cannot reach.
    keys = await mkdtemp(join(tmpdir(), 'rollcall-keys-'));
    for (const name of ['ca', 'other-ca'])
      sign(
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', `/CN=${name}`],
        ...['-keyout', `${name}.key`, '-out', `${name}.pem`],
      );
    for (const host of ['localhost', 'elsewhere.test']) {
      await writeFile(join(keys, `${host}.ext`), `subjectAltName = DNS:${host}\n`);
      const key = ['-keyout', `${host}.key`, '-out', `${host}.csr`];
      sign('req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${host}`, ...key);
      const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1'];
      sign('x509', '-req', '-in', `${host}.csr`, ...authority, '-extfile', `${host}.ext`, '-out', `${host}.pem`);
    }
    // In the plain nobody gets in.
    await writeFile(join(keys, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 trust\n');
    const { uid, gid } = unprivileged();
    if (uid === undefined || gid === undefined) return;
    for (const path of ['', ...(await readdir(keys))]) chownSync(join(keys, path), uid, gid);
  });
  afterAll(() => rm(keys, { recursive: true, force: true }));

  const startWith = (host: string): Promise<Cluster> =>
    startCluster([
      ...[
        'ssl = on',
        `ssl_cert_file = '${join(keys, `${host}.pem`)}'`,
        `ssl_key_file = '${join(keys, `${host}.key`)}'`,
      ],
      `hba_file = '${join(keys, 'pg_hba.conf')}'`,
    ]);
  /** What `rollcall check` says of the database, whose certificate is for a host and of the authority `ca`. */
  async function checked(host: string, query: string) {
    const url = new URL((await startWith(host)).url);
    url.hostname = 'localhost';
    const DATABASE_URL = `${url.toString()}${query.replace('/etc/rollcall', keys)}`;
    const { code, stdout } = await runCommand(['check'], { DATABASE_URL });
    return [code, stdout.split('\n').find((line) => line.startsWith('database'))];
  }
  const [, documented = ''] = /DATABASE_URL=postgres:\/\/…\/rollcall(\?sslmode\S+?)`/.exec(page) ?? [];

  it('as docs/operating.md has it: with an authority of its own', async () => {
    // All but the migrations, which nobody has applied.
    expect(await checked('localhost', documented)).toEqual([1, expect.stringMatching(/^database +ok /)]);
  });

  it.each([
    ['is of another host', 'elsewhere.test', documented, /altname|does not match/i],
    ['is of another authority', 'localhost', documented.replace('ca.pem', 'other-ca.pem'), /certificate/],
    ['is of an authority that nobody named', 'localhost', '?sslmode=verify-full', /certificate/],
    ['is not asked for', 'localhost', '', /no encryption/],
  ])('is refused when the certificate %s', async (_what, host, query, reason) => {
    const [code, line] = await checked(host, query);
    const refused = /^database +FAILED +The database (?:cannot be reached|refuses): /;
    expect([code, line]).toEqual([1, expect.stringMatching(refused)]);
    expect(line).toMatch(reason);
  });
});
