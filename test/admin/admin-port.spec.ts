import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AdminClient, adminToken, startAdministered, type AdministeredServer } from '../support/admin.js';
import { scimError } from '../support/errors.js';
import { freePort } from '../support/free-port.js';
import { endProcesses, build, startProcess, stopProcess } from '../support/process.js';
import { dropHomes, newHome, prepareHomes } from '../support/home.js';
import { request } from 'node:http';

/** The status of a path that is sent as it is written. */
const statusOf = (origin: string, path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    const headers = { Authorization: `Bearer ${adminToken}`, Connection: 'close' };
    request({ hostname, port, path, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    })
      .on('error', reject)
      .end();
  });

describe('ADMIN_PORT', () => {
  let server: AdministeredServer;
  beforeAll(async () => {
    server = await startAdministered({ ADMIN_PORT: '0' });
  });
  afterAll(() => server.close());

  it('serves the admin API and its documentation', async () => {
    expect(server.adminOrigin).not.toBe(server.origin);
    expect((await server.admin.get('/tenants')).status).toBe(200);
    expect((await server.admin.get('/tenants', { token: 'wrong' })).status).toBe(401);
    for (const path of ['/docs/admin', '/docs/admin/', '/openapi-admin.json', '/docs/admin/swagger-ui.css']) {
      expect([path, await statusOf(server.adminOrigin, path)]).toEqual([path, 200]);
    }
  });

  it('serves nothing else', async () => {
    const { adminOrigin, scim } = server;
    const detail = 'There is nothing at "/scim/v2/Users" on this port; it serves /admin/v1.';
    const answer = await scim.get(`${adminOrigin}/scim/v2/Users`);
    expect([answer.status, answer.body]).toEqual([404, scimError(404, undefined, detail)]);
    for (const path of [
      '/',
      '/livez',
      '/readyz',
      '/metrics',
      '/docs',
      '/openapi.json',
      '/oauth/jwks',
      '/tenants/x/scim/v2',
    ]) {
      expect([path, await statusOf(adminOrigin, path)]).toEqual([path, 404]);
    }
  });

  it.each([
    '/admin/v1/tenants',
    '/admin/v1',
    '/admin',
    '/ADMIN/v1/tenants',
    '/Admin/V1/tenants?count=1',
    '//admin/v1/tenants',
    '/./admin/v1/tenants',
    '/admin/../admin/v1/tenants',
    '/%61dmin/v1/tenants',
    '/admin%2Fv1/tenants',
    '/admin/v1/tenants/',
    'http://elsewhere.example/admin/v1/tenants',
    '/tenants/default/admin/v1/tenants',
    '/docs/admin',
    '/docs/admin/',
    '/DOCS/admin',
    '/docs//admin',
    '/docs/admin/swagger-ui-init.js',
    '/openapi-admin.json',
    '/OpenAPI-admin.json?x',
  ])('leaves nothing of it on the port of clients: %s', async (path) => {
    // By a token that is not a tenant's: what is not public is 401, as everywhere.
    expect([404, 401]).toContain(await statusOf(server.origin, path));
  });

  it('answers 404 on the port of clients, in the words of an address where nothing is', async () => {
    const detail = 'There is nothing at "/admin/v1/tenants"; the SCIM base is /scim/v2.';
    for (const token of [null, adminToken, server.scim.token]) {
      const answer = await server.scim.get(`${server.origin}/admin/v1/tenants`, { token });
      expect([answer.status, answer.body]).toEqual([404, scimError(404, undefined, detail)]);
    }
  });

  it('leaves SCIM, health and documentation on the port of clients', async () => {
    for (const path of ['/livez', '/readyz', '/docs', '/openapi.json', '/oauth/jwks']) {
      expect([path, await statusOf(server.origin, path)]).toEqual([path, 200]);
    }
    expect((await server.scim.get('/Users')).status).toBe(200);
  });
});

describe('DOCS=off', () => {
  it('serves no Swagger UI and no OpenAPI document', async () => {
    const server = await startAdministered({ DOCS: 'off' });
    for (const path of ['/docs', '/docs/swagger-ui.css', '/openapi.json', '/docs/admin', '/openapi-admin.json']) {
      expect([path, (await server.scim.get(server.origin + path)).status]).toEqual([path, 404]);
    }
    expect((await server.admin.get('/tenants')).status).toBe(200);
    await server.close();
  });
});

describe('a process with ADMIN_PORT', () => {
  beforeAll(async () => {
    await build();
    await prepareHomes();
  }, 120_000);
  afterAll(async () => {
    await endProcesses();
    await dropHomes();
  });

  it('says where the admin API is, and ends in order with connections open to both ports', async () => {
    const port = await freePort();
    const started = await startProcess({
      ...(await newHome()),
      SCIM_TOKEN: 'admin-port-test-token-of-32-characters',
      ADMIN_TOKEN: adminToken,
      ADMIN_PORT: String(port),
      DOCS: 'off',
    });
    const { stdout } = started.output();
    expect(stdout).toContain(`\n  Admin API      http://127.0.0.1:${port}/admin/v1\n`);
    expect(stdout).not.toContain('Swagger');
    const admin = new AdminClient(`http://127.0.0.1:${port}/admin/v1`, adminToken);
    expect([(await admin.get('/tenants')).status, (await started.scim.get('/Users')).status]).toEqual([200, 200]);
    expect(await stopProcess(started)).toEqual({ code: 0, signal: null });
  }, 120_000);
});
