import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { calculateJwkThumbprint, decodeJwt, exportSPKI, importJWK, type CryptoKey, type JWTPayload } from 'jose';
import type { JsonObject } from '../../src/scim/index.js';
import type { AdministeredServer } from '../support/admin.js';
import { fakeClock } from '../support/clock.js';
import { scimError } from '../support/errors.js';
import { issuerKey, startIssuer, type TestIssuer } from '../support/issuer.js';
import { startOAuthServer } from '../support/oauth.js';

const audience = 'api://rollcall';
const invalid = 'Bearer realm="rollcall", error="invalid_token"';
const refused = [
  401,
  invalid,
  scimError(401, undefined, 'The bearer token is not valid: it is unknown, expired or malformed.'),
];
const taken = [200, null, undefined];
const unavailable = [
  503,
  '5',
  scimError(503, undefined, "The keys of the token's issuer cannot be read now; try again later."),
];

let server: AdministeredServer;
let issuer: TestIssuer;
let tenants = 0;

beforeAll(async () => {
  server = await startOAuthServer();
});

// Each test has an issuer of its own, so that nothing is remembered of its keys.
beforeEach(async () => {
  issuer = await startIssuer();
});

afterEach(async () => {
  jest.useRealTimers();
  await issuer.stop();
});

afterAll(() => server.close());

/** Makes a tenant that accepts the issuer's tokens. @returns its name and the issuer's path */
async function accepting(definition: JsonObject = {}): Promise<{ tenant: string; path: string }> {
  const tenant = `customer-${++tenants}`;
  await server.admin.post('/tenants', { name: tenant });
  const request = { issuer: issuer.url, audience, scopes: ['read', 'write', 'bulk'], ...definition };
  const { status, body, text } = await server.admin.post<{ id: string }>(`/tenants/${tenant}/issuers`, request);
  if (status !== 201) throw new Error(text);
  return { tenant, path: `/tenants/${tenant}/issuers/${body.id}` };
}

/** What reading users with a token is answered: with the challenge, or when to come back. */
async function reading(token: string): Promise<unknown[]> {
  const { status, headers, body } = await server.scim.get('/Users', { token });
  const header = headers.get(status === 503 ? 'Retry-After' : 'WWW-Authenticate');
  return [status, header, status === 200 ? undefined : body];
}

const signed = (claims: JWTPayload = {}, ...rest: [key?: TestIssuer['keys'][number], header?: object]) =>
  issuer.sign({ aud: audience, ...claims }, ...rest);

const seconds = (): number => Math.floor(Date.now() / 1000);

/** Warnings that the server logged of the issuer. */
const warnings = (): unknown[] =>
  server
    .logged()
    .filter(({ level, msg }) => level === 40 && String(msg).includes(issuer.url))
    .map(({ msg }) => msg);

