import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Socket } from 'node:net';
import { GroupsService } from '../../src/groups/groups.service.js';
import { TenantLimits } from '../../src/limits/tenant-limits.js';
import { UsersService } from '../../src/users/users.service.js';
import { startServer, type TestServer } from '../support/server.js';
import { hangUp } from '../support/hang-up.js';
import { inconsistencies } from '../support/consistency.js';
import { whileNeighbourReads } from '../support/neighbour.js';
import { head, open, readAll } from '../support/raw-http.js';
import { until } from '../support/until.js';

const schemas = ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'];
const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
const user = (userName: string) => ({ method: 'POST', path: '/Users', bulkId: userName, data: { userName } });
const group = (bulkId: string, ...members: string[]) => ({
  method: 'POST',
  path: '/Groups',
  bulkId,
  data: { displayName: bulkId, members: members.map((member) => ({ value: `bulkId:${member}` })) },
});

let server: TestServer;
const running = (): number => server.app.get(TenantLimits).running;
const isFree = (): Promise<void> => until(() => Promise.resolve(running() === 0));

/** Sends a bulk request over a connection of its own. @param rest sends the body later */
function send(Operations: readonly object[], token = server.scim.token): { socket: Socket; rest: () => void } {
  const body = JSON.stringify({ schemas, Operations });
  const lines = [
    `Authorization: Bearer ${token}`,
    'Content-Type: application/scim+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  const socket = open(server.origin);
  socket.on('error', () => undefined);
  socket.write(head('POST', '/scim/v2/Bulk', ...lines));
  return { socket, rest: () => void socket.write(body) };
}

/** Holds the creation of the nth group until it is released. */
function holdCreation(nth: number) {
  const groups = server.app.get(GroupsService);
  const create = groups.create.bind(groups);
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const spy = jest.spyOn(groups, 'create').mockImplementation(async (...given) => {
    if (spy.mock.calls.length === nth) await held;
    return create(...given);
  });
  return {
    reached: () => until(() => Promise.resolve(spy.mock.calls.length >= nth)),
    release: () => release(),
    calls: () => spy.mock.calls.length,
  };
}

describe('a bulk request', () => {
  beforeAll(async () => {
    server = await startServer({ RATE_LIMIT: 'on', REQUESTS_PER_SECOND: '100000' });
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  afterAll(() => server.close());

  const count = async (): Promise<number> => {
    const [row] = await server.dataSource.query<{ n: string }[]>(
      `SELECT count(*) AS n FROM users WHERE user_name LIKE 'left%'`,
    );
    return Number(row?.n);
  };

  it('ends with its client, its place is given back then, and a neighbour notices nothing', async () => {
    const neighbour = await server.addTenant('quiet');
    const { body } = await neighbour.post('/Users', { userName: 'quiet' });
    const watched = await whileNeighbourReads(neighbour, `/Users/${body.id}`, async () => {
      const sent = range(4).map((at) => send(range(500).map((nth) => user(`left-${at}-${nth}`))));
      for (const { rest } of sent) rest();
      await until(async () => (await count()) >= 20);
      const made = await count();
      for (const { socket } of sent) socket.resetAndDestroy();
      // Of these four: the neighbour has one at a time.
      await until(() => Promise.resolve(running() <= 1));
      return (await count()) - made;
    });
    expect(watched.failures).toEqual([]);
    expect(watched.result).toBeLessThan(100);
    const made = await count();
    await isFree();
    expect(await count()).toBe(made);
    expect(await inconsistencies((sql) => server.dataSource.query(sql))).toEqual([]);
  });

  it.each([
    ['takes back what waits for a resource that is not created any more', 1, [], ['create', 'delete']],
    ['closes a circle whose resources are all there', 2, ['b', 'a'], ['create', 'create', 'patch']],
  ])('whose client hangs up %s', async (_, nth, left, events) => {
    const tenant = await server.addTenant(`circle-${nth}`);
    const held = holdCreation(nth);
    const { socket, rest } = send([group('a', 'b'), group('b', 'a'), group('c')], tenant.token);
    rest();
    await held.reached();
    await hangUp(server, socket);
    expect(running()).toBe(1);
    held.release();
    await isFree();
    expect(held.calls()).toBe(nth);
    jest.restoreAllMocks();
    const { body } = await tenant.list('/Groups');
    expect(body.Resources.map(({ displayName }) => displayName)).toEqual(left);
    expect(body.Resources.every(({ members }) => (members as unknown[]).length === 1)).toBe(true);
    const written = await server.dataSource.query<{ operation: string }[]>(
      `SELECT operation FROM audit_events WHERE tenant_id = (SELECT id FROM tenants WHERE name = $1)
         AND resource_type = 'Group' ORDER BY id`,
      [`circle-${nth}`],
    );
    expect(written.map(({ operation }) => operation)).toEqual(events);
    expect(await inconsistencies((sql) => server.dataSource.query(sql))).toEqual([]);
  });

  it('that takes too long fails its other operations, each with 503 (RFC 7644 section 3.7.3)', async () => {
    const users = server.app.get(UsersService);
    const create = users.create.bind(users);
    const now = performance.now.bind(performance);
    let passed = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now() + passed);
    const spy = jest.spyOn(users, 'create').mockImplementation((...given) => {
      if (spy.mock.calls.length === 2) passed = 55_000;
      return create(...given);
    });
    const Operations = [user('soon-1'), user('soon-2'), group('late-1', 'soon-1'), user('late-2')];
    const { body } = await server.scim.post<{ Operations: { status: string; response?: { detail: string } }[] }>(
      '/Bulk',
      { schemas, Operations },
    );
    expect(body.Operations.map(({ status }) => status)).toEqual(['201', '201', '503', '503']);
    expect(body.Operations[3]?.response?.detail).toBe(
      'The bulk request took longer than 55 s before this operation; send the operation again.',
    );
  });

  it('lets others have their turn between operations, also where each fails at once', async () => {
    const Operations = range(1_000).map(() => ({ method: 'POST', path: '/Nothing', bulkId: `${Math.random()}` }));
    const answer = server.scim.post('/Bulk', { schemas, Operations });
    await until(() => Promise.resolve(running() === 1));
    let turns = 0;
    await until(() => Promise.resolve(running() === 0 || ++turns > 500));
    expect(turns).toBeGreaterThan(500);
    expect((await answer).status).toBe(200);
  });
});

describe('operations of bulk requests', () => {
  beforeAll(async () => {
    server = await startServer({ RATE_LIMIT: 'on', REQUESTS_PER_SECOND: '10' });
  });
  afterAll(() => server.close());

  const deletes = (length: number) => range(length).map(() => ({ method: 'DELETE', path: '/Users/none' }));

  it('are charged before they run, so that requests at the same time cannot spend what is not there', async () => {
    const { token } = await server.addTenant('at-once');
    const sent = range(4).map(() => send(deletes(300), token));
    // All are admitted before the first has said how much it wants.
    await until(() => Promise.resolve(running() === 4));
    for (const { rest } of sent) rest();
    const answers = await Promise.all(sent.map(({ socket }) => readAll(socket)));
    expect(answers.map((text) => text.slice(9, 12)).sort()).toEqual(['200', '429', '429', '429']);
    expect(answers.filter((text) => /\r\nRetry-After: \d+\r\n/.test(text))).toHaveLength(3);
  });

  it('that were not begun when the client hung up are given back', async () => {
    const tenant = await server.addTenant('gives-back');
    const held = holdCreation(1);
    const { socket, rest } = send([group('first'), ...deletes(500)], tenant.token);
    rest();
    await held.reached();
    expect((await tenant.get('/Users')).status).toBe(429);
    await hangUp(server, socket);
    held.release();
    await isFree();
    jest.restoreAllMocks();
    expect((await tenant.get('/Users')).status).toBe(200);
  });
});
