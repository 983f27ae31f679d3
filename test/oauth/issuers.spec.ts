import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { calculateJwkThumbprint, decodeJwt, exportSPKI, importJWK, type CryptoKey } from 'jose';
import type { JsonObject } from '../../src/scim/index.js';
import type { AdministeredServer } from '../support/admin.js';
import { fakeClock } from '../support/clock.js';
import { scimError } from '../support/errors.js';
import { issuerKey, startIssuer, type TestIssuer } from '../support/issuer.js';
import { acceptIssuer, audience, reading, reads, startOAuthServer } from '../support/oauth.js';

const { taken, refused } = reads;

let server: AdministeredServer;
let issuer: TestIssuer;

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

const accepting = (definition?: JsonObject) => acceptIssuer(server, issuer, definition);

const read = (token: string) => reading(server, token);

const signed = (
  claims: Readonly<Record<string, unknown>> = {},
  ...rest: [key?: TestIssuer['keys'][number], header?: object]
) => issuer.sign({ aud: audience, ...claims }, ...rest);

const seconds = (): number => Math.floor(Date.now() / 1000);

describe("a token of a tenant's issuer (RFC 7519)", () => {
  it('is good where the issuer says in its metadata where its keys are (RFC 8414 section 3)', async () => {
    await accepting();
    expect(await read(await signed())).toEqual(taken);
  });

  it('is good where the operator says where the keys are', async () => {
    issuer.describe({ issuer: 'https://elsewhere.example', jwks_uri: 'https://elsewhere.example' });
    await accepting({ jwksUri: issuer.jwksUri });
    expect(await read(await signed())).toEqual(taken);
  });

  it.each(['RS384', 'RS512', 'PS256', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    'is good when it is signed by %s and the operator allows that',
    async (algorithm) => {
      await accepting({ algorithms: [algorithm] });
      issuer.keys.splice(0, 1, await issuerKey('other', algorithm));
      expect(await read(await signed())).toEqual(taken);
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
    expect(await read(await signed({ aud: ['https://graph.example', audience] }))).toEqual(taken);
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
    ['times that are no numbers', () => signed({ exp: 'tomorrow' }).catch(() => 'eyJ.eyJ.')],
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
    expect(await read(await token())).toEqual(refused);
    expect(await read(await signed())).toEqual(taken);
  });

  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

  it.each(['none', 'None', 'NONE', ''])('is refused with alg "%s" (RFC 8725 section 3.2)', async (alg) => {
    await accepting();
    const claims = part(decodeJwt(await signed()));
    expect(await read(`${part({ alg, typ: 'JWT' })}.${claims}.`)).toEqual(refused);
    expect(await read(`${part({ alg, kid: 'first' })}.${claims}.${'A'.repeat(342)}`)).toEqual(refused);
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
        expect(await read(token)).toEqual(refused);
      }
    }
  });

  it('is taken within a minute of difference between clocks, and not beyond', async () => {
    await accepting();
    expect(await read(await signed({ iat: seconds() + 50, nbf: seconds() + 50 }))).toEqual(taken);
    expect(await read(await signed({ exp: seconds() - 50, iat: seconds() - 300 }))).toEqual(taken);
  });

  it('ends when it says, and also when it was remembered a moment before', async () => {
    await accepting();
    const token = await signed({ exp: seconds() + 60 });
    fakeClock(Date.now());
    expect(await read(token)).toEqual(taken);
    jest.setSystemTime(((decodeJwt(token).exp ?? 0) + 60) * 1000 + 1);
    expect(await read(token)).toEqual(refused);
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

  it.each<[what: string, claims: Record<string, unknown>, statuses: number[]]>([
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

  it.each<[what: string, claims: Record<string, unknown>, expected: unknown[]]>([
    ['one of the values', { azp: 'app-2', tid: 'directory' }, taken],
    ['an array with one of them', { azp: ['x', 'app-1'], tid: 'directory' }, taken],
    ['another value', { azp: 'app-3', tid: 'directory' }, refused],
    ['the value within a text', { azp: 'app-3 app-1', tid: 'directory' }, refused],
    ['no value', { tid: 'directory' }, refused],
    ['one claim of two', { azp: 'app-1' }, refused],
  ])('needs the claims that the operator requires: %s', async (_what, claims, expected) => {
    await accepting({ requiredClaims: { azp: ['app-1', 'app-2'], tid: ['directory'] } });
    expect(await read(await signed(claims))).toEqual(expected);
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
    expect(await read(await signed())).toEqual(taken);
    expect(await read(await signed({ aud: [audience, 'api://second'] }))).toEqual(refused);
  });

  it('part at once where the issuer is removed', async () => {
    const { path } = await accepting();
    const token = await signed();
    expect(await read(token)).toEqual(taken);
    expect((await server.admin.delete(path)).status).toBe(204);
    expect(await read(token)).toEqual(refused);
  });

  it('part within five seconds in other processes', async () => {
    const { path } = await accepting();
    fakeClock(Date.now());
    const token = await signed();
    expect(await read(token)).toEqual(taken);
    await server.dataSource.query('DELETE FROM issuers WHERE id = $1', [path.split('/').at(-1)]);
    expect(await read(token)).toEqual(taken);
    jest.setSystemTime(Date.now() + 5_001);
    expect(await read(token)).toEqual(refused);
  });

  it('rest when the tenant is suspended', async () => {
    const { tenant } = await accepting();
    const token = await signed();
    expect(await read(token)).toEqual(taken);
    await server.admin.send('POST', `/tenants/${tenant}/suspend`, undefined);
    expect((await read(token))[0]).toBe(503);
  });
});
