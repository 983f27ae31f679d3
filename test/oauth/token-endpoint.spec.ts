import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { publicUrl } from '../support/server.js';
import type { AdministeredServer } from '../support/admin.js';
import { fakeClock } from '../support/clock.js';
import { head, open, readAll } from '../support/raw-http.js';
import { askForToken, basic, createClient, startOAuthServer, type Client } from '../support/oauth.js';

const granting = { grant_type: 'client_credentials' };

let server: AdministeredServer;
let client: Client;

beforeAll(async () => {
  server = await startOAuthServer();
  client = await createClient(server);
});

afterAll(() => server.close());

const authorized = (of = client): Record<string, string> => ({ Authorization: basic(of.id, of.secret) });

describe('a token (RFC 6749 section 5.1)', () => {
  it('is issued for client_secret_basic, as JSON that nobody keeps', async () => {
    const answer = await askForToken(server, granting, authorized());
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'read write bulk',
    });
    const shown = ['Content-Type', 'Cache-Control', 'Pragma'].map((name) => answer.headers.get(name));
    expect(shown).toEqual(['application/json; charset=utf-8', 'no-store', 'no-cache']);
  });

  it('is issued for client_secret_post', async () => {
    const { id, secret } = client;
    const answer = await askForToken(server, { ...granting, client_id: id, client_secret: secret });
    expect([answer.status, answer.body.token_type]).toEqual([200, 'Bearer']);
  });

  it('is a JSON Web Token with the claims of RFC 9068 section 2.2', async () => {
    const before = Math.floor(Date.now() / 1000);
    const { body } = await askForToken(server, granting, authorized());
    const { body: published } = await server.scim.get<{ keys: { kid: string }[] }>(`${server.origin}/oauth/jwks`);
    expect(decodeProtectedHeader(body.access_token)).toEqual({
      alg: 'ES256',
      typ: 'at+jwt',
      kid: published.keys[0]?.kid,
    });
    const claims = decodeJwt(body.access_token);
    const { body: tenant } = await server.admin.get<{ id: string }>('/tenants/default');
    expect(claims).toEqual({
      iss: publicUrl,
      aud: `${publicUrl}/scim/v2`,
      sub: client.id,
      client_id: client.id,
      tenant: tenant.id,
      scope: 'read write bulk',
      iat: expect.any(Number),
      nbf: claims.iat,
      exp: (claims.iat ?? 0) + 600,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(claims.iat).toBeGreaterThanOrEqual(before);
  });

  it('works as a bearer token (RFC 6750)', async () => {
    const { body } = await askForToken(server, granting, authorized());
    expect((await server.scim.list('/Users', { token: body.access_token })).status).toBe(200);
  });

  it('has the scopes that the client asks for (RFC 6749 section 3.3)', async () => {
    const { body } = await askForToken(server, { ...granting, scope: 'write read' }, authorized());
    expect([body.scope, decodeJwt(body.access_token)['scope']]).toEqual(['read write', 'read write']);
  });

  it('has all scopes of the client when it asks for none in particular', async () => {
    const reader = await createClient(server, { scopes: ['read'] });
    const { body } = await askForToken(server, { ...granting, scope: '' }, authorized(reader));
    expect(body.scope).toBe('read');
  });

  it('never outlives the secret that it was issued for', async () => {
    const expiresAt = new Date(Date.now() + 90_000).toISOString();
    const { body } = await askForToken(server, granting, authorized(await createClient(server, { expiresAt })));
    expect(body.expires_in).toBeGreaterThan(60);
    // Whole seconds, of which the last may have begun.
    expect(body.expires_in).toBeLessThanOrEqual(91);
  });

  it("lives as long as the configuration says, and is also issued at the tenant's own address", async () => {
    const other = await startOAuthServer({ ACCESS_TOKEN_MINUTES: '60' });
    const owner = await createClient(other);
    const { status, body } = await askForToken(other, granting, authorized(owner), '/tenants/default/oauth/token');
    expect([status, body.expires_in]).toEqual([200, 3600]);
    await other.close();
  });

  it('ignores parameters that it does not know (RFC 6749 section 3.2)', async () => {
    expect((await askForToken(server, { ...granting, resource: 'x' }, authorized())).status).toBe(200);
  });
});

