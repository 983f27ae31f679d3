import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startAdministered, type AdministeredServer, type AdminTenant } from '../support/admin.js';
import { scimError } from '../support/errors.js';

let server: AdministeredServer;
beforeAll(async () => {
  server = await startAdministered();
});
afterAll(() => server.close());

const create = (name: string) => server.admin.post<AdminTenant>('/tenants', { name });
const read = async (name: string): Promise<AdminTenant> =>
  (await server.admin.get<AdminTenant>(`/tenants/${name}`)).body;

describe('a suspended tenant', () => {
  it('is told to come back later, in every way to ask, and goes on where it was when it is resumed', async () => {
    const client = await server.admin.connect('paused');
    const { body: user } = await client.post('/Users', { userName: 'ann' });
    const suspended = await server.admin.send<AdminTenant>('POST', '/tenants/paused/suspend', undefined);
    expect([suspended.status, suspended.body.state]).toEqual([200, 'suspended']);
    const requests = [
      () => client.get(`/Users/${user.id}`),
      () => client.post('/Users', { userName: 'bob' }),
      () => client.delete(`/Users/${user.id}`),
      () => client.post('/Bulk', { Operations: [{ method: 'DELETE', path: `/Users/${user.id}` }] }),
      () => client.post('/.search', {}),
      () => client.get('/Schemas'),
      () => client.get(`${server.origin}/scim/v2/Users`),
    ];
    for (const request of requests) {
      const { status, headers, body } = await request();
      expect([status, headers.get('retry-after'), body]).toEqual([
        503,
        '300',
        scimError(503, undefined, 'The tenant is suspended; try again later.'),
      ]);
    }
    expect((await read('paused')).state).toBe('suspended');
    expect((await server.scim.list('/Users')).status).toBe(200);
    const resumed = await server.admin.send<AdminTenant>('POST', '/tenants/paused/resume', undefined);
    expect([resumed.status, resumed.body.state]).toEqual([200, 'active']);
    expect((await client.get(`/Users/${user.id}`)).body).toEqual(user);
  });

  it('can be suspended and resumed again, to the same effect', async () => {
    await create('twice');
    for (const [change, state] of [
      ['suspend', 'suspended'],
      ['suspend', 'suspended'],
      ['resume', 'active'],
      ['resume', 'active'],
    ]) {
      const { status, body } = await server.admin.send<AdminTenant>('POST', `/tenants/twice/${change}`, undefined);
      expect([status, body.state]).toEqual([200, state]);
    }
  });

  it('loses no request that was under way while it was suspended and resumed under load', async () => {
    const client = await server.admin.connect('loaded');
    const statuses = new Map<string, number>();
    const writer = async (worker: number): Promise<void> => {
      for (let index = 0; index < 10; index++) {
        const userName = `user-${worker}-${index}`;
        let { status } = await client.post('/Users', { userName });
        // What an identity provider does with a 503.
        while (status === 503) ({ status } = await client.post('/Users', { userName }));
        statuses.set(userName, status);
      }
    };
    const writers = [1, 2, 3, 4].map(writer);
    await server.admin.send('POST', '/tenants/loaded/suspend', undefined);
    await server.admin.send('POST', '/tenants/loaded/resume', undefined);
    await Promise.all(writers);
    expect([...statuses.values()]).toEqual(Array(40).fill(201));
    expect((await client.list('/Users?count=0')).body.totalResults).toBe(40);
  });
});
