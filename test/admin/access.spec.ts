import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { adminToken, startAdministered, type AdministeredServer } from '../support/admin.js';
import { scimError } from '../support/errors.js';
import { startServer, type TestServer } from '../support/server.js';

const realm = 'Bearer realm="rollcall-admin"';

let server: AdministeredServer;
beforeAll(async () => {
  server = await startAdministered();
});
afterAll(() => server.close());

const everything: [method: string, path: string][] = [
  ['GET', '/tenants'],
  ['POST', '/tenants'],
  ['GET', '/tenants/default'],
  ['PATCH', '/tenants/default'],
  ['DELETE', '/tenants/default?name=default'],
  ['POST', '/tenants/default/suspend'],
  ['POST', '/tenants/default/resume'],
  ['GET', '/tenants/default/settings'],
  ['PATCH', '/tenants/default/settings'],
  ['GET', '/tenants/default/tokens'],
  ['POST', '/tenants/default/tokens'],
  ['DELETE', '/tenants/default/tokens/x'],
  ['POST', '/tenants/default/tokens/x/rotate'],
  ['GET', ''],
  ['GET', '/'],
  ['GET', '/nothing'],
  ['OPTIONS', '/tenants'],
];

describe('the administration', () => {
  it.each(everything)('asks for credentials, before it looks at anything else: %s %s', async (method, path) => {
    const { status, headers, body } = await server.admin.send(method, path, undefined, { token: null });
    const detail = 'A valid bearer token is required: send "Authorization: Bearer <token>".';
    expect([status, headers.get('www-authenticate'), body]).toEqual([401, realm, scimError(401, undefined, detail)]);
  });

  it.each(everything)("takes no tenant's token: %s %s", async (method, path) => {
    const { status, headers, body } = await server.admin.send(method, path, undefined, { token: server.scim.token });
    expect([status, headers.get('www-authenticate'), body]).toEqual([
      401,
      `${realm}, error="invalid_token"`,
      scimError(401, undefined, 'The bearer token is not the one that operators have.'),
    ]);
  });

  it.each(['', `${adminToken}x`, adminToken.slice(1), adminToken.toUpperCase(), `${adminToken} ${adminToken}`])(
    'takes no token but its own: %j',
    async (token) => {
      expect((await server.admin.get('/tenants', { token })).status).toBe(401);
    },
  );

  it('takes its token from the Authorization header only', async () => {
    const answers = [
      await server.admin.get(`/tenants?access_token=${adminToken}`, { token: null }),
      await server.admin.get('/tenants', { token: null, headers: { Cookie: `access_token=${adminToken}` } }),
      await server.admin.get('/tenants', { token: null, headers: { Authorization: `Basic ${adminToken}` } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
    const lower = { Authorization: `bearer ${adminToken}` };
    expect((await server.admin.get('/tenants', { token: null, headers: lower })).status).toBe(200);
  });

  it("does not make a tenant's token of the operators' token", async () => {
    expect((await server.scim.list('/Users', { token: adminToken })).status).toBe(401);
  });

  it('keeps its token, and the secrets it makes, out of the log', async () => {
    const { body } = await server.admin.post<{ secret: string }>('/tenants/default/tokens', { name: 'logged' });
    const logged = JSON.stringify(server.logged());
    expect(logged).toContain('/admin/v1/tenants/default/tokens');
    expect([adminToken, body.secret].filter((secret) => logged.includes(secret))).toEqual([]);
  });
});

describe('an address of the administration', () => {
  it.each(['', '/', '/nothing', '/tenants/default/nothing', '/tenants/default/tokens/x/y', '/Users'])(
    'where nothing is is 404: %j',
    async (path) => {
      const { status, body } = await server.admin.get(path);
      expect([status, body]).toEqual([404, scimError(404)]);
    },
  );

  it.each([
    ['PUT', '/tenants', 'GET, HEAD, POST, OPTIONS'],
    ['DELETE', '/tenants', 'GET, HEAD, POST, OPTIONS'],
    ['POST', '/tenants/default', 'DELETE, GET, HEAD, PATCH, OPTIONS'],
    ['GET', '/tenants/default/suspend', 'POST, OPTIONS'],
    ['PUT', '/tenants/default/settings', 'GET, HEAD, PATCH, OPTIONS'],
    ['PATCH', '/tenants/default/tokens/x', 'DELETE, OPTIONS'],
  ])('says what is allowed there (RFC 9110 section 15.5.6): %s %s', async (method, path, allow) => {
    const { status, headers } = await server.admin.send(method, path, undefined);
    expect([status, headers.get('allow')]).toEqual([405, allow]);
    const options = await server.admin.send('OPTIONS', path, undefined);
    expect([options.status, options.headers.get('allow')]).toEqual([204, allow]);
  });

  it.each(['%00', '%zz', "'", '..%2f..', 'a'.repeat(5000)])('holds a tenant by its name only: %s', async (name) => {
    const { status } = await server.admin.get(`/tenants/${name}`);
    expect([400, 404]).toContain(status);
  });

  it('is not under the address of a tenant', async () => {
    const url = `${server.origin}/tenants/default/admin/v1/tenants`;
    expect((await server.admin.get(url)).status).toBe(401);
    expect((await server.admin.get(url, { token: server.scim.token })).status).toBe(404);
  });
});

describe('a body', () => {
  it.each<[string, string, number]>([
    ['application/xml', '{"name":"typed"}', 415],
    ['application/json; charset=latin1', '{"name":"typed"}', 415],
    ['application/json', `{"name":"${'a'.repeat(70_000)}"}`, 413],
    ['application/json', `${'['.repeat(100)}${']'.repeat(100)}`, 400],
    ['application/json', '{"name":"\\u0000"}', 400],
    ['application/json', '{"name":"\\ud800"}', 400],
  ])('of the type %s is refused when it is no good: %.30s', async (type, text, refused) => {
    const { status, body } = await server.admin.send('POST', '/tenants', text, { headers: { 'Content-Type': type } });
    expect([status, body]).toMatchObject([refused, { status: String(refused) }]);
  });
});

describe('a server without ADMIN_TOKEN', () => {
  let plain: TestServer;
  beforeAll(async () => {
    plain = await startServer();
  });
  afterAll(() => plain.close());

  it.each(everything)(
    'has no administration: %s %s is answered as any address where nothing is',
    async (method, path) => {
      const ask = (url: string, token: string | null) =>
        plain.scim.send<object>(method, plain.origin + url, undefined, { token });
      for (const token of [null, adminToken, plain.scim.token]) {
        const answer = await ask(`/admin/v1${path}`, token);
        const elsewhere = await ask(`/nowhere/v1${path}`, token);
        expect([answer.status, JSON.stringify(answer.body)]).toEqual([
          elsewhere.status,
          JSON.stringify(elsewhere.body).replace('/nowhere/', '/admin/'),
        ]);
        expect(answer.status).toBe(token === plain.scim.token ? 404 : 401);
      }
    },
  );

  it('documents none', async () => {
    for (const path of ['/docs/admin', '/openapi-admin.json']) {
      expect((await plain.scim.get(plain.origin + path)).status).toBe(404);
    }
  });
});
