import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { TokenAuthentication } from '../../src/auth/token-authentication.js';
import { startAdministered, type AdministeredServer } from '../support/admin.js';
import { fakeClock } from '../support/clock.js';
import { scimError } from '../support/errors.js';
import { askForToken, basic, createClient } from '../support/oauth.js';

const detail = 'Too many credentials from this address were not valid; try again later.';

let server: AdministeredServer;

const start = async (environment: Readonly<Record<string, string>> = {}): Promise<void> => {
  server = await startAdministered({ RATE_LIMIT: 'on', TRUST_PROXY: 'loopback', ...environment });
  fakeClock(Date.now());
};

afterEach(async () => {
  jest.restoreAllMocks();
  jest.useRealTimers();
  await server.close();
});

/** Sends a request as a client at an address. */
const from = (address: string, token: string | null = server.scim.token) =>
  server.scim.get('/Users', { token, headers: { 'X-Forwarded-For': address } });

/** Guesses as often as that. @returns the statuses, each once, in order */
async function guess(address: string, times: number): Promise<number[]> {
  const found = new Set<number>();
  for (let at = 0; at < times; at++) found.add((await from(address, `guess-${at}`)).status);
  return [...found];
}

describe('guessing tokens', () => {
  it('is 401 and then 429 with Retry-After, without that they are looked up', async () => {
    await start();
    expect(await guess('203.0.113.1', 20)).toEqual([401]);
    const lookUp = jest.spyOn(server.app.get(TokenAuthentication), 'authenticate');
    const answer = await from('203.0.113.1', 'one-more');
    expect([answer.status, answer.headers.get('Retry-After'), answer.body]).toEqual([
      429,
      '3',
      scimError(429, undefined, detail),
    ]);
    expect(lookUp).not.toHaveBeenCalled();
  });

  it('is slow from then on: one in three seconds', async () => {
    await start();
    await guess('203.0.113.1', 25);
    jest.setSystemTime(Date.now() + 3_000);
    expect([(await from('203.0.113.1', 'a')).status, (await from('203.0.113.1', 'b')).status]).toEqual([401, 429]);
  });

  it('stops nobody at another address', async () => {
    await start();
    await guess('203.0.113.1', 25);
    expect((await from('203.0.113.2', 'wrong')).status).toBe(401);
    expect((await from('203.0.113.2')).status).toBe(200);
  });

  it('is not forgiven for a good token in between', async () => {
    await start();
    await guess('203.0.113.1', 19);
    expect((await from('203.0.113.1')).status).toBe(200);
    expect(await guess('203.0.113.1', 2)).toEqual([401, 429]);
  });

  it('stops a token that is good, unless it was good here before', async () => {
    await start();
    const fresh = (await server.addTenant('fresh')).token;
    expect((await from('198.51.100.1')).status).toBe(200);
    await guess('203.0.113.1', 25);
    // Whoever shares an address with a guesser, as behind a proxy, goes on; also when the token has to be looked up again.
    jest.setSystemTime(Date.now() + 10);
    expect((await from('203.0.113.1')).status).toBe(200);
    server.app.get(TokenAuthentication).forgetAll();
    expect((await from('203.0.113.1')).status).toBe(200);
    expect((await from('203.0.113.1', fresh)).status).toBe(429);
    expect((await from('198.51.100.1', fresh)).status).toBe(200);
  });

  it('is also what sending other credentials is, and sending none is not', async () => {
    await start();
    for (let at = 0; at < 30; at++) expect((await from('203.0.113.1', null)).status).toBe(401);
    for (let at = 0; at < 20; at++)
      await server.scim.get('/Users', {
        token: null,
        headers: {
          'X-Forwarded-For': '203.0.113.1',
          Authorization: 'Basic YWRtaW46YWRtaW4=',
        },
      });
    expect((await from('203.0.113.1', 'x')).status).toBe(429);
    expect((await from('203.0.113.1', null)).status).toBe(401);
  });

  it('is one from a whole IPv6 network, for it is one customer’s', async () => {
    await start();
    for (let at = 0; at < 20; at++) await from(`2001:db8:1:2::${at.toString(16)}`, 'x');
    expect((await from('2001:db8:1:2:ffff::1', 'x')).status).toBe(429);
    expect((await from('2001:db8:1:3::1', 'x')).status).toBe(401);
  });

  it("stops guesses of the operators' token", async () => {
    await start();
    const headers = { 'X-Forwarded-For': '203.0.113.1' };
    const ask = (token: string) => server.admin.get('/tenants', { token, headers });
    for (let at = 0; at < 20; at++) expect((await ask(`guess-${at}`)).status).toBe(401);
    expect([(await ask('x')).status, (await from('203.0.113.1', 'x')).status]).toEqual([429, 429]);
    expect((await server.admin.get('/tenants')).status).toBe(200);
  });

  it("stops guesses of clients' secrets at the token endpoint (RFC 6749 section 2.3.1)", async () => {
    await start();
    const client = await createClient(server);
    const ask = (secret: string, address = '203.0.113.1') =>
      askForToken(
        server,
        { grant_type: 'client_credentials' },
        { Authorization: basic(client.id, secret), 'X-Forwarded-For': address },
      );
    for (let at = 0; at < 20; at++) expect((await ask(`guess-${at}`)).status).toBe(401);
    const answer = await ask(client.secret);
    expect([answer.status, answer.headers.get('Retry-After'), answer.body]).toEqual([
      429,
      '3',
      { error: 'temporarily_unavailable', error_description: detail },
    ]);
    expect((await ask(client.secret, '203.0.113.2')).status).toBe(200);
  });

  it('may happen as often as the configuration says', async () => {
    await start({ FAILED_AUTHENTICATIONS_PER_MINUTE: '2' });
    expect(await guess('203.0.113.1', 2)).toEqual([401]);
    expect((await from('203.0.113.1', 'x')).headers.get('Retry-After')).toBe('30');
  });

  it('is not counted with RATE_LIMIT=off', async () => {
    await start({ RATE_LIMIT: 'off' });
    expect(await guess('203.0.113.1', 30)).toEqual([401]);
  });
});

describe('X-Forwarded-For', () => {
  it('is nobody’s word unless a proxy is trusted', async () => {
    server = await startAdministered({ RATE_LIMIT: 'on' });
    for (let at = 0; at < 20; at++) await from(`203.0.113.${at}`, 'x');
    expect((await from('203.0.113.99', 'x')).status).toBe(429);
  });

  it('counts as far as proxies are trusted: who stands before them could write anything', async () => {
    await start({ TRUST_PROXY: '1' });
    for (let at = 0; at < 20; at++) await from(`10.0.0.${at}, 203.0.113.1`, 'x');
    expect((await from('10.0.0.99, 203.0.113.1', 'x')).status).toBe(429);
    expect((await from('10.0.0.99, 203.0.113.2', 'x')).status).toBe(401);
  });
});
