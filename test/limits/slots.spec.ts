import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { TenantLimits } from '../../src/limits/tenant-limits.js';
import { UsersService } from '../../src/users/users.service.js';
import { startAdministered, type AdministeredServer } from '../support/admin.js';
import { hangUp } from '../support/hang-up.js';
import { holdReads } from '../support/held-reads.js';
import { askForToken, createClient } from '../support/oauth.js';
import { head, open, readAll } from '../support/raw-http.js';
import { until } from '../support/until.js';

let server: AdministeredServer;

const start = async (concurrent = '1'): Promise<void> => {
  server = await startAdministered({
    RATE_LIMIT: 'on',
    REQUESTS_PER_SECOND: '100000',
    CONCURRENT_REQUESTS: concurrent,
  });
};

afterEach(async () => {
  jest.restoreAllMocks();
  await server.close();
});

const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
const running = (): number => server.app.get(TenantLimits).running;
const isFree = (): Promise<void> => until(() => Promise.resolve(running() === 0));
const status = async (path = '/Users?count=0'): Promise<number> => (await server.scim.get(path)).status;

/** Sends a request without a body over a connection of its own. */
function send(method: string, path: string): Socket {
  const socket = open(server.origin);
  socket.on('error', () => undefined);
  socket.write(head(method, `/scim/v2${path}`, `Authorization: Bearer ${server.scim.token}`));
  return socket;
}

describe('the place of a request', () => {
  it('is kept for its work when its client has hung up', async () => {
    await start();
    const { release, reached } = holdReads(server);
    const socket = send('GET', '/Users/a');
    await reached(1);
    expect(await status()).toBe(429);
    await hangUp(server, socket);
    expect([await status(), running()]).toEqual([429, 1]);
    release();
    await isFree();
    expect(await status()).toBe(200);
  });

  it('is given back for pipelined requests, too, when their connection breaks before they have it', async () => {
    await start('10');
    const { release, reached } = holdReads(server);
    const request = head('GET', '/scim/v2/Users/a', `Authorization: Bearer ${server.scim.token}`);
    const socket = open(server.origin);
    socket.on('error', () => undefined);
    socket.write(request.replace('Connection: close', 'Connection: keep-alive').repeat(5));
    await reached(5);
    expect(running()).toBe(5);
    await hangUp(server, socket);
    release();
    await isFree();
    expect(server.app.get(TenantLimits).bytes.held).toBe(0);
  });

  it('is given back when work for nobody fails', async () => {
    await start();
    let fail = (): void => undefined;
    const failed = new Promise<never>((_, reject) => (fail = () => reject(new Error('failed'))));
    const read = jest.spyOn(server.app.get(UsersService), 'read').mockReturnValue(failed);
    const socket = send('GET', '/Users/a');
    await until(() => Promise.resolve(read.mock.calls.length === 1));
    await hangUp(server, socket);
    expect(running()).toBe(1);
    fail();
    await isFree();
  });

  it('is given back after errors, refusals of the guard, unknown routes and answers without a body', async () => {
    await start();
    const reader = await server.admin.post<{ secret: string }>('/tenants/default/tokens', {
      name: 'reader',
      scopes: ['read'],
    });
    const token = reader.body.secret;
    jest.spyOn(server.app.get(UsersService), 'read').mockImplementationOnce(() => {
      throw new Error('unexpected');
    });
    const elsewhere = `${server.origin}/tenants/other/scim/v2/Users`;
    const asked = [
      () => server.scim.get('/Users/a'),
      () => server.scim.get('/Users/a'),
      () => server.scim.get('/Users?filter=nonsense'),
      () => server.scim.post('/Users', { userName: 'x' }, { token }),
      () => server.scim.get(elsewhere),
      () => server.scim.get('/Nothing'),
      () => server.scim.send('OPTIONS', '/Users', undefined),
      () => server.scim.send('HEAD', '/Users', undefined),
      () => server.scim.send('POST', '/Users', '{'),
    ];
    const answered: number[] = [];
    for (const ask of asked) {
      answered.push((await ask()).status);
      await isFree();
    }
    expect(answered).toEqual([500, 404, 400, 403, 404, 404, 204, 200, 400]);
  });

  it('is one of the token endpoint, too', async () => {
    await start();
    const { id, secret } = await createClient(server);
    const asked = { grant_type: 'client_credentials', client_id: id, client_secret: secret };
    for (const [form, expected] of [
      [asked, 200],
      [{ ...asked, scope: 'nothing' }, 400],
      [asked, 200],
    ] as const) {
      expect((await askForToken(server, form)).status).toBe(expected);
      await isFree();
    }
  });

  it('is kept while an answer is sent in parts, and given back at its end or its client’s', async () => {
    await start('2');
    const tenant = await server.admin.get<{ id: string }>('/tenants/default');
    const group = await server.scim.post('/Groups', { displayName: 'large' });
    await server.dataSource.query(
      `WITH made AS (
         INSERT INTO users (tenant_id, id, version, user_name, user_name_key, display, display_key, document, folded, created_at, last_modified_at)
         SELECT $1, gen_random_uuid(), 1, 'u' || n, 'u' || n, repeat('x', 1000), 'x', '{}', '{}', now(), now()
         FROM generate_series(1, 6000) n RETURNING id)
       INSERT INTO group_members (tenant_id, group_id, member_id, member_type) SELECT $1, $2, id, 'User' FROM made`,
      [tenant.body.id, group.body.id],
    );
    const path = `/Groups/${group.body.id}`;
    const paused = send('GET', path);
    await once(paused, 'readable');
    expect(running()).toBe(1);
    paused.resetAndDestroy();
    await isFree();
    const whole = await readAll(send('GET', path));
    expect(whole.endsWith('}\r\n0\r\n\r\n')).toBe(true);
    await isFree();
  });
});

describe('requests of all tenants at the same time', () => {
  it('have a bound, of which the last quarter is for tenants that have few running', async () => {
    await start('4');
    const tenants = await Promise.all(range(9).map((at) => server.addTenant(`t-${at}`)));
    const { release, reached } = holdReads(server);
    const busy: Promise<{ status: number }>[] = [];
    for (const tenant of tenants.slice(0, 7)) busy.push(...range(4).map(() => tenant.get('/Users/a')));
    await reached(28);
    const [last, quiet] = tenants.slice(7);
    busy.push(...range(2).map(() => last?.get('/Users/a') ?? Promise.reject(new Error())));
    await reached(30);
    const refused = await last?.get('/Users');
    expect([refused?.status, refused?.headers.get('Retry-After')]).toEqual([503, '1']);
    expect((await quiet?.get('/Users'))?.status).toBe(200);
    release();
    expect((await Promise.all(busy)).map(({ status }) => status)).toEqual(range(30).map(() => 404));
    await isFree();
  });
});
