import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Socket } from 'node:net';
import { TokenAuthentication } from '../../src/auth/token-authentication.js';
import { TokensService } from '../../src/auth/tokens.service.js';
import { FailedAuthentications } from '../../src/limits/failed-authentications.js';
import { OAuthClients } from '../../src/oauth/oauth-clients.service.js';
import { TenantsService } from '../../src/tenants/tenants.service.js';
import { startAdministered, type AdministeredServer } from '../support/admin.js';
import { fakeClock } from '../support/clock.js';
import { scimError } from '../support/errors.js';
import { whileNeighbourReads } from '../support/neighbour.js';
import { askForToken, basic, createClient } from '../support/oauth.js';
import { author } from '../support/server.js';

let server: AdministeredServer;

const start = async (environment: Readonly<Record<string, string>> = {}): Promise<void> => {
  server = await startAdministered({
    RATE_LIMIT: 'on',
    TRUST_PROXY: 'loopback',
    CONCURRENT_REQUESTS: '10000',
    REQUESTS_PER_SECOND: '10000',
    ...environment,
  });
  // No failure is forgiven while a test runs, however long it takes.
  fakeClock(Date.now());
};

afterEach(async () => {
  jest.restoreAllMocks();
  jest.useRealTimers();
  await server.close();
});

const times = <T>(count: number, make: (at: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, at) => make(at)));
const at = (address: string) => ({ headers: { 'X-Forwarded-For': address } });
const statuses = (answers: readonly { readonly status: number }[], status: number): number =>
  answers.filter((answer) => answer.status === status).length;

/** Sends a request with a token as a client at an address. */
const from = (address: string, token = server.scim.token) =>
  server.scim.get('/Users?count=0', { token, ...at(address) });

/** Counts a method's calls, and how many of them ran at the same time. */
function watch(object: TokenAuthentication): { calls: number; most: number } {
  const watched = { calls: 0, most: 0, running: 0 };
  const original = object.authenticate.bind(object);
  jest.spyOn(object, 'authenticate').mockImplementation(async (secret) => {
    watched.calls += 1;
    watched.most = Math.max(watched.most, ++watched.running);
    try {
      return await original(secret);
    } finally {
      watched.running -= 1;
    }
  });
  return watched;
}

/** Lets a source fail, without a request for each. */
const fail = (address: string): Promise<unknown> =>
  server.app
    .get(FailedAuthentications)
    .lookUp(
      { ip: address, socket: { destroyed: false } as Socket } as Parameters<FailedAuthentications['lookUp']>[0],
      `guess from ${address}`,
      () => Promise.resolve(undefined),
    );

describe('guesses at the same time', () => {
  it('are no more look-ups than one after the other, and stop nobody else', async () => {
    await start();
    const neighbour = await server.addTenant('neighbour');
    const { body: user } = await neighbour.post<{ id: string }>('/Users', { userName: 'ann' });
    const lookUps = watch(server.app.get(TokenAuthentication));
    const { result, failures } = await whileNeighbourReads(neighbour, `/Users/${user.id}`, () =>
      times(300, (index) => from('203.0.113.1', `guess-${index}`)),
    );
    expect([statuses(result, 401), statuses(result, 429), failures]).toEqual([20, 280, []]);
    expect(lookUps.calls).toBeLessThanOrEqual(21);
    const refused = result.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get('Retry-After'))).toBeGreaterThan(0);
    const detail = 'Too many credentials from this address were not valid; try again later.';
    expect(refused?.body).toEqual(scimError(429, undefined, detail));
  });

  it('are bounded by /48 network, too: five times what a /64 may', async () => {
    await start();
    const answers = await times(300, (index) => from(`2001:db8:1:${index.toString(16)}::1`, `guess-${index}`));
    expect([statuses(answers, 401), statuses(answers, 429)]).toEqual([100, 200]);
    expect((await from('2001:db8:2::1', 'x')).status).toBe(401);
  });

  it("are bounded for the operators' token", async () => {
    await start();
    const answers = await times(60, (index) =>
      server.admin.get('/tenants', { token: `guess-${index}`, ...at('203.0.113.1') }),
    );
    expect([statuses(answers, 401), statuses(answers, 429)]).toEqual([20, 40]);
    expect((await server.admin.get('/tenants')).status).toBe(200);
  });

  it("are bounded for clients' secrets", async () => {
    await start();
    const client = await createClient(server);
    const lookUps = jest.spyOn(server.app.get(OAuthClients), 'authenticate');
    const answers = await times(60, (index) =>
      askForToken(
        server,
        { grant_type: 'client_credentials' },
        { Authorization: basic(client.id, `guess-${index}`), 'X-Forwarded-For': '203.0.113.1' },
      ),
    );
    expect([statuses(answers, 401), statuses(answers, 429)]).toEqual([20, 40]);
    expect(lookUps).toHaveBeenCalledTimes(20);
  });
});

