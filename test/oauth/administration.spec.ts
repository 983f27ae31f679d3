import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { JsonObject } from '../../src/scim/index.js';
import type { AdminList, AdministeredServer } from '../support/admin.js';
import { fakeClock } from '../support/clock.js';
import { scimError } from '../support/errors.js';
import { askForToken, basic, createClient, startOAuthServer, type Client } from '../support/oauth.js';
import { publicUrl } from '../support/server.js';

const unknown = '019aaf3c-6b5e-7cc1-a4ad-0f8d8e5f0a11';
const clients = '/tenants/default/clients';
const issuers = '/tenants/default/issuers';
const time: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

let server: AdministeredServer;

beforeAll(async () => {
  server = await startOAuthServer();
});

afterAll(() => server.close());

const status = async (id: string, secret: string): Promise<number> =>
  (await askForToken(server, { grant_type: 'client_credentials' }, { Authorization: basic(id, secret) })).status;

describe('clients', () => {
  it('are created with a secret that is shown once, and that secret scanners recognise', async () => {
    const { status: answered, body } = await server.admin.post<Client>(clients, {
      name: 'Entra ID',
      scopes: ['read', 'write'],
    });
    expect([answered, body]).toEqual([
      201,
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        name: 'Entra ID',
        scopes: ['read', 'write'],
        secrets: [{ prefix: body.secret.slice(0, 15), createdAt: time, expiresAt: time }],
        createdAt: time,
        lastUsedAt: null,
        secret: expect.stringMatching(/^rollcall_[0-9A-Za-z]{49}$/),
      },
    ]);
    const { secret, ...shown } = body;
    expect((await server.admin.get(`${clients}/${body.id}`)).body).toEqual(shown);
    expect((await server.admin.get(clients)).text).not.toContain(secret);
  });

  it('show when they last got a token', async () => {
    const client = await createClient(server);
    await status(client.id, client.secret);
    expect((await server.admin.get(`${clients}/${client.id}`)).body['lastUsedAt']).toEqual(time);
  });

  it('are listed a page at a time', async () => {
    await createClient(server);
    const first = await server.admin.get<AdminList<Client>>(`${clients}?count=1`);
    const rest = await server.admin.get<AdminList<Client>>(`${clients}?cursor=${first.body.nextCursor}`);
    const all = await server.admin.get<AdminList<Client>>(clients);
    expect(all.body.items.length).toBeGreaterThan(2);
    expect([...first.body.items, ...rest.body.items]).toEqual(all.body.items);
  });

  it('rotate their secret with both good meanwhile, so that no request fails', async () => {
    const client = await createClient(server);
    const rotated = await server.admin.post<Client>(`${clients}/${client.id}/rotate`, { overlapSeconds: 60 });
    expect([rotated.status, rotated.body['secrets']]).toEqual([201, [expect.anything(), expect.anything()]]);
    const { secret } = rotated.body;
    expect([await status(client.id, client.secret), await status(client.id, secret)]).toEqual([200, 200]);
    fakeClock(Date.now() + 60_001);
    expect([await status(client.id, client.secret), await status(client.id, secret)]).toEqual([401, 200]);
    jest.useRealTimers();
  });

  it('have two secrets at most', async () => {
    const client = await createClient(server);
    const rotate = () => server.admin.post<Client>(`${clients}/${client.id}/rotate`, {});
    const secrets = [client.secret, (await rotate()).body.secret, (await rotate()).body.secret];
    const answers = [];
    for (const secret of secrets) answers.push(await status(client.id, secret));
    expect(answers).toEqual([401, 200, 200]);
  });

  it('lose the secret at once when there is no overlap', async () => {
    const client = await createClient(server);
    const { body } = await server.admin.post<Client>(`${clients}/${client.id}/rotate`, { overlapSeconds: 0 });
    expect([await status(client.id, client.secret), await status(client.id, body.secret)]).toEqual([401, 200]);
  });

  it('are gone when they are revoked', async () => {
    const client = await createClient(server);
    expect((await server.admin.delete(`${clients}/${client.id}`)).status).toBe(204);
    expect(await status(client.id, client.secret)).toBe(401);
    expect((await server.admin.delete(`${clients}/${client.id}`)).body).toEqual(
      scimError(404, undefined, `The tenant has no client with the id "${client.id}".`),
    );
  });

  it.each<[method: string, path: string]>([
    ['GET', `${clients}/${unknown}`],
    ['GET', `${clients}/x'--`],
    ['POST', `${clients}/${unknown}/rotate`],
    ['GET', '/tenants/nobody/clients'],
    ['GET', `${issuers}/${unknown}`],
    ['DELETE', `${issuers}/nonsense`],
    ['GET', '/tenants/nobody/issuers'],
  ])('are 404 where there is none: %s %s', async (method, path) => {
    const answer = await server.admin.send(method, path, method === 'POST' ? '{}' : undefined);
    expect([answer.status, answer.body]).toEqual([404, scimError(404)]);
  });

  it('are not shown, rotated or revoked by way of another tenant', async () => {
    await server.admin.post('/tenants', { name: 'other' });
    const client = await createClient(server);
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/rotate'],
      ['DELETE', ''],
    ] as const) {
      const body = method === 'POST' ? '{}' : undefined;
      const answer = await server.admin.send(method, `/tenants/other/clients/${client.id}${path}`, body);
      expect([method, answer.status]).toEqual([method, 404]);
    }
    expect(await status(client.id, client.secret)).toBe(200);
  });

  it.each<[body: JsonObject, detail: string]>([
    [{}, 'name must have 1 to 200 characters, and no control characters.'],
    [{ name: 'x', scopes: ['admin'] }, 'scopes must be one or more of read, write, bulk, each once.'],
    [{ name: 'x', scopes: ['bulk'] }, 'scopes: bulk is good for nothing without write.'],
    [{ name: 'x', expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt must be in the future, and ten years away at most.'],
    [{ name: 'x', expiresAt: '2090-01-01T00:00:00Z' }, 'expiresAt must be in the future, and ten years away at most.'],
  ])('are not created from %j', async (body, detail) => {
    const answer = await server.admin.post(clients, body);
    expect([answer.status, answer.body]).toEqual([400, scimError(400, 'invalidValue', detail)]);
  });
});

