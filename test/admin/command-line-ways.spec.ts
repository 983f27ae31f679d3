import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { auditFilters } from '../../src/admin/audit.dto.js';
import { requestFilters } from '../../src/admin/requests.dto.js';
import { auditOptions, requestOptions } from '../../src/cli/time-line-commands.js';
import { run } from '../../src/cli/program.js';
import { readConfig } from '../../src/config.js';
import { adminToken, startAdministered, type AdministeredServer, type AdminTenant } from '../support/admin.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { freePort } from '../support/free-port.js';
import { publicUrl } from '../support/server.js';

let database: TestDatabase;
let server: AdministeredServer;
beforeAll(async () => {
  database = await createDatabase();
  server = await startAdministered();
});
afterAll(async () => {
  await server.close();
  await database.drop();
});

interface Credential {
  readonly id: string;
  readonly name: string;
  readonly secret: string;
}

/** Runs a command, with an address where a server is to carry it out. */
async function rollcall(argv: readonly string[], running?: string, environment: Record<string, string> = {}) {
  const written = { out: '', remarks: '' };
  const surroundings = {
    terminal: {
      write: (text: string) => void (written.out += text),
      remark: (text: string) => void (written.remarks += text),
    },
    readConfig: () => readConfig({ PUBLIC_URL: publicUrl, ADMIN_TOKEN: adminToken, ...environment }),
    withDatabase: <T>(_config: unknown, work: (opened: TestDatabase['database']) => Promise<T>) =>
      running === undefined ? work(database.database) : Promise.reject(new Error('The database is not to be opened.')),
    findServer: () => Promise.resolve(running === undefined ? undefined : { origin: running, administered: true }),
  };
  const code = await run(argv, surroundings, () => Promise.reject(new Error('not here')));
  return { code, ...written };
}