describe('many sources', () => {
  it('do not set a blocked one free, however many fail after it', async () => {
    await start();
    expect(statuses(await times(30, (index) => from('203.0.113.1', `guess-${index}`)), 401)).toBe(20);
    for (let index = 0; index < 12_000; index++) await fail(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);
    expect((await from('203.0.113.1', 'one-more')).status).toBe(429);
  });

  it('have a bound together, beyond which a source that has not failed is looked up still', async () => {
    await start({ FAILED_AUTHENTICATIONS_PER_MINUTE: '2' });
    for (let index = 0; index < 100; index++) await fail(`10.0.0.${index}`);
    // It may have one failure more by its own count, and not by that of all.
    await expect(fail('10.0.0.1')).rejects.toMatchObject({ row: 'tooManyRequests' });
    const fresh = await server.addTenant('fresh');
    expect((await from('203.0.113.9', fresh.token)).status).toBe(200);
  });
});

describe('a restart behind a proxy', () => {
  it('lets 200 clients in that come at once, few at a time and each of them', async () => {
    await start();
    const tenant = await server.app.get(TenantsService).ensureDefault(author);
    const tokens: string[] = [];
    for (let index = 0; index < 200; index++) {
      tokens.push((await server.app.get(TokensService).issue(author, tenant, { name: `client ${index}` })).secret);
    }
    const lookUps = watch(server.app.get(TokenAuthentication));
    const answers = await times(tokens.length, (index) => from('198.51.100.1', tokens[index]));
    expect([statuses(answers, 200), lookUps.calls]).toEqual([200, 200]);
    expect(lookUps.most).toBeLessThanOrEqual(20);
  });

  it('goes on letting clients in while somebody guesses beside them, whose credentials were good before', async () => {
    await start();
    const other = await server.addTenant('other');
    expect((await from('198.51.100.1', other.token)).status).toBe(200);
    server.app.get(TokenAuthentication).forgetAll();
    const [guesses, good] = await Promise.all([
      times(100, (index) => from('198.51.100.1', `guess-${index}`)),
      times(20, () => from('198.51.100.1', other.token)),
    ]);
    expect([statuses(guesses, 401), statuses(good, 200)]).toEqual([20, 20]);
  });

  it('stops a credential that was good and is no more, as any other', async () => {
    await start({ FAILED_AUTHENTICATIONS_PER_MINUTE: '2' });
    const tenant = await server.app.get(TenantsService).ensureDefault(author);
    const tokens = server.app.get(TokensService);
    const { secret, token } = await tokens.issue(author, tenant, { name: 'leaver' });
    expect((await from('198.51.100.1', secret)).status).toBe(200);
    await tokens.revoke(author, tenant, token.id);
    const answers = [];
    for (let index = 0; index < 4; index++) answers.push((await from('198.51.100.1', secret)).status);
    expect(answers).toEqual([401, 401, 429, 429]);
  });
});