describe('a token request that is refused (RFC 6749 section 5.2)', () => {
  const wrong = 'The client is unknown, or its secret is wrong or has expired.';
  const twice = `grant_type=client_credentials&grant_type=client_credentials`;
  const refusals: [
    what: string,
    send: () => ReturnType<typeof askForToken>,
    status: number,
    code: string,
    detail: string,
  ][] = [
    ['no body', () => askForToken(server, '', authorized()), 400, 'invalid_request', 'grant_type is missing.'],
    [
      'no grant_type',
      () => askForToken(server, { scope: 'read' }, authorized()),
      400,
      'invalid_request',
      'grant_type is missing.',
    ],
    [
      'an empty grant_type',
      () => askForToken(server, { grant_type: '' }, authorized()),
      400,
      'invalid_request',
      'grant_type is missing.',
    ],
    [
      'another grant',
      () => askForToken(server, { grant_type: 'password' }, authorized()),
      400,
      'unsupported_grant_type',
      'The only grant_type here is client_credentials.',
    ],
    [
      'a parameter twice',
      () => askForToken(server, twice, authorized()),
      400,
      'invalid_request',
      'A parameter is given twice.',
    ],
    [
      'JSON',
      () => askForToken(server, JSON.stringify(granting), { ...authorized(), 'Content-Type': 'application/json' }),
      400,
      'invalid_request',
      'The body must be application/x-www-form-urlencoded.',
    ],
    [
      'a compressed body',
      () => askForToken(server, granting, { ...authorized(), 'Content-Encoding': 'gzip' }),
      400,
      'invalid_request',
      'Content-Encoding is not supported; send the body as it is.',
    ],
    [
      'more than 8 KiB',
      () => askForToken(server, { ...granting, scope: 'x'.repeat(8192) }, authorized()),
      413,
      'invalid_request',
      'The body is larger than 8192 bytes.',
    ],
    [
      'a scope that there is not',
      () => askForToken(server, { ...granting, scope: 'read admin' }, authorized()),
      400,
      'invalid_scope',
      'The client can have these scopes: read write bulk.',
    ],
    [
      'credentials twice',
      () => askForToken(server, { ...granting, client_id: client.id, client_secret: client.secret }, authorized()),
      400,
      'invalid_request',
      'Client credentials are given both in the header and in the body.',
    ],
    [
      'another client_id in the body',
      () => askForToken(server, { ...granting, client_id: 'x' }, authorized()),
      400,
      'invalid_request',
      'client_id differs from the client in the Authorization header.',
    ],
    [
      'no credentials',
      () => askForToken(server, granting),
      401,
      'invalid_client',
      'Client credentials are missing: send them as HTTP Basic or in the body.',
    ],
    [
      'a client_id alone',
      () => askForToken(server, { ...granting, client_id: client.id }),
      401,
      'invalid_client',
      'Client credentials are missing: send them as HTTP Basic or in the body.',
    ],
    [
      'a bearer token',
      () => askForToken(server, granting, { Authorization: `Bearer ${server.scim.token}` }),
      401,
      'invalid_client',
      'The Authorization header has no HTTP Basic credentials.',
    ],
    [
      'Basic without a colon',
      () => askForToken(server, granting, { Authorization: 'Basic YWJj' }),
      401,
      'invalid_client',
      'The Authorization header has no HTTP Basic credentials.',
    ],
    [
      'Basic that is not form-encoded',
      () => askForToken(server, granting, { Authorization: `Basic ${btoa('%zz:x')}` }),
      401,
      'invalid_client',
      'The Authorization header has no HTTP Basic credentials.',
    ],
    [
      'a wrong secret',
      () => askForToken(server, granting, { Authorization: basic(client.id, 'wrong') }),
      401,
      'invalid_client',
      wrong,
    ],
    [
      'an unknown client',
      () => askForToken(server, granting, { Authorization: basic('nobody', 'wrong') }),
      401,
      'invalid_client',
      wrong,
    ],
    [
      'the secret of another client',
      async () =>
        askForToken(server, granting, { Authorization: basic(client.id, (await createClient(server)).secret) }),
      401,
      'invalid_client',
      wrong,
    ],
    [
      "another tenant's address",
      () => askForToken(server, granting, authorized(), '/tenants/other/oauth/token'),
      401,
      'invalid_client',
      wrong,
    ],
  ];

  it.each(refusals)('says why: %s', async (_what, send, status, error, detail) => {
    const answer = await send();
    expect([answer.status, answer.body]).toEqual([status, { error, error_description: detail }]);
    const challenge = answer.headers.get('WWW-Authenticate');
    expect(challenge).toBe(status === 401 ? 'Basic realm="rollcall", charset="UTF-8"' : null);
    expect(answer.headers.get('Cache-Control')).toBe('no-store');
  });

  it('has a scope that the client must not have', async () => {
    const reader = await createClient(server, { scopes: ['read'] });
    const { status, body } = await askForToken(server, { ...granting, scope: 'read write' }, authorized(reader));
    expect([status, body]).toEqual([
      400,
      { error: 'invalid_scope', error_description: 'The client can have these scopes: read.' },
    ]);
  });

  it('comes after the secret has expired', async () => {
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const brief = await createClient(server, { expiresAt });
    fakeClock(Date.now() + 60_001);
    const { status, body } = await askForToken(server, granting, authorized(brief));
    jest.useRealTimers();
    expect([status, body]).toEqual([401, { error: 'invalid_client', error_description: wrong }]);
  });

  it('is not POST: there is nothing to GET', async () => {
    const answer = await server.scim.get(`${server.origin}/oauth/token`);
    expect([answer.status, answer.headers.get('Allow')]).toEqual([405, 'POST, OPTIONS']);
  });

  it('ends in the middle of its body, and the next one is answered', async () => {
    const lines = ['Content-Type: application/x-www-form-urlencoded', 'Content-Length: 100'];
    const socket = open(server.origin);
    socket.write(`${head('POST', '/oauth/token', ...lines)}grant_type=`);
    socket.end();
    await readAll(socket);
    expect((await askForToken(server, granting, authorized())).status).toBe(200);
  });
});

