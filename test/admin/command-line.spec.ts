import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { run } from '../../src/cli/program.js';
import { readConfig } from '../../src/config.js';
import { DataDirectoryInUse } from '../../src/persistence/data-directory.js';
import { dataSourceOptions } from '../../src/persistence/data-source.js';
import type { AdminTenant, AdminToken } from '../support/admin.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { publicUrl } from '../support/server.js';
import { standardSettings as standard } from '../support/settings.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

/** What a command wrote, and its exit code. */
interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly remarks: string;
}

interface Circumstances {
  readonly environment?: Readonly<Record<string, string>>;
  /** What somebody at the terminal answers. */
  readonly answer?: string;
  /** What opening the database fails with. */
  readonly failure?: Error;
}

async function rollcall(argv: string[], { environment, answer, failure }: Circumstances = {}): Promise<Outcome> {
  const written = { out: '', remarks: '' };
  const terminal = {
    write: (text: string) => void (written.out += text),
    remark: (text: string) => void (written.remarks += text),
    ...(answer === undefined ? {} : { ask: () => Promise.resolve(answer) }),
  };
  const surroundings = {
    terminal,
    readConfig: () => readConfig({ PUBLIC_URL: publicUrl, ...environment }),
    withDatabase: <T>(_config: unknown, work: (opened: TestDatabase['database']) => Promise<T>) =>
      failure ? Promise.reject(failure) : work(database.database),
  };
  const code = await run(argv, surroundings, () => Promise.reject(new Error('not here')));
  return { code, ...written };
}

/** Runs a command that has to go well. @returns its result */
async function json<T>(...argv: string[]): Promise<T> {
  const { code, out, remarks } = await rollcall([...argv, '--json']);
  expect([code, remarks]).toEqual([0, '']);
  return JSON.parse(out) as T;
}

/** Runs a statement between commands: the embedded database serves one at a time. */
async function sql(statement: string): Promise<void> {
  const dataSource = await new DataSource(dataSourceOptions(database.database)).initialize();
  await dataSource.query(statement);
  await dataSource.destroy();
}

const fails = (code: number, reason: string) => ({ code, out: '', remarks: `rollcall: ${reason}\n` });

