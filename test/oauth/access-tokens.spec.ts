import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { SigningKeys } from '../../src/oauth/signing-keys.js';
import type { AdministeredServer } from '../support/admin.js';
import { fakeClock } from '../support/clock.js';
import { issuerKey } from '../support/issuer.js';
import { accessToken, createClient, reading, reads, startOAuthServer, type Client } from '../support/oauth.js';

let server: AdministeredServer;
let client: Client;

beforeAll(async () => {
  server = await startOAuthServer();
  client = await createClient(server);
});

afterEach(() => void jest.useRealTimers());
afterAll(() => server.close());

const { taken, refused } = reads;

const read = (token: string) => reading(server, token);

/** Signs claims like those of a good token with the server's own key, but for what a test changes. */
async function signedByServer(changes: Record<string, unknown>, header: object = {}): Promise<string> {
  const claims = decodeJwt(await accessToken(server, client));
  const { kid, privateKey } = await server.app.get(SigningKeys).current();
  const payload = Object.entries({ ...claims, ...changes }).filter(([, value]) => value !== undefined);
  const protectedHeader = { alg: 'ES256', typ: 'at+jwt', kid, ...header };
  return new SignJWT(Object.fromEntries(payload))
    .setProtectedHeader(protectedHeader)
    .sign(privateKey, { crit: { extension: true } });
}

const seconds = (): number => Math.floor(Date.now() / 1000);

describe('an access token of our own (RFC 9068 section 4)', () => {
  it('is good as it was issued', async () => {
    expect(await read(await accessToken(server, client))).toEqual(taken);
    expect(await read(await signedByServer({}))).toEqual(taken);
  });

  it('stays good while it is remembered, and after', async () => {
    const token = await accessToken(server, client);
    for (const later of [0, 1_000, 4_900, 5_100, 60_000]) {
      fakeClock(Date.now() + later);
      expect(await read(token)).toEqual(taken);
      jest.useRealTimers();
    }
  });

  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const changed: [what: string, token: (good: string) => string | Promise<string>][] = [
    ['another payload', (good) => good.replace(/\.[^.]*\./, `.${part({ ...decodeJwt(good), scope: 'read' })}.`)],
    ['no signature', (good) => good.replace(/[^.]*$/, '')],
    ['another signature', (good) => good.replace(/[^.]*$/, 'A'.repeat(86))],
    ['alg none', (good) => `${part({ alg: 'none', typ: 'at+jwt' })}.${part(decodeJwt(good))}.`],
    [
      'alg None with the signature left on',
      (good) => `${part({ alg: 'None', typ: 'at+jwt' })}.${good.split('.').slice(1).join('.')}`,
    ],
    [
      'an HMAC by the public key (key confusion, RFC 8725 section 2.1)',
      async (good) => {
        const [key] = await server.app.get(SigningKeys).published();
        const signed = `${part({ ...decodeProtectedHeader(good), alg: 'HS256' })}.${part(decodeJwt(good))}`;
        return `${signed}.${createHmac('sha256', JSON.stringify(key)).update(signed).digest('base64url')}`;
      },
    ],
    [
      'a key of somebody else under the name of ours',
      async (good) => {
        const other = await issuerKey(decodeProtectedHeader(good).kid ?? '', 'ES256');
        return new SignJWT(decodeJwt(good))
          .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: other.kid })
          .sign(other.privateKey);
      },
    ],
    [
      'a key that the token brings itself',
      async (good) => {
        const other = await issuerKey('mine', 'ES256');
        return new SignJWT(decodeJwt(good))
          .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'mine', jwk: other.publicJwk })
          .sign(other.privateKey);
      },
    ],
    ['an unknown key', () => signedByServer({}, { kid: 'unknown' })],
    ['no name of a key', () => signedByServer({}, { kid: undefined })],
    ['another type, such as an ID token (RFC 8725 section 3.11)', () => signedByServer({}, { typ: 'JWT' })],
    ['no type', () => signedByServer({}, { typ: undefined })],
    ['an extension that must be understood', () => signedByServer({}, { crit: ['extension'], extension: 1 })],
    ['another audience', () => signedByServer({ aud: 'https://scim.example.com' })],
    ['no audience', () => signedByServer({ aud: undefined })],
    ['another issuer', () => signedByServer({ iss: 'https://elsewhere.example' })],
    ['an end that has passed', () => signedByServer({ iat: seconds() - 700, exp: seconds() - 61 })],
    ['no end', () => signedByServer({ exp: undefined })],
    ['a beginning to come', () => signedByServer({ nbf: seconds() + 90 })],
    ['no client', () => signedByServer({ client_id: undefined })],
    ['a client that is none', () => signedByServer({ client_id: "'; DROP TABLE oauth_clients --" })],
    ['a client of another tenant', () => signedByServer({ tenant: '019aaf3c-6b5e-7cc1-a4ad-0f8d8e5f0a11' })],
    ['more than 8 KiB', () => signedByServer({ padding: 'x'.repeat(6_200) })],
    ['claims that are no JSON', (good) => good.replace(/\.[^.]*\./, '.eyJ.')],
  ];

  it.each(changed)('is refused as invalid_token with %s', async (_what, token) => {
    expect(await read(await token(await accessToken(server, client)))).toEqual(refused);
  });

  it('is refused with a reason in the log, for operators who debug, and without the token', async () => {
    const token = await signedByServer({ aud: 'https://elsewhere.example' });
    await read(token);
    const lines = server.logged().filter(({ msg }) => String(msg).startsWith('An access token was refused'));
    expect(lines.at(-1)).toMatchObject({
      level: 20,
      msg: 'An access token was refused: ERR_JWT_CLAIM_VALIDATION_FAILED unexpected "aud" claim value',
    });
    expect(JSON.stringify(server.logged())).not.toContain(token);
  });

  it('is taken within a minute of difference between clocks', async () => {
    expect(await read(await signedByServer({ nbf: seconds() + 50, iat: seconds() + 50 }))).toEqual(taken);
    expect(await read(await signedByServer({ exp: seconds() - 50 }))).toEqual(taken);
  });

  it('ends when it says, and also when it was remembered a moment before', async () => {
    const token = await accessToken(server, client);
    const end = (decodeJwt(token).exp ?? 0) * 1000;
    fakeClock(end + 59_000);
    expect(await read(token)).toEqual(taken);
    jest.setSystemTime(end + 60_001);
    expect(await read(token)).toEqual(refused);
  });
});