describe("a token of a tenant's issuer (RFC 7519)", () => {
  it('is good where the issuer says in its metadata where its keys are (RFC 8414 section 3)', async () => {
    await accepting();
    expect(await reading(await signed())).toEqual(taken);
  });

  it('is good where the operator says where the keys are', async () => {
    issuer.describe({ issuer: 'https://elsewhere.example', jwks_uri: 'https://elsewhere.example' });
    await accepting({ jwksUri: issuer.jwksUri });
    expect(await reading(await signed())).toEqual(taken);
  });

  it.each(['RS384', 'RS512', 'PS256', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    'is good when it is signed by %s and the operator allows that',
    async (algorithm) => {
      await accepting({ algorithms: [algorithm] });
      issuer.keys.splice(0, 1, await issuerKey('other', algorithm));
      expect(await reading(await signed())).toEqual(taken);
    },
  );

  it('acts for its tenant and no other, and its address shows it', async () => {
    const { tenant } = await accepting();
    const token = await signed();
    await server.scim.post('/Users', { userName: 'issued@example.com' }, { token });
    const path = `${server.origin}/tenants/${tenant}/scim/v2/Users`;
    const { body } = await server.scim.list(path, { token });
    expect([body.totalResults, body.Resources[0]?.meta.location]).toEqual([
      1,
      expect.stringContaining(`/tenants/${tenant}/scim/v2/Users/`),
    ]);
    expect((await server.scim.list('/Users?filter=userName%20eq%20%22issued@example.com%22')).body.totalResults).toBe(
      0,
    );
    expect((await server.scim.get(`${server.origin}/tenants/default/scim/v2/Users`, { token })).status).toBe(404);
  });

  it('may have several audiences, of which one is ours', async () => {
    await accepting();
    expect(await reading(await signed({ aud: ['https://graph.example', audience] }))).toEqual(taken);
  });

  const bad: [what: string, token: () => Promise<string>][] = [
    ['another audience', () => signed({ aud: 'api://other' })],
    ['no audience', () => signed({ aud: undefined })],
    ['too many audiences', () => signed({ aud: [audience, ...Array.from({ length: 20 }, (_, at) => `a${at}`)] })],
    ['another issuer', () => signed({ iss: `${issuer.url}/` })],
    ['no issuer', () => signed({ iss: undefined })],
    ['an end that has passed', () => signed({ iat: seconds() - 300, exp: seconds() - 61 })],
    ['no end', () => signed({ exp: undefined })],
    ['a beginning to come', () => signed({ nbf: seconds() + 90 })],
    ['an issue to come', () => signed({ iat: seconds() + 90 })],
    ['no time of issue', () => signed({ iat: undefined })],
    ['an issue more than a day ago', () => signed({ iat: seconds() - 86_500, exp: seconds() + 300 })],
    ['times that are no numbers', () => signed({ exp: 'tomorrow' as unknown as number }).catch(() => 'eyJ.eyJ.')],
    ['more than 8 KiB', () => signed({ groups: Array<string>(700).fill('engineers') })],
    ['an algorithm that is not allowed', async () => signed({}, await issuerKey('first', 'PS256'))],
    ["another key under the name of the issuer's", async () => signed({}, await issuerKey('first'))],
    ['a key that the issuer does not publish', async () => signed({}, await issuerKey('private'))],
    [
      'a key that the token itself brings',
      async () => {
        const key = await issuerKey('mine');
        return signed({}, key, { jwk: key.publicJwk });
      },
    ],
    [
      'a key whose place the token itself brings',
      async () => signed({}, await issuerKey('mine'), { jku: 'http://127.0.0.1:9/jwks' }),
    ],
  ];

  it.each(bad)('is refused as invalid_token with %s', async (_what, token) => {
    await accepting();
    expect(await reading(await token())).toEqual(refused);
    expect(await reading(await signed())).toEqual(taken);
  });

  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

  it.each(['none', 'None', 'NONE', ''])('is refused with alg "%s" (RFC 8725 section 3.2)', async (alg) => {
    await accepting();
    const claims = part(decodeJwt(await signed()));
    expect(await reading(`${part({ alg, typ: 'JWT' })}.${claims}.`)).toEqual(refused);
    expect(await reading(`${part({ alg, kid: 'first' })}.${claims}.${'A'.repeat(342)}`)).toEqual(refused);
  });

  it('is refused when the public key made its HMAC (key confusion, RFC 8725 section 2.1)', async () => {
    await accepting();
    const jwk = issuer.keys[0]?.publicJwk ?? {};
    const pem = await exportSPKI((await importJWK(jwk, 'RS256', { extractable: true })) as CryptoKey);
    const secrets = [pem, pem.trim(), JSON.stringify(jwk), jwk.n ?? '', await calculateJwkThumbprint(jwk)];
    for (const [alg, hash] of [
      ['HS256', 'sha256'],
      ['HS512', 'sha512'],
    ] as const) {
      for (const secret of secrets) {
        const text = `${part({ alg, typ: 'JWT', kid: 'first' })}.${part(decodeJwt(await signed()))}`;
        const token = `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`;
        expect(await reading(token)).toEqual(refused);
      }
    }
  });

  it('is taken within a minute of difference between clocks, and not beyond', async () => {
    await accepting();
    expect(await reading(await signed({ iat: seconds() + 50, nbf: seconds() + 50 }))).toEqual(taken);
    expect(await reading(await signed({ exp: seconds() - 50, iat: seconds() - 300 }))).toEqual(taken);
  });

  it('ends when it says, and also when it was remembered a moment before', async () => {
    await accepting();
    const token = await signed({ exp: seconds() + 60 });
    fakeClock(Date.now());
    expect(await reading(token)).toEqual(taken);
    jest.setSystemTime(((decodeJwt(token).exp ?? 0) + 60) * 1000 + 1);
    expect(await reading(token)).toEqual(refused);
  });
});

describe('what a token may do', () => {
  const scopesOf = async (token: string): Promise<number[]> => [
    (await server.scim.list('/Users', { token })).status,
    (await server.scim.post('/Users', { userName: `u${Math.random()}@example.com` }, { token })).status,
    (
      await server.scim.post(
        '/Bulk',
        {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
          Operations: [{ method: 'DELETE', path: '/Users/none' }],
        },
        { token },
      )
    ).status,
  ];
  const scopeValues = { 'Scim.Read': ['read'], 'Scim.Write': ['write'], 'Scim.All': ['read', 'write', 'bulk'] };

  it.each<[what: string, claims: JWTPayload, statuses: number[]]>([
    ['all, by an array as of Entra ID', { roles: ['Other', 'Scim.All'] }, [200, 201, 200]],
    ['to read, by an array', { roles: ['Scim.Read'] }, [200, 403, 403]],
    ['two things, by a text with spaces', { roles: 'Scim.Read Scim.Write' }, [200, 201, 403]],
    ['nothing, by other values', { roles: ['Other', 'constructor', '__proto__'] }, [403, 403, 403]],
    ['nothing, without the claim', {}, [403, 403, 403]],
    ['nothing, by a claim that is neither', { roles: { 'Scim.All': true } }, [403, 403, 403]],
  ])('follows the claim that the operator names: %s', async (_what, claims, statuses) => {
    await accepting({ scopes: [], scopeClaim: 'roles', scopeValues });
    expect(await scopesOf(await signed(claims))).toEqual(statuses);
  });

  it('is also what all tokens of the issuer may', async () => {
    await accepting({ scopes: ['read'], scopeClaim: 'https://acme.example/scp', scopeValues });
    expect(await scopesOf(await signed())).toEqual([200, 403, 403]);
    expect(await scopesOf(await signed({ 'https://acme.example/scp': 'Scim.Write' }))).toEqual([200, 201, 403]);
  });

  it.each<[what: string, claims: JWTPayload, expected: unknown[]]>([
    ['one of the values', { azp: 'app-2', tid: 'directory' }, taken],
    ['an array with one of them', { azp: ['x', 'app-1'], tid: 'directory' }, taken],
    ['another value', { azp: 'app-3', tid: 'directory' }, refused],
    ['the value within a text', { azp: 'app-3 app-1', tid: 'directory' }, refused],
    ['no value', { tid: 'directory' }, refused],
    ['one claim of two', { azp: 'app-1' }, refused],
  ])('needs the claims that the operator requires: %s', async (_what, claims, expected) => {
    await accepting({ requiredClaims: { azp: ['app-1', 'app-2'], tid: ['directory'] } });
    expect(await reading(await signed(claims))).toEqual(expected);
  });
});

describe('the keys of an issuer (RFC 7517)', () => {
  it('are read once for many tokens', async () => {
    await accepting();
    await Promise.all(Array.from({ length: 10 }, async () => reading(await signed({ jti: String(Math.random()) }))));
    expect(issuer.fetched()).toBe(1);
  });

  it('rotate: a token of a new key makes them read again, at most every 30 seconds', async () => {
    await accepting();
    fakeClock(Date.now());
    expect(await reading(await signed())).toEqual(taken);
    const second = await issuerKey('second');
    issuer.keys.push(second);
    // A flood of unknown keys is no flood of requests to the issuer.
    for (const kid of ['a', 'b', 'c']) expect(await reading(await signed({}, await issuerKey(kid)))).toEqual(refused);
    expect(issuer.fetched()).toBe(1);
    jest.setSystemTime(Date.now() + 30_001);
    expect(await reading(await signed({}, second))).toEqual(taken);
    expect(issuer.fetched()).toBe(2);
  });

  it('end: a key that is no longer published is no good after ten minutes', async () => {
    await accepting();
    fakeClock(Date.now());
    expect(await reading(await signed())).toEqual(taken);
    const [old] = issuer.keys.splice(0, 1, await issuerKey('second'));
    jest.setSystemTime(Date.now() + 600_001);
    // This one makes them read, and need not wait for it.
    expect(await reading(await signed({ jti: '1' }, old))).toEqual(taken);
    while (issuer.fetched() < 2) await new Promise(setImmediate);
    expect(await reading(await signed({}))).toEqual(taken);
    expect(await reading(await signed({ jti: '2' }, old))).toEqual(refused);
  });

  it('that cannot be read make it 503 with Retry-After, so that the identity provider tries again', async () => {
    await accepting();
    await issuer.stop();
    expect(await reading(await signed())).toEqual(unavailable);
    expect(warnings()).toEqual([`The keys of the issuer ${issuer.url} cannot be read (ECONNREFUSED)`]);
    await issuer.resume();
    // For five seconds nobody waits for an issuer that did not answer.
    expect(await reading(await signed())).toEqual(unavailable);
    fakeClock(Date.now() + 5_001);
    expect(await reading(await signed())).toEqual(taken);
  });

  it('go on for a day while the issuer cannot be reached, and no longer', async () => {
    await accepting();
    expect(await reading(await signed())).toEqual(taken);
    await issuer.stop();
    fakeClock(Date.now() + 23 * 3_600_000);
    expect(await reading(await signed())).toEqual(taken);
    jest.setSystemTime(Date.now() + 3_600_001);
    expect(await reading(await signed())).toEqual(unavailable);
    await issuer.resume();
  });

  it('that cannot be read make it 503 also for a key that nobody has seen, which may be the new one', async () => {
    await accepting();
    expect(await reading(await signed())).toEqual(taken);
    await issuer.stop();
    fakeClock(Date.now() + 30_001);
    expect(await reading(await signed({}, await issuerKey('second')))).toEqual(unavailable);
    expect(await reading(await signed())).toEqual(taken);
    await issuer.resume();
  });

  it.each<[what: string, answer: Parameters<TestIssuer['answer']>[0], reason: string]>([
    ['fails', (response) => response.writeHead(500).end('broken'), 'The answer is 500'],
    [
      'redirects',
      (response) => response.writeHead(302, { Location: 'http://169.254.169.254/latest' }).end(),
      'The answer is 302',
    ],
    [
      'answers with too much',
      (response) => response.end(`{"keys":[${' '.repeat(300_000)}]}`),
      'The answer is larger than 262144 bytes',
    ],
    ['answers with what is no JSON', (response) => response.end('<html>'), expect.any(String) as unknown as string],
    ['answers with what are no keys', (response) => response.end('{"keys":"none"}'), 'ERR_JWKS_INVALID'],
    ['hangs up', (response) => response.destroy(), 'ECONNRESET'],
  ])('are not there when the issuer %s', async (_what, answer, reason) => {
    await accepting();
    issuer.answer(answer);
    expect(await reading(await signed())).toEqual(unavailable);
    const [warning] = warnings() as string[];
    expect(warning?.slice(`The keys of the issuer ${issuer.url} cannot be read (`.length, -1)).toEqual(reason);
    issuer.answer();
    fakeClock(Date.now() + 5_001);
    expect(await reading(await signed())).toEqual(taken);
  });

  it.each<[what: string, metadata: object, reason: string]>([
    [
      'of another issuer (RFC 8414 section 3.3)',
      { issuer: 'https://elsewhere.example' },
      'The metadata is of another issuer',
    ],
    ['without jwks_uri', {}, 'The metadata has no jwks_uri'],
    [
      'with keys inside our network',
      { jwks_uri: 'http://169.254.169.254/jwks' },
      'jwks_uri "http://169.254.169.254/jwks" must be https',
    ],
    ['with keys in a file', { jwks_uri: 'file:///etc/passwd' }, 'jwks_uri "file:///etc/passwd" must be https'],
  ])('are not looked for by metadata %s', async (_what, metadata, reason) => {
    await accepting();
    issuer.describe({ issuer: issuer.url, ...metadata });
    expect(await reading(await signed())).toEqual(unavailable);
    expect(warnings()).toEqual([expect.stringContaining(reason)]);
  });
});

describe('an issuer and its tenant', () => {
  it('go together: an issuer with an audience is of one tenant', async () => {
    await accepting();
    const { status, body } = await server.admin.post('/tenants/default/issuers', {
      issuer: issuer.url,
      audience,
      scopes: ['read'],
    });
    expect([status, body]).toEqual([
      409,
      scimError(409, 'uniqueness', 'A tenant has this issuer with this audience already.'),
    ]);
  });

  it('may share the issuer with another tenant by another audience; a token for both is for none', async () => {
    await accepting();
    const { tenant } = await accepting({ audience: 'api://second' });
    const second = await signed({ aud: 'api://second' });
    expect((await server.scim.get(`${server.origin}/tenants/${tenant}/scim/v2/Users`, { token: second })).status).toBe(
      200,
    );
    expect(await reading(await signed())).toEqual(taken);
    expect(await reading(await signed({ aud: [audience, 'api://second'] }))).toEqual(refused);
  });

  it('part at once where the issuer is removed', async () => {
    const { path } = await accepting();
    const token = await signed();
    expect(await reading(token)).toEqual(taken);
    expect((await server.admin.delete(path)).status).toBe(204);
    expect(await reading(token)).toEqual(refused);
  });

  it('part within five seconds in other processes', async () => {
    const { path } = await accepting();
    fakeClock(Date.now());
    const token = await signed();
    expect(await reading(token)).toEqual(taken);
    await server.dataSource.query('DELETE FROM issuers WHERE id = $1', [path.split('/').at(-1)]);
    expect(await reading(token)).toEqual(taken);
    jest.setSystemTime(Date.now() + 5_001);
    expect(await reading(token)).toEqual(refused);
  });

  it('rest when the tenant is suspended', async () => {
    const { tenant } = await accepting();
    const token = await signed();
    expect(await reading(token)).toEqual(taken);
    await server.admin.send('POST', `/tenants/${tenant}/suspend`, undefined);
    expect((await reading(token))[0]).toBe(503);
  });
});