describe('rollcall tenant', () => {
  it('creates, shows and lists tenants', async () => {
    const created = await json<AdminTenant>('tenant', 'create', 'acme', 'profile=strict', 'maxPageSize=50');
    expect(created).toMatchObject({
      name: 'acme',
      state: 'active',
      scimUrl: `${publicUrl}/tenants/acme/scim/v2`,
      settings: { ...standard, profile: 'strict', maxPageSize: 50 },
    });
    expect(await json('tenant', 'show', 'acme')).toEqual(created);
    await json('tenant', 'create', 'acme-two');
    await json('tenant', 'create', 'zeta');
    const names = (tenants: AdminTenant[]): string[] => tenants.map(({ name }) => name);
    expect(names(await json('tenant', 'list'))).toEqual(['acme', 'acme-two', 'zeta']);
    expect(names(await json('tenant', 'list', '--prefix', 'acme'))).toEqual(['acme', 'acme-two']);
  });

  it('lists more tenants than a page has', async () => {
    await sql(
      `INSERT INTO tenants (id, name, created_at)
       SELECT gen_random_uuid(), 'many-' || n, now() FROM generate_series(1, 450) n`,
    );
    expect(await json('tenant', 'list', '--prefix', 'many-')).toHaveLength(450);
  });

  it('writes tables and sheets for people', async () => {
    const { out: list } = await rollcall(['tenant', 'list', '--prefix', 'zeta']);
    expect(list).toMatch(/^NAME {2}STATE {3}CREATEDAT {17}SCIMURL\nzeta {2}active {2}\S+Z {2}https:\S+\n$/);
    const { out: sheet } = await rollcall(['tenant', 'show', 'zeta']);
    expect(sheet).toMatch(/^name {2,}zeta$/m);
    expect(sheet).toMatch(/^settings\.profile {2,}default$/m);
    expect(sheet).toMatch(/^settings\.maxPageSize {2,}-$/m);
  });

  it('sets settings, and sets them back', async () => {
    const settings = async (...given: string[]) =>
      (await json<AdminTenant>('tenant', 'set', 'zeta', ...given)).settings;
    const changed = { requireIfMatch: true, maxBulkOperations: 10, replaceOmitted: 'clear' };
    expect(await settings('requireIfMatch=true', 'maxBulkOperations=10', 'replaceOmitted=clear')).toEqual({
      ...standard,
      ...changed,
    });
    expect(await settings('requireIfMatch=false', 'maxBulkOperations=null', 'replaceOmitted=keep')).toEqual(standard);
  });

  it('renames, suspends and resumes', async () => {
    expect((await json<AdminTenant>('tenant', 'rename', 'zeta', 'eta')).name).toBe('eta');
    expect((await json<AdminTenant>('tenant', 'suspend', 'eta')).state).toBe('suspended');
    expect((await json<AdminTenant>('tenant', 'resume', 'eta')).state).toBe('active');
    expect(await rollcall(['tenant', 'show', 'zeta'])).toEqual(fails(1, 'There is no tenant "zeta".'));
  });

  it('deletes a tenant whose name was given twice', async () => {
    await json('tenant', 'create', 'gone');
    const refusal = fails(2, 'Nothing was erased. To erase everything that the tenant has, say --confirm gone.');
    expect(await rollcall(['tenant', 'delete', 'gone'])).toEqual(refusal);
    expect(await rollcall(['tenant', 'delete', 'gone', '--confirm', 'acme'])).toEqual(refusal);
    expect(await rollcall(['tenant', 'delete', 'gone'], { answer: 'yes' })).toEqual(refusal);
    expect(await json('tenant', 'delete', 'gone', '--confirm', 'gone')).toEqual({ name: 'gone', erased: true });
    expect((await rollcall(['tenant', 'show', 'gone'])).code).toBe(1);
  });

  it('asks whoever sits at the terminal for the name', async () => {
    await json('tenant', 'create', 'asked');
    const { code, out } = await rollcall(['tenant', 'delete', 'asked'], { answer: 'asked' });
    expect([code, out]).toEqual([0, 'The tenant asked is erased.\n']);
  });

  it.each<[string[], number, string]>([
    [['create', 'acme'], 1, 'Another tenant has the name "acme".'],
    [
      ['create', 'Acme'],
      2,
      'name must be 1 to 63 lower-case letters, digits and hyphens, and not begin with a hyphen.',
    ],
    [['create', 'x', 'profile'], 2, '"profile" is not of the form setting=value.'],
    [['create', 'x', 'profile=lax'], 2, 'settings.profile must be one of strict, default, entra-legacy.'],
    [['set', 'acme', 'requireIfMatch=yes'], 2, 'requireIfMatch must be true or false.'],
    [['set', 'acme', 'maxPageSize=5', 'maxPageSize=6'], 2, 'maxPageSize is given twice.'],
    [['rename', 'acme', 'acme-two'], 1, 'Another tenant has this name.'],
    [
      ['rename', 'acme', '-'],
      2,
      'name must be 1 to 63 lower-case letters, digits and hyphens, and not begin with a hyphen.',
    ],
    [['suspend', 'nobody'], 1, 'There is no tenant "nobody".'],
    [['delete', 'nobody', '--confirm', 'nobody'], 1, 'There is no tenant "nobody".'],
  ])('says why it does not: %j', async (argv, code, reason) => {
    expect(await rollcall(['tenant', ...argv])).toEqual(fails(code, reason));
  });
});

