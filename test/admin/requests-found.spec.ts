import type { Request, Response } from 'express';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../src/scim/index.js';
import { startAdministered, type AdministeredServer } from '../support/admin.js';
import { loggedRequests, type LoggedRequest } from '../support/audit.js';
import type { ScimClient } from '../support/client.js';
import { RequestRecorder } from '../../src/request-log/request-recorder.js';
import { scimError } from '../support/errors.js';

let server: AdministeredServer;
beforeAll(async () => {
  server = await startAdministered();
});
afterAll(() => server.close());

async function newTenant(): Promise<{ name: string; scim: ScimClient }> {
  const name = `tenant-${randomUUID()}`;
  return { name, scim: await server.admin.connect(name) };
}

const logOf = (tenant: string, count: number, query = ''): Promise<LoggedRequest[]> =>
  loggedRequests(server.admin, tenant, count, query);

describe('a bulk request (RFC 7644 section 3.7)', () => {
  const message = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';
  const bulk = (scim: ScimClient, ...Operations: JsonObject[]) =>
    scim.post('/Bulk', { schemas: [message], Operations });

  it('of which operations failed is found with these, although it is 200 as a whole', async () => {
    const { name, scim } = await newTenant();
    const { body: user } = await scim.post('/Users', { userName: 'barbara' });
    const failed = await bulk(
      scim,
      { method: 'POST', path: '/Users', bulkId: 'a', data: { userName: 'barbara' } },
      { method: 'PUT', path: `/Users/${user.id}`, data: { userName: 'babs' } },
      { method: 'DELETE', path: '/Users/barbara@example.com' },
    );
    expect(failed.status).toBe(200);
    const [logged, ...others] = await logOf(name, 1, '?failed=true');
    expect(others).toEqual([]);
    const failure = (status: number, scimType?: string): unknown => scimError(status, scimType);
    expect(logged).toMatchObject({
      requestId: failed.headers.get('X-Request-Id'),
      path: `/tenants/${name}/scim/v2/Bulk`,
      status: 200,
      scimType: 'uniqueness',
      detail: '2 of 3 operations failed.',
      requestBody: {
        Operations: [
          { method: 'POST', path: '/Users', bulkId: 'a', data: { userName: '***' } },
          { method: 'PUT', path: `/Users/${user.id}`, data: { userName: '***' } },
          { method: 'DELETE', path: '/Users/***' },
        ],
      },
      responseBody: {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkResponse'],
        Operations: [
          { method: 'POST', bulkId: 'a', status: '409', response: failure(409, 'uniqueness') },
          { method: 'DELETE', status: '404', response: failure(404) },
        ],
      },
    });
    expect(JSON.stringify(logged)).not.toMatch(/barbara|babs/);
    expect((await logOf(name, 1, '?failed=false')).map(({ status }) => status)).toEqual([201]);
  });

  it('that went well has no bodies', async () => {
    const { name, scim } = await newTenant();
    await bulk(scim, { method: 'POST', path: '/Users', bulkId: 'a', data: { userName: 'barbara' } });
    const [logged] = await logOf(name, 1);
    expect(logged).toMatchObject({ status: 200, detail: null, requestBody: null, responseBody: null });
  });

  it('of which very many failed shows the first of them', async () => {
    const { name, scim } = await newTenant();
    await bulk(scim, ...Array.from({ length: 200 }, () => ({ method: 'DELETE', path: `/Users/${randomUUID()}` })));
    const [logged] = await logOf(name, 1);
    expect(logged?.detail).toBe('200 of 200 operations failed.');
    expect(JSON.stringify(logged?.responseBody).length).toBeLessThan(16_384);
  });
});

describe('a token that has ended', () => {
  const log = (tenant: string): Promise<unknown[]> =>
    logOf(tenant, 1).then((found) => found.map(({ status, actor, detail }) => [status, actor, detail]));
  const refusal = 'The bearer token is not valid: it is unknown, expired or malformed.';

  it('is found in the log of its tenant, which it was good for: revoked', async () => {
    const { name, scim } = await newTenant();
    const { body } = await server.admin.get<{ items: { id: string }[] }>(`/tenants/${name}/tokens`);
    const [token] = body.items;
    await server.admin.delete(`/tenants/${name}/tokens/${token?.id}`);
    expect((await scim.post('/Users', { userName: 'barbara' })).status).toBe(401);
    expect(await log(name)).toEqual([[401, `token:${token?.id}`, refusal]]);
  });

  it('is found there also when its time is over, as after a rotation that the client did not follow', async () => {
    const { name, scim } = await newTenant();
    const { body } = await server.admin.get<{ items: { id: string }[] }>(`/tenants/${name}/tokens`);
    const [token] = body.items;
    await server.admin.post(`/tenants/${name}/tokens/${token?.id}/rotate`, { overlapSeconds: 0 });
    expect((await scim.get('/Users')).status).toBe(401);
    expect(await log(name)).toEqual([[401, `token:${token?.id}`, refusal]]);
  });

  it('leaves nothing of a request that needs no credentials', async () => {
    const { name, scim } = await newTenant();
    const { body } = await server.admin.get<{ items: { id: string }[] }>(`/tenants/${name}/tokens`);
    await server.admin.delete(`/tenants/${name}/tokens/${body.items[0]?.id}`);
    expect((await scim.get('/ServiceProviderConfig')).status).toBe(200);
    expect((await scim.get('/Users')).status).toBe(401);
    expect((await logOf(name, 1)).map(({ path }) => path)).toEqual([`/tenants/${name}/scim/v2/Users`]);
  });
});

describe('requests beyond a limit (RFC 6585 section 4)', () => {
  it('are in the log a few a second, so that they neither fill it nor take the place of others', async () => {
    const { name, scim } = await newTenant();
    const { body: tenant } = await server.admin.get<{ id: string }>(`/tenants/${name}`);
    const principal = { tenant: { id: tenant.id, settings: { requestLog: true } }, actor: 'token:1' };
    const request = { principal, method: 'POST', url: '/Users', originalUrl: '/scim/v2/Users', id: 'many' };
    const response = { headersSent: true, statusCode: 429 };
    const recorder = server.app.get(RequestRecorder);
    // In one turn, so that no second begins in between.
    for (let at = 0; at < 300; at++) recorder.finished(request as Request, response as Response, 1);
    await scim.delete('/Users');
    const logged = await logOf(name, 1, '?status=405');
    expect(logged.length).toBe(1);
    const refused = await logOf(name, 1, '?status=429');
    expect(refused.length).toBeLessThanOrEqual(50);
  });
});