describe('a tenant that is suspended', () => {
  it('gets no tokens and is told to come back, so that its identity provider tries again', async () => {
    const { admin } = server;
    await admin.post('/tenants', { name: 'sleeping' });
    const sleeper = await createClient(server, {}, 'sleeping');
    await admin.send('POST', '/tenants/sleeping/suspend', undefined);
    const answer = await askForToken(server, granting, authorized(sleeper));
    expect([answer.status, answer.headers.get('Retry-After'), answer.body]).toEqual([
      503,
      '300',
      { error: 'temporarily_unavailable', error_description: 'The tenant is suspended; try again later.' },
    ]);
  });
});

describe('the metadata (RFC 8414)', () => {
  it('says where the endpoints are and what they take, to anybody', async () => {
    const { status, body } = await server.scim.get(`${server.origin}/.well-known/oauth-authorization-server`, {
      token: null,
    });
    expect([status, body]).toEqual([
      200,
      {
        issuer: publicUrl,
        token_endpoint: `${publicUrl}/oauth/token`,
        jwks_uri: `${publicUrl}/oauth/jwks`,
        scopes_supported: ['read', 'write', 'bulk'],
        response_types_supported: [],
        grant_types_supported: ['client_credentials'],
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
        service_documentation: `${publicUrl}/docs`,
      },
    ]);
  });

  it('goes with public keys that hold nothing private (RFC 7517)', async () => {
    const answer = await server.scim.get<{ keys: object[] }>(`${server.origin}/oauth/jwks`, { token: null });
    expect(answer.headers.get('Cache-Control')).toBe('public, max-age=300');
    expect(answer.body.keys).toEqual([
      {
        kty: 'EC',
        crv: 'P-256',
        x: expect.any(String),
        y: expect.any(String),
        kid: expect.any(String),
        alg: 'ES256',
        use: 'sig',
      },
    ]);
  });
});

describe('a secret of a client', () => {
  it('is nowhere in the database, nor in the log', async () => {
    const rows = await server.dataSource.query<object[]>('SELECT * FROM oauth_clients, oauth_client_secrets');
    const secret = client.secret.slice('rollcall_'.length);
    expect(secret.length).toBeGreaterThan(40);
    expect(JSON.stringify(rows)).not.toContain(secret);
    expect(JSON.stringify(server.logged())).not.toContain(secret);
  });
});
