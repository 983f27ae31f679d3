import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startAdministered, type AdministeredServer } from '../support/admin.js';
import type { Answer, Resource, ScimClient } from '../support/client.js';
import { scimError } from '../support/errors.js';

let server: AdministeredServer;
let user: Resource;
const clients: Record<string, ScimClient> = {};

beforeAll(async () => {
  server = await startAdministered();
  const all = await server.admin.connect('acme');
  user = (await all.post('/Users', { userName: 'ann' })).body;
  for (const scopes of [['read'], ['write'], ['read', 'write'], ['write', 'bulk']]) {
    clients[scopes.join(' ')] = await server.admin.connect('acme', { scopes });
  }
});
afterAll(() => server.close());

type Call = (scim: ScimClient) => Promise<Answer<unknown>>;
const path = (): string => `/Users/${user.id}`;
const calls: Readonly<Record<string, Call>> = {
  'GET /Users': (scim) => scim.get('/Users'),
  'GET /Users/{id}': (scim) => scim.get(path()),
  'HEAD /Users/{id}': (scim) => scim.send('HEAD', path(), undefined),
  'GET /Groups': (scim) => scim.get('/Groups'),
  'GET /': (scim) => scim.get(''),
  'GET /Schemas': (scim) => scim.get('/Schemas'),
  'GET /ResourceTypes': (scim) => scim.get('/ResourceTypes'),
  'GET /ServiceProviderConfig': (scim) => scim.get('/ServiceProviderConfig'),
  'POST /.search': (scim) => scim.post('/.search', {}),
  'POST /Users/.search': (scim) => scim.post('/Users/.search', {}),
  'POST /Groups/.search': (scim) => scim.post('/Groups/.search', {}),
  'POST /Users': (scim) => scim.post('/Users', {}),
  'PUT /Users/{id}': (scim) => scim.put(path(), {}),
  'PATCH /Users/{id}': (scim) => scim.patch(path(), {}),
  'DELETE /Users/{id}': (scim) => scim.delete('/Users/019aaf3c-6b5e-7cc1-a4ad-0f8d8e5f0a11'),
  'POST /Groups': (scim) => scim.post('/Groups', {}),
  'POST /Bulk': (scim) => scim.post('/Bulk', {}),
};
const reads = Object.keys(calls).slice(0, 11);
const writes = Object.keys(calls).slice(11, 16);

/** What the refusal of a missing scope looks like. */
const refusal = (scope: string): unknown[] => [
  403,
  `Bearer realm="rollcall", error="insufficient_scope", scope="${scope}"`,
];

describe.each<[scopes: string, refused: readonly (readonly [string, string])[]]>([
  ['read', [...writes.map((call) => [call, 'write'] as const), ['POST /Bulk', 'write']]],
  ['write', [...reads.map((call) => [call, 'read'] as const), ['POST /Bulk', 'bulk']]],
  ['read write', [['POST /Bulk', 'bulk']]],
  ['write bulk', reads.map((call) => [call, 'read'] as const)],
])('credentials with the scopes %s', (scopes, refused) => {
  it.each(Object.keys(calls))('are checked at %s (RFC 6750 section 3.1)', async (name) => {
    const call = calls[name];
    const client = clients[scopes];
    if (!call || !client) throw new Error('unknown');
    const { status, headers, body } = await call(client);
    const [, missing] = refused.find(([refusedCall]) => refusedCall === name) ?? [];
    if (missing === undefined) {
      expect([403, 401]).not.toContain(status);
      return;
    }
    expect([status, headers.get('www-authenticate')]).toEqual(refusal(missing));
    if (name.startsWith('HEAD')) return;
    const detail = `The credentials lack the scope "${missing}", which this request needs.`;
    expect(body).toEqual(scimError(403, undefined, detail));
  });
});

describe('a request that credentials do not allow', () => {
  it('changes nothing, and its body is not read', async () => {
    const answer = await clients['read']?.send('POST', '/Users', '{"userName":', {
      headers: { 'Content-Type': 'text/plain' },
    });
    expect(answer?.status).toBe(403);
    expect((await clients['read']?.list('/Users'))?.body.totalResults).toBe(1);
  });

  it('is told which methods there are, where there is no route, whatever the credentials allow', async () => {
    const scim = clients['read'];
    expect((await scim?.delete('/Users'))?.status).toBe(405);
    expect((await scim?.post('/Nothing', {}))?.status).toBe(404);
    expect((await scim?.send('OPTIONS', '/Users', undefined))?.status).toBe(204);
  });
});