describe.each([
  ['in this process', () => undefined],
  ['through a running server', () => server.origin],
])('%s', (_way, running) => {
  const text = async (...argv: string[]): Promise<string> => {
    const { code, out, remarks } = await rollcall(argv, running());
    expect([argv, code, code === 0 ? '' : remarks]).toEqual([argv, 0, '']);
    return out;
  };
  const json = async <T>(...argv: string[]): Promise<T> => JSON.parse(await text(...argv, '--json')) as T;
  const lines = async <T>(...argv: string[]): Promise<T[]> =>
    (await text(...argv, '--json')).split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]));

  it('creates a tenant with a token, and prints the address and the secret together', async () => {
    const { code, out, remarks } = await rollcall(['tenant', 'create', 'acme', '--token', 'Okta'], running());
    expect([code, remarks]).toEqual([0, 'The secret is shown this once; keep it.\n']);
    expect(out).toMatch(
      /^SCIM base URL {2}https:\/\/scim.example.com\/tenants\/acme\/scim\/v2\nBearer token {3}rollcall_[0-9A-Za-z]{49}\n$/,
    );
    const created = await json<AdminTenant & { token: Credential }>(
      ...['tenant', 'create', 'globex', 'profile=strict', '--token', 'Entra'],
    );
    expect(created).toMatchObject({ name: 'globex', settings: { profile: 'strict' }, token: { name: 'Entra' } });
  });

  it('says so when the tenant is there and its token is not', async () => {
    expect(await rollcall(['tenant', 'create', 'tokenless', '--token', ''], running())).toEqual({
      code: 2,
      out: '',
      remarks:
        'The tenant tokenless is created, but it has no token: rollcall token create makes one.\n' +
        'rollcall: name must have 1 to 200 characters, and no control characters.\n',
    });
    expect((await json<AdminTenant>('tenant', 'show', 'tokenless')).state).toBe('active');
  });

  it('lists, changes, renames, suspends, resumes and deletes tenants', async () => {
    expect((await json<AdminTenant[]>('tenant', 'list', '--prefix', 'acme')).map(({ name }) => name)).toEqual(['acme']);
    expect((await json<AdminTenant>('tenant', 'set', 'acme', 'maxPageSize=7')).settings['maxPageSize']).toBe(7);
    expect(await json('tenant', 'settings', 'acme')).toMatchObject({ profile: 'default', maxPageSize: 7 });
    expect(await text('tenant', 'settings', 'acme')).toMatch(/^maxPageSize {2,}7$/m);
    expect((await json<AdminTenant>('tenant', 'rename', 'tokenless', 'renamed')).name).toBe('renamed');
    expect((await json<AdminTenant>('tenant', 'suspend', 'renamed')).state).toBe('suspended');
    expect((await json<AdminTenant>('tenant', 'resume', 'renamed')).state).toBe('active');
    expect(await text('tenant', 'delete', 'renamed', '--confirm', 'renamed')).toBe('The tenant renamed is erased.\n');
  });

  it('creates, lists, rotates and revokes tokens', async () => {
    const { secret: _secret, ...token } = await json<Credential>(
      ...['token', 'create', 'acme', '--name', 'Reports', '--scopes', 'read', '--expires', '2030-01-31T00:00:00Z'],
    );
    expect(await json<Credential[]>('token', 'list', 'acme')).toContainEqual(token);
    const next = await json<Credential>('token', 'rotate', 'acme', token.id, '--overlap', '60');
    expect(next).toMatchObject({ name: 'Reports', scopes: ['read'], secret: expect.stringMatching(/^rollcall_/) });
    expect(await json('token', 'revoke', 'acme', next.id)).toEqual({ id: next.id, revoked: true });
  });

  it('creates, lists, shows, rotates and revokes clients', async () => {
    const { code, out, remarks } = await rollcall(['client', 'create', 'acme', '--name', 'Entra'], running());
    expect([code, out]).toEqual([0, expect.stringMatching(/^rollcall_[0-9A-Za-z]{49}\n$/)]);
    expect(remarks).toMatch(/^secrets {2,}rollcall_\w{6}… until 20\S+Z$/m);
    const [client] = await json<Credential[]>('client', 'list', 'acme');
    const id = client?.id ?? '';
    expect(await json('client', 'show', 'acme', id)).toEqual(client);
    const rotated = await json<Credential & { secrets: object[] }>('client', 'rotate', 'acme', id, '--overlap', '60');
    expect([rotated.id, rotated.secrets.length]).toEqual([id, 2]);
    expect(await text('client', 'list', 'acme')).toMatch(/^ID +NAME +SCOPES +SECRETS +CREATEDAT +LASTUSEDAT\n/);
    expect(await text('client', 'revoke', 'acme', id)).toBe(`The client ${id} has ended.\n`);
    expect(await json('client', 'list', 'acme')).toEqual([]);
  });

  it('creates, lists, shows, updates, replaces and deletes issuers', async () => {
    const [issuer, audience] = ['https://login.example.com/acme', 'api://rollcall'];
    const named = ['--issuer', issuer, '--audience', audience];
    const roles = ['--scope-claim', 'roles', '--scope-value', 'Scim.All=read,write', '--scope-value', 'Scim.Read=read'];
    const created = await json<{ id: string }>(
      ...['issuer', 'create', 'acme', ...named, ...roles, '--require', 'azp=one,two', '--algorithms', 'ES256'],
    );
    const expected = {
      ...{ issuer, audience, jwksUri: null, algorithms: ['ES256'], scopes: [], scopeClaim: 'roles' },
      ...{
        scopeValues: { 'Scim.All': ['read', 'write'], 'Scim.Read': ['read'] },
        requiredClaims: { azp: ['one', 'two'] },
      },
    };
    expect(created).toMatchObject(expected);
    expect(await json('issuer', 'list', 'acme')).toEqual([created]);
    expect(await json('issuer', 'show', 'acme', created.id)).toEqual(created);
    expect(await text('issuer', 'show', 'acme', created.id)).toMatch(/^scopeValues\.Scim\.All {2,}read,write$/m);
    expect((await json<{ scopes: string[] }>('issuer', 'update', 'acme', created.id, '--scopes', '')).scopes).toEqual(
      [],
    );
    const updated = await json('issuer', 'update', 'acme', created.id, '--scopes', 'read');
    expect(updated).toEqual({ ...created, scopes: ['read'] });
    const replaced = await json('issuer', 'replace', 'acme', created.id, ...named, '--scopes', 'write');
    expect(replaced).toMatchObject({ scopes: ['write'], scopeClaim: null, scopeValues: {}, algorithms: ['RS256'] });
    expect(await json('issuer', 'delete', 'acme', created.id)).toEqual({ id: created.id, deleted: true });
  });

  it('lists the audit trail, of a tenant and of the installation, as JSON lines and as a table', async () => {
    const actor = running() === undefined ? 'cli' : 'admin';
    const events = await lines<{ operation: string; actor: string }>('audit', 'list', 'acme', '--limit', 'all');
    expect(events.length).toBeGreaterThan(5);
    expect(new Set(events.map((event) => event.actor))).toEqual(new Set([actor]));
    const rotations = ['audit', 'list', 'acme', '--operation', 'rotate', '--resource-type', 'Token', '--actor', actor];
    expect((await lines<{ operation: string }>(...rotations)).map(({ operation }) => operation)).toEqual(['rotate']);
    expect(await lines('audit', 'list', 'acme', '--to', '2020-01-01T00:00:00Z')).toEqual([]);
    expect(await lines('audit', 'list', 'acme', '--limit', '2')).toEqual(events.slice(0, 2));
    const table = await text('audit', 'list', '--resource-type', 'Tenant');
    expect(table).toMatch(/^AT +ACTOR +OPERATION +RESOURCETYPE +RESOURCEID +CHANGED +REQUESTID\n/);
    expect(table).toMatch(/ delete +Tenant /);
  });

  it('lists the request log, and says when it has no such request', async () => {
    expect(await lines('request', 'list', 'acme', '--failed', 'true', '--status', '4xx', '--method', 'POST')).toEqual(
      [],
    );
    expect(await text('request', 'list', 'acme')).toMatch(
      /^AT +STATUS +METHOD +PATH +SCIMTYPE +DETAIL +ACTOR +REQUESTID\n$/,
    );
    expect(await rollcall(['request', 'show', 'acme', 'unknown'], running())).toEqual({
      code: 1,
      out: '',
      remarks: 'rollcall: The request log has no request with the id "unknown".\n',
    });
  });

  it.each<[string[], number, string]>([
    [['tenant', 'create', 'acme'], 1, 'Another tenant has the name "acme".'],
    [['tenant', 'show', 'nobody'], 1, 'There is no tenant "nobody".'],
    [['tenant', 'create', 'x', 'profile=lax'], 2, 'settings.profile must be one of strict, default, entra-legacy.'],
    [['tenant', 'set', 'acme', 'requireIfMatch=yes'], 2, 'requireIfMatch must be true or false.'],
    [
      ['tenant', 'delete', 'acme'],
      2,
      'Nothing was erased. To erase everything that the tenant has, say --confirm acme.',
    ],
    [['token', 'revoke', 'acme', 'x'], 1, 'The tenant has no token with the id "x".'],
    [
      ['token', 'rotate', 'acme', 'x', '--overlap', 'long'],
      2,
      'overlapSeconds must be a whole number from 0 to 2592000.',
    ],
    [
      ['client', 'create', 'acme', '--name', 'x', '--scopes', 'all'],
      2,
      'scopes must be one or more of read, write, bulk, each once.',
    ],
    [['issuer', 'update', 'acme', 'x'], 2, 'Say what is to change: see --help.'],
    [['issuer', 'update', 'acme', 'x', '--require', 'azp'], 2, '--require azp is not of the form name=value,value.'],
    [
      ['audit', 'list', 'acme', '--from', 'yesterday'],
      2,
      'from must be a date and time with its zone, such as 2027-01-31T00:00:00Z.',
    ],
    [['request', 'list', 'nobody'], 1, 'There is no tenant "nobody".'],
  ])('says why it does not: %j', async (argv, code, reason) => {
    expect(await rollcall(argv, running())).toEqual({ code, out: '', remarks: `rollcall: ${reason}\n` });
  });
});