describe('what a client may do', () => {
  const insufficient = (scope: string): unknown[] => [
    403,
    `Bearer realm="rollcall", error="insufficient_scope", scope="${scope}"`,
  ];

  it('is in its tokens (RFC 6750 section 3.1)', async () => {
    const token = await accessToken(server, client, 'read');
    const answer = await server.scim.post('/Users', { userName: 'oauth@example.com' }, { token });
    expect([answer.status, answer.headers.get('WWW-Authenticate')]).toEqual(insufficient('write'));
    expect((await server.scim.list('/Users', { token })).status).toBe(200);
  });

  it('ends for its tokens when the client loses it', async () => {
    const token = await accessToken(server, client);
    const loser = await createClient(server);
    const lost = await accessToken(server, loser);
    await server.dataSource.query(`UPDATE oauth_clients SET scopes = '{read}' WHERE id = $1`, [loser.id]);
    const write = (bearer: string) => server.scim.post('/Users', { userName: `u${Math.random()}` }, { token: bearer });
    expect((await write(lost)).status).toBe(403);
    expect((await write(token)).status).toBe(201);
  });

  it('is in the context as who acts, and in nothing else of the answer', async () => {
    const token = await accessToken(server, client);
    const { body } = await server.scim.post('/Users', { userName: 'actor@example.com' }, { token });
    expect(JSON.stringify(body)).not.toContain(client.id);
  });
});

describe('a client that is revoked', () => {
  it('ends with its tokens, at once where it was revoked', async () => {
    const leaver = await createClient(server);
    const token = await accessToken(server, leaver);
    expect(await read(token)).toEqual(taken);
    expect((await server.admin.delete(`/tenants/default/clients/${leaver.id}`)).status).toBe(204);
    expect(await read(token)).toEqual(refused);
  });

  it('ends within five seconds in other processes', async () => {
    const leaver = await createClient(server);
    const token = await accessToken(server, leaver);
    fakeClock(Date.now());
    expect(await read(token)).toEqual(taken);
    // As another process does it.
    await server.dataSource.query('DELETE FROM oauth_clients WHERE id = $1', [leaver.id]);
    expect(await read(token)).toEqual(taken);
    jest.setSystemTime(Date.now() + 5_001);
    expect(await read(token)).toEqual(refused);
  });
});

describe('a tenant that is suspended', () => {
  it('has tokens that are told to come back, and good again when it is resumed', async () => {
    await server.admin.post('/tenants', { name: 'resting' });
    const token = await accessToken(server, await createClient(server, {}, 'resting'));
    expect(await read(token)).toEqual(taken);
    await server.admin.send('POST', '/tenants/resting/suspend', undefined);
    expect((await read(token))[0]).toBe(503);
    await server.admin.send('POST', '/tenants/resting/resume', undefined);
    expect(await read(token)).toEqual(taken);
  });

  it('has none left when it is erased', async () => {
    await server.admin.post('/tenants', { name: 'gone' });
    const token = await accessToken(server, await createClient(server, {}, 'gone'));
    expect(await read(token)).toEqual(taken);
    expect((await server.admin.delete('/tenants/gone?name=gone')).status).toBe(204);
    expect(await read(token)).toEqual(refused);
  });
});

describe('the address of a tenant', () => {
  it("takes the tenant's tokens, and no others", async () => {
    await server.admin.post('/tenants', { name: 'addressed' });
    const own = await accessToken(server, await createClient(server, {}, 'addressed'));
    const path = `${server.origin}/tenants/addressed/scim/v2/Users`;
    expect((await server.scim.get(path, { token: own })).status).toBe(200);
    expect((await server.scim.get(path, { token: await accessToken(server, client) })).status).toBe(404);
  });
});

describe('SCIM_TOKEN', () => {
  it('may look like an access token', async () => {
    const token = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0dXJl';
    const configured = await startOAuthServer({ SCIM_TOKEN: token });
    expect([await configured.scim.list('/Users'), await configured.scim.list('/Users')]).toEqual([
      expect.objectContaining({ status: 200 }),
      expect.objectContaining({ status: 200 }),
    ]);
    await configured.close();
  });
});