describe('rollcall token', () => {
  it('creates tokens, and writes the secret alone where results go', async () => {
    const { code, out, remarks } = await rollcall(['token', 'create', 'acme', '--name', 'Okta']);
    expect([code, out]).toEqual([0, expect.stringMatching(/^rollcall_[0-9A-Za-z]{49}\n$/)]);
    expect(remarks).toContain('The secret is shown this once');
    expect(remarks).not.toContain(out.trim());
  });

  it('creates tokens with scopes and an end', async () => {
    const options = ['--name', 'Reports', '--scopes', 'read', '--expires', '2030-01-31T00:00:00Z'];
    const token = await json<AdminToken>('token', 'create', 'acme', ...options);
    expect(token).toMatchObject({ name: 'Reports', scopes: ['read'], expiresAt: '2030-01-31T00:00:00.000Z' });
    const { secret: _secret, ...shown } = token;
    expect(await json<AdminToken[]>('token', 'list', 'acme')).toContainEqual(shown);
  });

  it('rotates and revokes tokens', async () => {
    const old = await json<AdminToken>('token', 'create', 'acme', '--name', 'turning', '--scopes', 'read,write');
    const next = await json<AdminToken>('token', 'rotate', 'acme', old.id, '--overlap', '60');
    expect([next.name, next.scopes]).toEqual(['turning', ['read', 'write']]);
    const find = async (id: string) => (await json<AdminToken[]>('token', 'list', 'acme')).find((one) => one.id === id);
    expect(new Date((await find(old.id))?.expiresAt ?? 0).getTime()).toBeLessThan(Date.now() + 61_000);
    expect(await json('token', 'revoke', 'acme', next.id)).toEqual({ id: next.id, revoked: true });
    expect((await find(next.id))?.revokedAt).not.toBeNull();
    const { out } = await rollcall(['token', 'list', 'acme']);
    expect(out).toMatch(/^ID +NAME +PREFIX +SCOPES +EXPIRESAT +REVOKEDAT +LASTUSEDAT\n/);
    expect(out).toContain('read,write');
  });

  it.each<[string[], number, string]>([
    [['create', 'nobody', '--name', 'x'], 1, 'There is no tenant "nobody".'],
    [
      ['create', 'acme', '--name', 'x', '--scopes', 'all'],
      2,
      'scopes must be one or more of read, write, bulk, each once.',
    ],
    [
      ['create', 'acme', '--name', 'x', '--expires', 'tomorrow'],
      2,
      'expiresAt must be a date and time with its zone, such as 2027-01-31T00:00:00Z.',
    ],
    [
      ['create', 'acme', '--name', 'x', '--expires', '2020-01-01T00:00:00Z'],
      2,
      'expiresAt must be in the future, and ten years away at most.',
    ],
    [['revoke', 'acme', 'x'], 1, 'The tenant has no token with the id "x".'],
    [['rotate', 'acme', 'x', '--overlap', 'long'], 2, 'overlapSeconds must be a whole number from 0 to 2592000.'],
  ])('says why it does not: %j', async (argv, code, reason) => {
    expect(await rollcall(['token', ...argv])).toEqual(fails(code, reason));
  });
});

describe('rollcall check', () => {
  const findings = (out: string) =>
    (JSON.parse(out) as { findings: { check: string; ok: boolean; detail: string }[] }).findings;

  it('says that all is well', async () => {
    const { code, out } = await rollcall(['check']);
    expect([code, out.split('\n').map((line) => line.split(/ {2,}/).slice(0, 2))]).toEqual([
      0,
      [['CHECK', 'STATE'], ['configuration', 'ok'], ['database', 'ok'], ['migrations', 'ok'], ['']],
    ]);
    expect(out).toMatch(/PostgreSQL 1[5-9]/);
  });

  it('says which migrations are pending, and which another release applied', async () => {
    await sql("UPDATE migrations SET name = 'Later9' WHERE name = 'Administration1764000000003'");
    const { code, out } = await rollcall(['check', '--json']);
    const refusal = expect.stringContaining('A later release was here') as unknown as string;
    for (const argv of [['migrate'], ['tenant', 'list']]) {
      expect(await rollcall(argv)).toEqual({ code: 1, out: '', remarks: refusal });
    }
    await sql("UPDATE migrations SET name = 'Administration1764000000003' WHERE name = 'Later9'");
    expect([code, findings(out).at(-1)]).toEqual([
      1,
      {
        check: 'migrations',
        ok: false,
        detail:
          'pending: Administration1764000000003; ' +
          'A later release was here: this one does not know the migration Later9. ' +
          'Deploy that release or a later one, or restore a backup from before it. Nothing was changed.',
      },
    ]);
  });

  it('says what is wrong with the configuration, and looks no further', async () => {
    for (const [environment, detail] of [
      [{ PORT: 'http' }, 'PORT must be a port number, from 0 to 65535'],
      [{ ADMIN_TOKEN: 'b' }, 'ADMIN_TOKEN must have 32 characters or more; make one with: openssl rand -hex 32'],
    ] as const) {
      const { code, out } = await rollcall(['check', '--json'], { environment });
      expect([code, findings(out)]).toEqual([1, [{ check: 'configuration', ok: false, detail }]]);
    }
  });

  it.each<[string, Error, string]>([
    [
      'cannot be reached',
      Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }),
      'The database cannot be reached: connect ECONNREFUSED 127.0.0.1:1',
    ],
    [
      'is not there',
      Object.assign(new Error('database "directory" does not exist'), { code: '3D000' }),
      'The database refuses: database "directory" does not exist',
    ],
    [
      'does not take the password',
      Object.assign(new Error('password authentication failed for user "rollcall"'), { code: '28P01' }),
      'The database refuses: password authentication failed for user "rollcall"',
    ],
    [
      'is in use by the server',
      new DataDirectoryInUse('./data'),
      './data is in use by another Rollcall process; stop it, or set DATA_DIR or DATABASE_URL. ' +
        'A command can also ask a running server: see --server.',
    ],
  ])('says that the database %s, as every command does', async (_what, failure, detail) => {
    const { code, out } = await rollcall(['check', '--json'], { failure });
    expect([code, findings(out).at(-1)]).toEqual([1, { check: 'database', ok: false, detail }]);
    expect(await rollcall(['tenant', 'list'], { failure })).toEqual(fails(1, detail));
  });
});