describe('a request that failed', () => {
  it('is listed and shown with what was sent', async () => {
    const scim = await server.addTenant('failing');
    const refused = await scim.post('/Users', { nickName: 'x' });
    const requestId = refused.headers.get('x-request-id') ?? '';
    const listed = await rollcall(['request', 'list', 'failing', '--status', '400'], server.origin);
    expect(listed.out.split('\n')[1]).toContain(requestId);
    const { code, out } = await rollcall(['request', 'show', 'failing', requestId], server.origin);
    expect([code, out]).toEqual([0, expect.stringMatching(/^requestBody\.nickName {2,}\*\*\*$/m)]);
  });
});

describe('--server', () => {
  it('asks that server, without a database', async () => {
    const { code, out } = await rollcall(
      ['tenant', 'list', '--json', '--server', `${server.origin}/`],
      'http://127.0.0.1:1',
    );
    expect([code, (JSON.parse(out) as AdminTenant[]).map(({ name }) => name)]).toEqual([
      0,
      expect.arrayContaining(['default']),
    ]);
  });

  it.each<[string, string[], Record<string, string>, number, string]>([
    ['is no address', ['ftp://x'], {}, 2, '--server must be an address such as https://scim.example.com.'],
    [
      'is asked without a token',
      ['http://127.0.0.1:1'],
      { ADMIN_TOKEN: '' },
      1,
      'Set ADMIN_TOKEN to that of the server.',
    ],
  ])('says so when it %s', async (_what, given, environment, code, reason) => {
    expect(await rollcall(['tenant', 'list', '--server', ...given], undefined, environment)).toEqual({
      code,
      out: '',
      remarks: `rollcall: ${reason}\n`,
    });
  });

  it('says so when nothing listens there', async () => {
    const address = `http://127.0.0.1:${await freePort()}`;
    const { code, remarks } = await rollcall(['tenant', 'list', '--server', address]);
    expect([code, remarks]).toEqual([
      1,
      expect.stringMatching(/^rollcall: http:\S+ does not answer: .*ECONNREFUSED.*\n$/),
    ]);
  });

  it('says so when the server has another ADMIN_TOKEN', async () => {
    const environment = { ADMIN_TOKEN: 'another-operators-token-of-32-characters-or-more' };
    expect(await rollcall(['tenant', 'list'], server.origin, environment)).toEqual({
      code: 1,
      out: '',
      remarks: `rollcall: ${server.origin} refuses ADMIN_TOKEN: set the one that the server was started with.\n`,
    });
  });

  it('sends no request to another path for a name that no path can carry', async () => {
    for (const argv of [
      ['tenant', 'show', '..'],
      ['token', 'revoke', 'failing', '.'],
      ['client', 'show', 'failing', ''],
    ]) {
      const { code, remarks } = await rollcall(argv, server.origin);
      expect([code, remarks]).toEqual([1, `rollcall: There is nothing called "${argv.at(-1)}".\n`]);
    }
  });
});

describe('the filters of the admin API', () => {
  it('are all options of the commands', () => {
    const time = ['from', 'to'];
    expect(Object.keys(auditOptions).sort()).toEqual([...time, ...Object.keys(auditFilters)].sort());
    expect(Object.keys(requestOptions).sort()).toEqual([...time, ...Object.keys(requestFilters)].sort());
  });
});
