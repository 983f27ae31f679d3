import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createHmac, randomUUID } from 'node:crypto';
import { decodeProtectedHeader, exportSPKI, importJWK, type CryptoKey, type JSONWebKeySet } from 'jose';
import type { AdministeredServer } from '../support/admin.js';
import { fakeClock } from '../support/clock.js';
import { issuerKey, type IssuerKey } from '../support/issuer.js';
import { startIssuerProgram, type IssuerProgram } from '../support/issuer-program.js';
import { acceptIssuer, reading, reads, startOAuthServer } from '../support/oauth.js';

const { taken, refused, unavailable } = reads;

let server: AdministeredServer;
let issuer: IssuerProgram;
let first: IssuerKey;
let second: IssuerKey;

beforeAll(async () => {
  [server, first, second] = [await startOAuthServer(), await issuerKey('first'), await issuerKey('second')];
});
// Each test has one of its own, so that nothing is remembered of its keys.
beforeEach(async () => {
  issuer = await startIssuerProgram(first);
});
afterEach(async () => {
  jest.useRealTimers();
  await issuer.stop();
});
afterAll(() => server.close());

/** Makes a tenant accept the issuer's tokens. @returns their audience */
async function accept(): Promise<string> {
  const audience = `urn:rollcall:${randomUUID()}`;
  const scopeValues = { 'scim.read': ['read'], 'scim.write': ['write', 'bulk'] };
  await acceptIssuer(server, issuer, { audience, scopes: [], scopeClaim: 'scope', scopeValues });
  return audience;
}

const read = (token: string) => reading(server, token);
const write = async (token: string): Promise<number> =>
  (await server.scim.post('/Users', { userName: randomUUID() }, { token })).status;

describe('the tokens of an OpenID provider that is a program of its own', () => {
  it('are found good by what it publishes, and allow what their scopes are mapped to', async () => {
    const audience = await accept();
    const [all, reader] = [await issuer.token(audience), await issuer.token(audience, 'scim.read')];
    expect([await read(all), await write(all)]).toEqual([taken, 201]);
    expect([await read(reader), await write(reader)]).toEqual([taken, 403]);
  });

  it('are no good for another audience, nor without their signature, nor with one made of its public key', async () => {
    const audience = await accept();
    const good = await issuer.token(audience);
    const [, claims = ''] = good.split('.');
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const header = decodeProtectedHeader(good);
    const { keys } = (await (await fetch(`${issuer.url}/jwks`)).json()) as JSONWebKeySet;
    const pem = await exportSPKI((await importJWK(keys[0] ?? {}, 'RS256', { extractable: true })) as CryptoKey);
    const confused = `${part({ ...header, alg: 'HS256' })}.${claims}`;
    for (const bad of [
      await issuer.token('urn:somebody:else'),
      `${part({ ...header, alg: 'none' })}.${claims}.`,
      `${confused}.${createHmac('sha256', pem).update(confused).digest('base64url')}`,
    ]) {
      expect(await read(bad)).toEqual(refused);
    }
    expect(await read(good)).toEqual(taken);
  });

  it('are good through a rotation of its keys, those of the old key until it is not published any more', async () => {
    const audience = await accept();
    const old = await issuer.token(audience);
    expect(await read(old)).toEqual(taken);
    await issuer.restart(second, first);
    const rotated = await issuer.token(audience);
    expect(decodeProtectedHeader(rotated).kid).toBe('second');
    fakeClock(Date.now() + 31_000);
    expect([await read(rotated), await read(old)]).toEqual([taken, taken]);
    await issuer.restart(second);
    jest.setSystemTime(Date.now() + 600_000 - 31_000);
    // The first that asks makes us look; it is the next that has what we saw.
    await read(rotated);
    await expect(refusedSoon(old)).resolves.toEqual(refused);
    expect(await read(rotated)).toEqual(taken);
  });

  it('wait while it cannot be reached, and are good when it is back', async () => {
    const audience = await accept();
    const token = await issuer.token(audience);
    await issuer.stop();
    expect(await read(token)).toEqual(unavailable);
    await issuer.restart(first);
    fakeClock(Date.now() + 5_000);
    expect(await read(token)).toEqual(taken);
  });
});

/** Reads until the answer is no longer 200: keys are read again in the background. */
async function refusedSoon(token: string): Promise<unknown[]> {
  for (;;) {
    const answer = await read(token);
    if (answer[0] !== 200) return answer;
    await new Promise((resolve) => setImmediate(resolve));
    jest.setSystemTime(Date.now() + 5_001);
  }
}