describe('rollcall migrate', () => {
  it('applies what is pending, and says so', async () => {
    expect(await json('migrate')).toEqual({ applied: [] });
    expect((await rollcall(['migrate'])).out).toBe('There is nothing to apply.\n');
  });
});

describe('a command that is not understood', () => {
  it.each([
    [['tenants', 'list'], "error: unknown command 'tenants'"],
    [['tenant', 'destroy', 'x'], "error: unknown command 'destroy'"],
    [['tenant', 'show'], "error: missing required argument 'name'"],
    [['tenant', 'show', 'a', 'b'], 'error: too many arguments'],
    [['tenant', 'list', '--colour'], "error: unknown option '--colour'"],
    [['token', 'create', 'acme'], "error: required option '--name <text>' not specified"],
    [['tenant', 'set', 'acme'], "error: missing required argument 'setting=value'"],
  ])('ends with 2 and says why: %j', async (argv, reason) => {
    const { code, out, remarks } = await rollcall(argv);
    expect([code, out, remarks]).toEqual([2, '', expect.stringContaining(reason)]);
    expect(remarks).toContain('--help');
  });

  it.each([[[]], [['tenant']], [['token']]])('is shown what there is: %j', async (argv) => {
    const { code, remarks } = await rollcall(argv);
    expect([code, remarks]).toEqual([2, expect.stringContaining('Usage: rollcall')]);
  });

  it.each([
    [['--help'], ['serve', 'tenant', 'token', 'migrate', 'check', 'move']],
    [
      ['tenant', '--help'],
      ['create', 'list', 'show', 'rename', 'suspend', 'resume', 'delete', 'set'],
    ],
    [
      ['token', '--help'],
      ['create', 'list', 'revoke', 'rotate'],
    ],
    [
      ['client', '--help'],
      ['create', 'list', 'show', 'revoke', 'rotate'],
    ],
    [
      ['issuer', '--help'],
      ['create', 'list', 'show', 'replace', 'update', 'delete'],
    ],
    [
      ['tenant', 'set', '--help'],
      ['profile', 'requireIfMatch', '--json'],
    ],
  ])('can be asked about: %j', async (argv, known) => {
    const { code, out, remarks } = await rollcall(argv);
    expect([code, remarks, known.filter((name) => !out.includes(name))]).toEqual([0, '', []]);
  });

  it('can be asked which version it is', async () => {
    expect(await rollcall(['--version'])).toEqual({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      remarks: '',
    });
  });
});

describe('a configuration that is no good', () => {
  it('ends every command with 1 and one line', async () => {
    for (const argv of [['tenant', 'list'], ['migrate'], ['token', 'list', 'acme']]) {
      const reason = 'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent';
      expect(await rollcall(argv, { environment: { LOG_LEVEL: 'loud' } })).toEqual(fails(1, reason));
    }
  });
});