describe('issuers', () => {
  const definition = { issuer: 'https://login.example.com/acme', audience: 'api://rollcall', scopes: ['read'] };
  const scopeValues = { 'Scim.All': ['read', 'write', 'bulk'] };

  it('are created, read, listed, defined anew and removed', async () => {
    const created = await server.admin.post(issuers, definition);
    const full = {
      ...definition,
      id: created.body.id,
      jwksUri: null,
      algorithms: ['RS256'],
      scopeClaim: null,
      scopeValues: {},
      requiredClaims: {},
      createdAt: time,
    };
    expect([created.status, created.body]).toEqual([201, full]);
    const path = `${issuers}/${created.body.id}`;
    expect((await server.admin.get(path)).body).toEqual(full);
    expect((await server.admin.get(issuers)).body).toEqual({ items: [full] });
    const changed = {
      ...definition,
      scopes: [],
      algorithms: ['PS256', 'EdDSA'],
      jwksUri: 'https://login.example.com/keys?p=x',
      scopeClaim: 'roles',
      scopeValues,
      requiredClaims: { azp: ['app'] },
    };
    expect((await server.admin.put(path, changed)).body).toEqual({ ...full, ...changed });
    expect((await server.admin.get(path)).body).toEqual({ ...full, ...changed });
    expect((await server.admin.delete(path)).status).toBe(204);
    expect((await server.admin.get(issuers)).body).toEqual({ items: [] });
  });

  const metadata = 'http://169.254.169.254/latest';
  it.each<[change: JsonObject, detail: string]>([
    [{ issuer: '' }, 'issuer must have 1 to 1024 bytes, and no control characters.'],
    [{ issuer: 'http://login.example.com' }, 'issuer "http://login.example.com" must be https.'],
    [{ issuer: 'https://login.example.com?x=1' }, 'issuer must have no query.'],
    [{ issuer: publicUrl }, "issuer is this server itself: its tokens are accepted for the clients' tenants."],
    [{ issuer: 'https://169.254.169.254' }, 'issuer "https://169.254.169.254" is at an address that is not allowed.'],
    [{ jwksUri: metadata }, `jwksUri "${metadata}" must be https.`],
    [{ audience: 'a\nb' }, 'audience must have 1 to 1024 bytes, and no control characters.'],
    [{ audience: '語'.repeat(342) }, 'audience must have 1 to 1024 bytes, and no control characters.'],
    [
      { algorithms: ['HS256'] },
      expect.stringMatching(/^algorithms must be one or more of RS256, /) as unknown as string,
    ],
    [
      { algorithms: ['none'] },
      expect.stringMatching(/^algorithms must be one or more of RS256, /) as unknown as string,
    ],
    [{ algorithms: [] }, expect.stringMatching(/^algorithms must be one or more of RS256, /) as unknown as string],
    [{ scopes: ['admin'] }, 'scopes must be some of read, write, bulk, each once.'],
    [{ scopes: [] }, 'The tokens could do nothing: give scopes, or scopeClaim and scopeValues.'],
    [{ scopeClaim: 'roles' }, 'scopeClaim and scopeValues go together: give both or neither.'],
    [{ scopeValues }, 'scopeClaim and scopeValues go together: give both or neither.'],
    [
      { scopeClaim: 'roles', scopeValues: { a: ['admin'] } },
      'scopeValues must have at most 100 members, each a list of read, write, bulk.',
    ],
    [
      { scopeClaim: 'roles', scopeValues: [] },
      'scopeValues must have at most 100 members, each a list of read, write, bulk.',
    ],
    [{ requiredClaims: { azp: 'app' } }, 'requiredClaims must have at most 100 members, each a list of texts.'],
    [{ requiredClaims: { azp: [] } }, 'requiredClaims must have at most 100 members, each a list of texts.'],
  ])('are not created with %j', async (change, detail) => {
    const answer = await server.admin.post(issuers, { ...definition, ...change });
    expect([answer.status, answer.body]).toEqual([400, scimError(400, 'invalidValue', detail)]);
  });

  it('are not created with a claim that has the name of what makes objects', async () => {
    const answer = await server.admin.post(issuers, { ...definition, requiredClaims: { constructor: ['app'] } });
    const detail = '"requiredClaims.constructor" is not a name that can be used here.';
    expect([answer.status, answer.body]).toEqual([400, scimError(400, 'invalidSyntax', detail)]);
  });

  it('are twenty of a tenant at most', async () => {
    await server.admin.post('/tenants', { name: 'many' });
    const create = (at: number) =>
      server.admin.post('/tenants/many/issuers', { ...definition, issuer: `https://login.example.com/${at}` });
    for (let at = 0; at < 20; at++) expect((await create(at)).status).toBe(201);
    expect([(await create(20)).status, (await create(20)).body]).toEqual([
      409,
      scimError(409, undefined, 'The tenant has 20 issuers, which is the most; remove one first.'),
    ]);
  });
});

describe('the administration of clients and issuers', () => {
  it.each([clients, issuers])("is for operators, and not for whoever has a tenant's token: %s", async (path) => {
    for (const token of [null, server.scim.token]) {
      expect((await server.admin.get(path, { token })).status).toBe(401);
      expect((await server.admin.post(path, { name: 'x' }, { token })).status).toBe(401);
    }
  });

  it('is in its own OpenAPI document', async () => {
    const { body } = await server.admin.get<{ paths: object }>(`${server.origin}/openapi-admin.json`);
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining(['/admin/v1/tenants/{tenant}/clients', '/admin/v1/tenants/{tenant}/issuers/{id}']),
    );
  });
});
