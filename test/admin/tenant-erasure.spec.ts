import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Config } from '../../src/config.js';
import { prepareDefaultTenant } from '../../src/first-start.js';
import { DirectoryCounts } from '../../src/persistence/directory-counts.js';
import { RequestRecorder } from '../../src/request-log/request-recorder.js';
import type { JsonObject } from '../../src/scim/index.js';
import { TenantErasure } from '../../src/tenants/tenant-erasure.js';
import { TenantsService } from '../../src/tenants/tenants.service.js';
import {
  startAdministered,
  type AdministeredServer,
  type AdminTenant,
  type AdminList,
  type AdminToken,
} from '../support/admin.js';
import { scimError } from '../support/errors.js';

let server: AdministeredServer;
beforeAll(async () => {
  server = await startAdministered();
});
afterEach(() => void jest.restoreAllMocks());
afterAll(() => server.close());

const containing = (text: string): unknown => expect.stringContaining(text);
const create = (name: string) => server.admin.post<AdminTenant>('/tenants', { name });
const read = async (name: string): Promise<AdminTenant> =>
  (await server.admin.get<AdminTenant>(`/tenants/${name}`)).body;

describe('DELETE /tenants/{name}', () => {
  /** How many rows of each table are a tenant's, by every table that has tenants' rows. */
  async function rowsOf(tenantId: string): Promise<Record<string, number>> {
    const tables: { name: string }[] = await server.dataSource.query(
      `SELECT table_name AS name FROM information_schema.columns
       WHERE table_schema = current_schema() AND column_name = 'tenant_id' ORDER BY 1`,
    );
    const counts: Record<string, number> = {};
    for (const { name } of tables) {
      const [row]: { rows: number }[] = await server.dataSource.query(
        `SELECT count(*)::integer AS rows FROM ${name} WHERE tenant_id = $1`,
        [tenantId],
      );
      counts[name] = row?.rows ?? 0;
    }
    return counts;
  }

  async function populated(name: string) {
    const client = await server.admin.connect(name);
    const { body: tenant } = await server.admin.get<AdminTenant>(`/tenants/${name}`);
    const { body: ann } = await client.post('/Users', { userName: 'ann' });
    const { body: inner } = await client.post('/Groups', { displayName: 'inner', members: [{ value: ann.id }] });
    await client.post('/Groups', { displayName: 'outer', members: [{ value: inner.id }, { value: ann.id }] });
    await server.admin.post(`/tenants/${name}/clients`, { name: 'client' });
    const issuer = { issuer: 'https://login.example.com', audience: `api://${name}`, scopes: ['read'] };
    await server.admin.post(`/tenants/${name}/issuers`, issuer);
    return { client, tenant };
  }

  it('erases everything of the tenant, and nothing of another', async () => {
    const kept = await populated('kept');
    // What is written now and then is written before it is counted.
    await server.app.get(RequestRecorder).flush();
    await server.app.get(DirectoryCounts).settle();
    const before = await rowsOf(kept.tenant.id);
    const { client, tenant } = await populated('gone');
    expect(await rowsOf(tenant.id)).toMatchObject({
      ...{ users: 1, groups: 2, group_members: 3 },
      ...{ tokens: 1, oauth_clients: 1, oauth_client_secrets: 1, issuers: 1 },
    });
    const answer = await server.admin.delete('/tenants/gone?name=gone');
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect([...new Set(Object.values(await rowsOf(tenant.id)))]).toEqual([0]);
    expect((await server.admin.get('/tenants/gone')).status).toBe(404);
    expect((await client.list('/Users')).status).toBe(401);
    expect(await rowsOf(kept.tenant.id)).toEqual(before);
    expect((await kept.client.list('/Users')).body.totalResults).toBe(1);
  });

  it('frees the name for a tenant that has nothing of the old one', async () => {
    const { tenant } = await populated('again');
    await server.admin.delete('/tenants/again?name=again');
    const client = await server.admin.connect('again');
    expect((await read('again')).id).not.toBe(tenant.id);
    expect((await client.list('/Users')).body.totalResults).toBe(0);
  });

  it.each(['', '?name=', '?name=other', '?name=SURE'])(
    'asks for the name, and erases nothing with %j',
    async (query) => {
      if ((await server.admin.get('/tenants/sure')).status === 404) await populated('sure');
      const { status, body } = await server.admin.delete(`/tenants/sure${query}`);
      const detail = 'name must be "sure", to say that this tenant is to be erased.';
      expect([status, body]).toEqual([400, scimError(400, 'invalidValue', detail)]);
      expect((await read('sure')).state).toBe('active');
    },
  );

  it('goes through many rows in batches, and through what is in the way of another erasure', async () => {
    const { tenant } = await populated('large');
    await server.dataSource.query(
      `INSERT INTO users (tenant_id, id, user_name, user_name_key, display, display_key, active, document, folded,
                          version, created_at, last_modified_at)
       SELECT $1, gen_random_uuid(), n, n, n, n, true, '{}', '{}', 1, now(), now()
       FROM (SELECT 'user-' || generate_series(1, 12000) AS n) AS numbered`,
      [tenant.id],
    );
    const answers = await Promise.all([1, 2].map(() => server.admin.delete('/tenants/large?name=large')));
    expect(answers.map(({ status }) => status).filter((status) => status !== 204 && status !== 404)).toEqual([]);
    expect([...new Set(Object.values(await rowsOf(tenant.id)))]).toEqual([0]);
  });

  it('leaves a tenant that cannot be used when it is interrupted, and erases the rest when it is asked again', async () => {
    const { client, tenant } = await populated('broken');
    jest.spyOn(server.app.get(TenantErasure), 'erase').mockRejectedValueOnce(new Error('the process was killed'));
    expect((await server.admin.delete('/tenants/broken?name=broken')).status).toBe(500);
    expect((await read('broken')).state).toBe('erasing');
    expect((await client.list('/Users')).status).toBe(401);
    const resumed = await server.admin.send('POST', '/tenants/broken/resume', undefined);
    expect([resumed.status, resumed.body]).toEqual([
      409,
      scimError(409, undefined, 'The tenant "broken" is being erased.'),
    ]);
    expect((await create('broken')).status).toBe(409);
    expect((await server.admin.delete('/tenants/broken?name=broken')).status).toBe(204);
    expect([...new Set(Object.values(await rowsOf(tenant.id)))]).toEqual([0]);
  });

  it('refuses a write that was let in just before, as if its token had been refused', async () => {
    const { client, tenant } = await populated('racing');
    // The token was recognised a moment ago, and the tenant is gone when the row is written.
    await server.dataSource.query('DELETE FROM tenants WHERE id = $1', [tenant.id]);
    for (const [path, body] of [
      ['/Users', { userName: 'late' }],
      ['/Groups', { displayName: 'late' }],
    ] as const) {
      expect((await client.post(path, body)).status).toBe(401);
    }
  });

  it.each<[string, JsonObject]>([
    ['tokens', { name: 'late' }],
    ['clients', { name: 'late' }],
    ['issuers', { issuer: 'https://login.example.com', audience: 'api://late', scopes: ['read'] }],
  ])('makes no new %s while it ends: the tenant that was there a moment ago is not there', async (kind, body) => {
    const tenants = server.app.get(TenantsService);
    const known = await tenants.get('kept');
    jest.spyOn(tenants, 'get').mockResolvedValueOnce({ ...known, id: randomUUID() });
    const { status, body: answer } = await server.admin.post(`/tenants/kept/${kind}`, body);
    expect([status, answer]).toEqual([404, scimError(404, undefined, 'There is no such tenant any more.')]);
  });
});

