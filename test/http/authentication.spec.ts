import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { TokensService } from '../../src/auth/tokens.service.js';
import { TenantsService } from '../../src/tenants/tenants.service.js';
import type { Resource, ScimClient } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { exchange, head, type RawAnswer } from '../support/raw-http.js';
import { author, startServer, type TestServer } from '../support/server.js';

const realm = 'Bearer realm="rollcall"';
const invalid = `${realm}, error="invalid_token"`;
const missing = 'A valid bearer token is required: send "Authorization: Bearer <token>".';
const bad = 'The bearer token is not valid: it is unknown, expired or malformed.';

let server: TestServer;
let user: Resource;

beforeAll(async () => {
  server = await startServer();
  user = (await server.scim.post('/Users', { userName: 'auth@example.com' })).body;
});

afterAll(() => server.close());

/** Issues a token of the default tenant as of a time. @returns its secret */
async function issue(name: string, now?: Date): Promise<string> {
  const tenant = await server.app.get(TenantsService).get('default');
  return (await server.app.get(TokensService).issue(author, tenant, { name }, now)).secret;
}

/** Sends a request with exactly these header lines. */
const sending = (lines: readonly string[], target = '/scim/v2/Users'): Promise<RawAnswer> =>
  exchange(server.origin, head('GET', target, ...lines));

const refusal = (challenge: string, detail: string): object => ({
  status: 401,
  challenge,
  type: 'application/scim+json; charset=utf-8',
  body: scimError(401, undefined, detail),
});

const seen = ({ status, headers, body }: RawAnswer): object => ({
  status,
  challenge: headers['www-authenticate'],
  type: headers['content-type'],
  body: JSON.parse(body) as unknown,
});

describe('a request without credentials (RFC 6750 section 3)', () => {
  const everything: [method: string, path: string][] = [
    ['GET', '/Users'],
    ['POST', '/Users'],
    ['GET', '/Users/{id}'],
    ['PUT', '/Users/{id}'],
    ['PATCH', '/Users/{id}'],
    ['DELETE', '/Users/{id}'],
    ['HEAD', '/Users'],
    ['OPTIONS', '/Users'],
    ['TRACE', '/Users'],
    ['GET', '/Groups'],
    ['POST', '/Groups'],
    ['DELETE', '/Users'],
    ['GET', '/Schemas'],
    ['GET', '/ResourceTypes'],
    ['POST', '/ServiceProviderConfig'],
    ['GET', '/Me'],
    ['POST', '/Me'],
    ['GET', '/users'],
    ['GET', '/Nothing'],
    ['GET', ''],
  ];

  it.each(everything)('is challenged, without an error code: %s %s', async (method, path) => {
    const answer = await exchange(server.origin, head(method, `/scim/v2${path.replace('{id}', user.id)}`));
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, realm]);
    if (method !== 'HEAD') expect(JSON.parse(answer.body)).toEqual(scimError(401, undefined, missing));
  });

  it('is challenged before its path, its body or its media types are looked at', async () => {
    const lines = ['Accept: text/html', 'Content-Type: text/plain', 'Content-Length: 99999999'];
    const answer = await exchange(server.origin, head('POST', '/scim/v3/Nothing?count=abc', ...lines));
    expect([answer.status, answer.headers['www-authenticate'], JSON.parse(answer.body)]).toEqual([
      401,
      realm,
      scimError(401, undefined, missing),
    ]);
  });

  it('changes nothing', async () => {
    for (const method of ['PUT', 'PATCH', 'DELETE', 'POST']) {
      const path = method === 'POST' ? '/Users' : `/Users/${user.id}`;
      const body = method === 'DELETE' ? undefined : '{"userName":"intruder"}';
      expect((await server.scim.send(method, path, body, { token: null })).status).toBe(401);
    }
    expect((await server.scim.list('/Users')).body.Resources).toEqual([user]);
  });

  it('reads the ServiceProviderConfig, so as to learn how to authenticate (RFC 7643 section 5)', async () => {
    const answer = await server.scim.get('/ServiceProviderConfig', { token: null });
    expect([answer.status, answer.body]).toEqual([200, (await server.scim.get('/ServiceProviderConfig')).body]);
  });

  it('reaches what serves people and probes', async () => {
    for (const path of ['/livez', '/readyz', '/docs', '/openapi.json']) {
      expect([path, (await server.scim.get(server.origin + path, { token: null })).status]).toEqual([path, 200]);
    }
  });
});

