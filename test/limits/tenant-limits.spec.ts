import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { startAdministered, type AdministeredServer } from '../support/admin.js';
import type { Answer, ScimClient } from '../support/client.js';
import { fakeClock } from '../support/clock.js';
import { scimError } from '../support/errors.js';
import { holdReads } from '../support/held-reads.js';

let server: AdministeredServer;

const start = async (environment: Readonly<Record<string, string>>): Promise<void> => {
  server = await startAdministered({ RATE_LIMIT: 'on', ...environment });
  // Nothing comes back into a bucket unless a test says so.
  fakeClock(Date.now());
};

afterEach(async () => {
  jest.restoreAllMocks();
  jest.useRealTimers();
  await server.close();
});

/** Sends requests one after the other. @returns their answers' statuses */
async function statuses(client: ScimClient, count: number): Promise<number[]> {
  const found: number[] = [];
  for (let at = 0; at < count; at++) found.push((await client.list('/Users?count=0')).status);
  return found;
}

const times = (count: number, status: number): number[] => Array<number>(count).fill(status);

const fields = ({ headers }: Answer<unknown>): unknown[] =>
  ['Retry-After', 'RateLimit-Policy', 'RateLimit'].map((name) => headers.get(name));

describe('requests per second of a tenant', () => {
  it('beyond a burst of two seconds are 429 with Retry-After and a SCIM body (RFC 6585 section 4)', async () => {
    await start({ REQUESTS_PER_SECOND: '5' });
    expect(await statuses(server.scim, 10)).toEqual(times(10, 200));
    const answer = await server.scim.get('/Users');
    expect([answer.status, answer.body]).toEqual([
      429,
      scimError(429, undefined, 'The limit of requests per second, 5, is reached; try again later.'),
    ]);
    // The draft wants both to mean one moment (section 6).
    expect(fields(answer)).toEqual(['1', '"requests";q=10;w=2', '"requests";r=0;t=1']);
    expect(answer.headers.get('Content-Type')).toBe('application/scim+json; charset=utf-8');
  });

  it('are taken again after the time that Retry-After says', async () => {
    await start({ REQUESTS_PER_SECOND: '5' });
    await statuses(server.scim, 10);
    const { headers } = await server.scim.get('/Users');
    jest.setSystemTime(Date.now() + Number(headers.get('Retry-After')) * 1000);
    expect(await statuses(server.scim, 6)).toEqual([...times(5, 200), 429]);
  });

  it('say how many are left once fewer than half are, and nothing before', async () => {
    await start({ REQUESTS_PER_SECOND: '5' });
    const shown: unknown[] = [];
    for (let at = 0; at < 7; at++) shown.push((await server.scim.list('/Users')).headers.get('RateLimit'));
    expect(shown).toEqual([...Array<null>(5).fill(null), '"requests";r=4;t=2', '"requests";r=3;t=2']);
  });

  it('of one tenant are no other tenant’s', async () => {
    await start({ REQUESTS_PER_SECOND: '5' });
    const other = await server.addTenant('other');
    expect(await statuses(server.scim, 12)).toEqual([...times(10, 200), 429, 429]);
    expect(await statuses(other, 10)).toEqual(times(10, 200));
  });

  it('are one number for all its tokens', async () => {
    await start({ REQUESTS_PER_SECOND: '5' });
    const { body } = await server.admin.post<{ secret: string }>('/tenants/default/tokens', { name: 'second' });
    await statuses(server.scim, 6);
    const second = { token: body.secret };
    const answers = [];
    for (let at = 0; at < 5; at++) answers.push((await server.scim.list('/Users', second)).status);
    expect(answers).toEqual([...times(4, 200), 429]);
  });

  it('are what its settings say, at once', async () => {
    await start({ REQUESTS_PER_SECOND: '100' });
    await server.admin.patch('/tenants/default/settings', { requestsPerSecond: 1 });
    expect(await statuses(server.scim, 3)).toEqual([200, 200, 429]);
    await server.admin.patch('/tenants/default/settings', { requestsPerSecond: null });
    jest.setSystemTime(Date.now() + 1_000);
    expect(await statuses(server.scim, 3)).toEqual(times(3, 200));
  });

  it('are well above what Microsoft Entra ID asks for, which is 25', async () => {
    await start({});
    expect(await statuses(server.scim, 400)).toEqual(times(400, 200));
    expect((await server.scim.get('/Users')).status).toBe(429);
  });

  it('count each operation of a bulk request (RFC 7644 section 3.7), which is done, and the next request waits', async () => {
    await start({ REQUESTS_PER_SECOND: '5' });
    const Operations = Array.from({ length: 30 }, () => ({ method: 'DELETE', path: '/Users/none' }));
    const schemas = ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'];
    expect((await server.scim.post('/Bulk', { schemas, Operations })).status).toBe(200);
    const answer = await server.scim.get('/Users');
    expect([answer.status, answer.headers.get('Retry-After')]).toEqual([429, '5']);
  });

  it('count before scopes are looked at, and after credentials', async () => {
    await start({ REQUESTS_PER_SECOND: '1' });
    const { body } = await server.admin.post<{ secret: string }>('/tenants/default/tokens', {
      name: 'reader',
      scopes: ['read'],
    });
    const write = () => server.scim.post('/Users', { userName: 'x' }, { token: body.secret });
    expect([(await write()).status, (await write()).status, (await write()).status]).toEqual([403, 403, 429]);
    expect((await server.scim.get('/Users', { token: null })).status).toBe(401);
  });

  it('do not matter with RATE_LIMIT=off', async () => {
    await start({ RATE_LIMIT: 'off', REQUESTS_PER_SECOND: '1', CONCURRENT_REQUESTS: '1' });
    expect(await statuses(server.scim, 10)).toEqual(times(10, 200));
  });
});

describe('requests of a tenant at the same time', () => {
  it('beyond the most are 429, and no other tenant’s', async () => {
    await start({ CONCURRENT_REQUESTS: '2' });
    const other = await server.addTenant('other');
    const { release, reached } = holdReads(server);
    const running = [server.scim.get('/Users/a'), server.scim.get('/Users/b')];
    await reached(2);
    const refused = await server.scim.get('/Users');
    expect([refused.status, refused.headers.get('Retry-After'), refused.body]).toEqual([
      429,
      '1',
      scimError(429, undefined, 'The limit of requests at the same time, 2, is reached; wait for answers.'),
    ]);
    expect(fields(refused)).toEqual(['1', '"concurrent";q=2;qu="concurrent-requests"', '"concurrent";r=0;t=1']);
    expect((await other.list('/Users')).status).toBe(200);
    release();
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([404, 404]);
    expect((await server.scim.list('/Users')).status).toBe(200);
  });

  it('are what its settings say', async () => {
    await start({});
    await server.admin.patch('/tenants/default/settings', { concurrentRequests: 1 });
    const { release, reached } = holdReads(server);
    const running = server.scim.get('/Users/a');
    await reached(1);
    expect((await server.scim.get('/Users')).status).toBe(429);
    release();
    await running;
  });
});