describe('the default tenant', () => {
  it('can be deleted where SCIM_TOKEN does not name it, and comes back at a start without any other tenant', async () => {
    const own = await startAdministered();
    await own.admin.post('/tenants', { name: 'acme' });
    expect((await own.admin.delete('/tenants/default?name=default')).status).toBe(204);
    expect((await own.scim.list('/Users')).status).toBe(401);
    expect(await prepareDefaultTenant(own.app, own.app.get(Config))).toBeUndefined();
    expect((await own.admin.get('/tenants/default')).status).toBe(404);
    await own.admin.delete('/tenants/acme?name=acme');
    const secret = await prepareDefaultTenant(own.app, own.app.get(Config));
    expect((await own.scim.list('/Users', { token: secret ?? null })).status).toBe(200);
    await own.close();
  });

  it('is neither deleted nor renamed while SCIM_TOKEN makes it at every start', async () => {
    const own = await startAdministered({ SCIM_TOKEN: 'configured-secret-of-32-characters-or-more' });
    const answers = [
      await own.admin.delete('/tenants/default?name=default'),
      await own.admin.patch('/tenants/default', { name: 'other' }),
    ];
    for (const { status, body } of answers) {
      expect([status, body]).toEqual([409, scimError(409, undefined, containing('while SCIM_TOKEN is set'))]);
    }
    expect((await own.admin.patch('/tenants/default', { settings: { profile: 'strict' } })).status).toBe(200);
    expect((await own.scim.list('/Users')).status).toBe(200);
    const { body } = await own.admin.get<AdminList<AdminToken>>('/tenants/default/tokens');
    expect(body.items.map(({ name, prefix }) => [name, prefix])).toEqual([['SCIM_TOKEN', null]]);
    await own.close();
  });
});