describe('credentials that are no good', () => {
  const jwt = (header: object, payload: object, key = ''): string => {
    const signed = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${signed}.${key === '' ? '' : createHmac('sha256', key).update(signed).digest('base64url')}`;
  };

  const headers: [what: string, value: () => string][] = [
    ["no scheme, as Okta's test sends it", () => 'non-token'],
    ['a scheme without a token', () => 'Bearer'],
    ['a token without its scheme', () => server.scim.token],
    ['another scheme', () => 'Basic YWRtaW46YWRtaW4='],
    ['another scheme with our token', () => `Token ${server.scim.token}`],
    ['an unknown token', () => 'Bearer rollcall_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    ['a token cut short', () => `Bearer ${server.scim.token.slice(0, -1)}`],
    ['a token with more behind it', () => `Bearer ${server.scim.token}x`],
    ['a token in the wrong case', () => `Bearer ${server.scim.token.toUpperCase()}`],
    ['two tokens', () => `Bearer ${server.scim.token} ${server.scim.token}`],
    ['a token and a comma', () => `Bearer ${server.scim.token}, Basic x`],
    ['a token of 8 KB', () => `Bearer ${'a'.repeat(8192)}`],
    ['a token beyond ASCII', () => 'Bearer t\u00f6ken'],
    ['SQL', () => "Bearer '/**/OR/**/1=1--"],
    ['a JWT without a signature', () => `Bearer ${jwt({ alg: 'none' }, { sub: 'admin' })}`],
    ['a JWT signed with a key that is known', () => `Bearer ${jwt({ alg: 'HS256' }, { aud: 'rollcall' }, 'rollcall')}`],
  ];

  it.each(headers)('are refused: %s', async (_what, value) => {
    expect(seen(await sending([`Authorization: ${value()}`]))).toEqual(refusal(invalid, bad));
  });

  it('are none when the header is empty', async () => {
    expect((await sending(['Authorization:'])).status).toBe(401);
  });

  it('are refused when they are expired, in the same words as an unknown token', async () => {
    const expired = await issue('expired', new Date('2020-01-01T00:00:00Z'));
    expect(seen(await sending([`Authorization: Bearer ${expired}`]))).toEqual(refusal(invalid, bad));
  });

  it('are refused when they are revoked', async () => {
    const client = await server.addTenant('leaver');
    await server.dataSource.query('DELETE FROM tokens USING tenants t WHERE t.id = tenant_id AND t.name = $1', [
      'leaver',
    ]);
    expect(seen(await sending([`Authorization: Bearer ${client.token}`]))).toEqual(refusal(invalid, bad));
  });

  it('are not HTTP when they hold U+0000', async () => {
    const answer = await sending(['Authorization: Bearer to\0ken']);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([400, scimError(400, 'invalidSyntax')]);
  });

  it('cannot be larger than headers may be', async () => {
    const answer = await sending([`Authorization: Bearer ${'a'.repeat(20_000)}`]);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([431, scimError(431)]);
  });

  it.each([
    ['the good one first', () => [`Authorization: Bearer ${server.scim.token}`, 'Authorization: Bearer other']],
    ['the good one last', () => ['Authorization: Bearer other', `Authorization: Bearer ${server.scim.token}`]],
    ['the same twice', () => Array<string>(2).fill(`Authorization: Bearer ${server.scim.token}`)],
  ])('cannot be given twice: %s', async (_what, lines) => {
    const answer = await sending(lines());
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      400,
      scimError(400, 'invalidSyntax', 'The Authorization header is given twice.'),
    ]);
  });
});

describe('the token', () => {
  it.each(['Bearer', 'bearer', 'BEARER'])('comes with its scheme in any case: %s', async (scheme) => {
    expect((await sending([`Authorization: ${scheme} ${server.scim.token}`])).status).toBe(200);
  });

  it.each([
    ['the query string', () => sending([], `/scim/v2/Users?access_token=${server.scim.token}`)],
    ['the query string, in another case', () => sending([], `/scim/v2/Users?Access_Token=${server.scim.token}`)],
    [
      'a cookie',
      () => sending([`Cookie: access_token=${server.scim.token}; Authorization=Bearer%20${server.scim.token}`]),
    ],
    ['a header of a proxy', () => sending([`X-Forwarded-Authorization: Bearer ${server.scim.token}`])],
    ['the header meant for proxies', () => sending([`Proxy-Authorization: Bearer ${server.scim.token}`])],
  ])('is not taken from %s (RFC 6750 section 5.3)', async (_where, request) => {
    expect(seen(await request())).toEqual(refusal(realm, missing));
  });

  it('is not taken from a form in the body', async () => {
    const body = `access_token=${server.scim.token}`;
    const lines = ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${body.length}`];
    const answer = await exchange(server.origin, head('POST', '/scim/v2/Users', ...lines) + body);
    expect(seen(answer)).toEqual(refusal(realm, missing));
  });

  it('works beside another one, so that it can be replaced while both live', async () => {
    const second = await issue('second');
    expect((await sending([`Authorization: Bearer ${second}`])).status).toBe(200);
    expect((await sending([`Authorization: Bearer ${server.scim.token}`])).status).toBe(200);
  });

  it('is nowhere in the database, nor in the log', async () => {
    const rows = JSON.stringify(
      await server.dataSource.query('SELECT t.*, encode(secret_hash, $1) FROM tokens t', ['escape']),
    );
    const secret = server.scim.token.slice('rollcall_'.length);
    expect(secret).toHaveLength(49);
    expect(rows).not.toContain(secret);
    expect(JSON.stringify(server.logged())).not.toContain(secret);
  });
});

