import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type pg from 'pg';
import { readConfig } from '../../src/config.js';
import { LookUps } from '../../src/persistence/look-ups.js';
import type { Resource } from '../support/client.js';
import { describeWith } from '../support/programs.js';
import { startServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

jest.setTimeout(60_000);

let server: TestServer;
let users: Resource[];
beforeAll(async () => {
  server = await startServer();
  users = [];
  for (let number = 0; number < 50; number++) {
    users.push((await server.scim.post('/Users', { userName: `user.${number}` })).body);
  }
});
afterAll(() => server.close());

const read = (user: Resource) => server.scim.get(`/Users/${user.id}`);
const find = (user: Resource) => server.scim.list(`/Users?filter=userName%20eq%20%22${user['userName'] as string}%22`);

describe('Look-ups that come at once', () => {
  it('are each answered with what they asked for, and failures are of those who caused them', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }).flatMap(() =>
        users.map(async (user) => {
          const [one, missing, found] = await Promise.all([
            read(user),
            server.scim.get('/Users/00000000-0000-7000-8000-000000000000'),
            find(user),
          ]);
          return [one.body, missing.status, found.body.Resources];
        }),
      ),
    );
    expect(answers).toEqual(Array.from({ length: 8 }).flatMap(() => users.map((user) => [user, 404, [user]])));
  });

  it('see what was written before them', async () => {
    for (const user of users.slice(0, 10)) {
      const change = { op: 'replace', value: { nickName: `${user.id} nick` } };
      expect((await server.scim.operations(`/Users/${user.id}`, [change])).status).toBe(200);
      expect((await read(user)).body['nickName']).toBe(`${user.id} nick`);
      expect((await find(user)).body.Resources?.[0]?.['nickName']).toBe(`${user.id} nick`);
    }
  });
});

describeWith([], 'The connection of look-ups', () => {
  const process = async (): Promise<number> => {
    const lookUps = server.app.get(LookUps);
    if (!lookUps.ownPool) throw new Error('Look-ups have no connection of their own');
    const [row] = await lookUps.run<{ pid: number }>(lookUps.ownPool, { text: 'SELECT pg_backend_pid() AS pid' });
    return row?.pid ?? 0;
  };

  it('is one for all of them', async () => {
    const before = await process();
    await Promise.all(users.map(read));
    expect(await process()).toBe(before);
  });

  it('is another after it broke: those on their way are asked to try again, and nothing restarts', async () => {
    const before = await process();
    const answers = users.map(read);
    await server.dataSource.query('SELECT pg_terminate_backend($1)', [before]);
    for (const { status } of await Promise.all(answers)) expect([200, 503]).toContain(status);
    await until(async () => (await read(users[0] as Resource)).status === 200);
    expect(await process()).not.toBe(before);
  });

  it('may break while the server ends, which is no concern of anybody', async () => {
    const lookUps = new LookUps(server.dataSource, readConfig({}));
    const [pool, clients] = [lookUps.ownPool, [] as pg.PoolClient[]];
    if (!pool) throw new Error('Look-ups have no connection of their own');
    pool.on('acquire', (client) => clients.push(client));
    expect(await lookUps.run(pool, { text: 'SELECT 1 AS one' })).toEqual([{ one: 1 }]);
    await lookUps.onApplicationShutdown();
    expect(clients.map((client) => client.emit('error', new Error('terminated by an administrator')))).toEqual([true]);
  });

  it('is given up where all of them wait too long, which is answered with when to try again', async () => {
    const runner = server.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query('LOCK TABLE users IN ACCESS EXCLUSIVE MODE');
    const answers = await Promise.all(users.map(read));
    await runner.rollbackTransaction();
    await runner.release();
    for (const { status, headers, body } of answers) {
      const retryAfter = status === 429 ? '2' : '5';
      expect([headers.get('retry-after'), body['status']]).toEqual([retryAfter, status === 429 ? '429' : '503']);
    }
    const [user] = users;
    await until(async () => (await read(user as Resource)).status === 200);
  });
});