describe("another tenant's token (RFC 7644 section 6)", () => {
  let other: ScimClient;
  beforeAll(async () => {
    other = await server.addTenant('other');
  });

  it.each(['GET', 'PUT', 'PATCH', 'DELETE'])(
    'finds nothing to %s, exactly as if the id were unknown',
    async (method) => {
      const body = {
        GET: undefined,
        DELETE: undefined,
        PUT: '{"userName":"mine"}',
        PATCH: '{"Operations":[{"op":"replace","path":"title","value":"x"}]}',
      }[method];
      const unknown = '019aaf3c-6b5e-7cc1-a4ad-0f8d8e5f0a11';
      const [theirs, nobodys] = await Promise.all(
        [user.id, unknown].map((id) =>
          other.send<{ detail: string }>(method, `/Users/${id}`, body, { headers: { 'If-Match': 'W/"1"' } }),
        ),
      );
      const plain = (text: string | undefined): string | undefined => text?.replace(/[0-9a-f-]{36}/, '{id}');
      expect([theirs?.status, plain(theirs?.text)]).toEqual([404, plain(nobodys?.text)]);
      const names = (headers?: Headers): string[] => [...(headers?.keys() ?? [])];
      expect(names(theirs?.headers)).toEqual(names(nobodys?.headers));
      expect((await server.scim.get(`/Users/${user.id}`)).body).toEqual(user);
    },
  );

  it('makes no group of a foreign user, with the words for an unknown one', async () => {
    const answers = await Promise.all(
      [user.id, '019aaf3c-6b5e-7cc1-a4ad-0f8d8e5f0a11'].map((value) =>
        other.post('/Groups', { displayName: 'spies', members: [{ value }] }),
      ),
    );
    const plain = answers.map(({ status, text }) => [status, text.replace(/[0-9a-f-]{36}/, '{id}')]);
    expect(plain[0]).toEqual(plain[1]);
    expect(plain[0]?.[0]).toBe(400);
    expect((await other.list('/Groups')).body.totalResults).toBe(0);
  });

  it('lists only what is its own', async () => {
    expect((await other.list('/Users')).body.Resources).toEqual([]);
    expect((await other.list(`/Users?filter=id%20eq%20%22${user.id}%22`)).body.totalResults).toBe(0);
  });
});
