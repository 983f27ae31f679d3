import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { JsonObject } from '../../src/scim/index.js';
import type { ScimClient } from '../support/client.js';
import { messageUrn } from '../../src/scim/index.js';
import { inconsistencies } from '../support/consistency.js';
import { scimError } from '../support/errors.js';
import { whileNeighbourReads } from '../support/neighbour.js';
import { inParallel, startReplicas, type Replicas } from '../support/replicas.js';

jest.setTimeout(120_000);

let replicas: Replicas;
beforeAll(async () => {
  replicas = await startReplicas();
});
afterAll(() => replicas.close());

const settings = async (tenant: string, chosen: JsonObject): Promise<void> => {
  const { status } = await replicas.admin.patch(`/tenants/${tenant}/settings`, chosen);
  expect(status).toBe(200);
};

/** A tenant with settings that every server has seen: a client for each. */
async function tenantWith(name: string, chosen: JsonObject): Promise<readonly ScimClient[]> {
  await replicas.admin.post('/tenants', { name, settings: chosen });
  return replicas.addTenant(name);
}

const each = (clients: readonly ScimClient[], index: number): ScimClient =>
  clients[index % clients.length] as ScimClient;

const total = async ([client]: readonly ScimClient[], path: string): Promise<unknown> =>
  (await client?.list(`${path}?count=0`))?.body.totalResults;

describe('a limit on resources', () => {
  it.each([
    ['/Users', 'maxUsers', 'users', (index: number): JsonObject => ({ userName: `user-${index}` })],
    ['/Groups', 'maxGroups', 'groups', (index: number): JsonObject => ({ displayName: `group-${index}` })],
  ])('is exact when many create %s at once, in all processes', async (path, setting, noun, body) => {
    const clients = await tenantWith(noun, { [setting]: 20 });
    const [quiet] = await replicas.addTenant(`quiet-${noun}`);
    const { body: user } = await (quiet as ScimClient).post('/Users', { userName: 'quiet' });
    const tasks = Array.from({ length: 50 }, (_, index) => () => each(clients, index).post(path, body(index)));
    const { result, failures } = await whileNeighbourReads(quiet as ScimClient, `/Users/${user.id}`, () =>
      inParallel(50, tasks),
    );
    expect(failures).toEqual([]);
    const refused = result.filter(({ status }) => status === 403);
    expect(result.filter(({ status }) => status === 201)).toHaveLength(20);
    expect(refused).toHaveLength(30);
    expect(refused[0]?.body).toEqual(
      scimError(
        403,
        undefined,
        `This tenant has 20 ${noun} and may have 20; delete some, or ask the operator to raise its ${setting}.`,
      ),
    );
    expect(await total(clients, path)).toBe(20);
    const [client] = clients as [ScimClient];
    const { Resources } = (await client.list(`${path}?count=1`)).body;
    expect((await client.delete(`${path}/${Resources[0]?.id}`)).status).toBe(204);
    const again = await inParallel(
      5,
      Array.from({ length: 5 }, (_, index) => () => each(clients, index).post(path, body(100 + index))),
    );
    expect(again.map(({ status }) => status).sort()).toEqual([201, 403, 403, 403, 403]);
    expect(await inconsistencies((sql) => replicas.dataSource.query(sql))).toEqual([]);
  });

  it('is exact where a tenant comes to it from afar', async () => {
    const [{ most } = { most: '' }] = await replicas.dataSource.query<{ most: string }[]>(
      `SELECT current_setting('max_connections') AS most`,
    );
    const limit = Number(most) + 30;
    const clients = await tenantWith('far', { maxUsers: limit });
    const tasks = Array.from(
      { length: limit + 20 },
      (_, index) => () => each(clients, index).post('/Users', { userName: `user-${index}` }),
    );
    const answers = await inParallel(50, tasks);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(limit);
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(20);
    expect(await total(clients, '/Users')).toBe(limit);
  });

  it('counts what a bulk request creates, also many at once', async () => {
    const clients = await tenantWith('bulk', { maxUsers: 10 });
    const bulk = (of: number) => ({
      schemas: [messageUrn.bulkRequest],
      Operations: Array.from({ length: 5 }, (_, index) => ({
        ...{ method: 'POST', path: '/Users', bulkId: String(index) },
        data: { userName: `user-${of}-${index}` },
      })),
    });
    const answers = await inParallel(
      4,
      Array.from({ length: 4 }, (_, index) => () => each(clients, index).post('/Bulk', bulk(index))),
    );
    const statuses = answers.flatMap(({ body }) =>
      (body['Operations'] as unknown as { status: string }[]).map(({ status }) => status),
    );
    expect(statuses.sort()).toEqual([...Array<string>(10).fill('201'), ...Array<string>(10).fill('403')]);
  });

  it('lets everything be done but creation, and removes nothing when it is lowered', async () => {
    const [client] = (await tenantWith('lowered', {})) as [ScimClient];
    const users = await inParallel(
      3,
      ['a', 'b', 'c'].map((userName) => async () => (await client.post('/Users', { userName })).body),
    );
    const [first, second] = users.map(({ id }) => `/Users/${id}`) as [string, string];
    await settings('lowered', { maxUsers: 1 });
    const refused = async (): Promise<boolean> => (await client.post('/Users', { userName: 'd' })).status === 403;
    // Another process learns of the setting within seconds.
    while (!(await refused())) await client.delete(`/Users/${(await find(client, 'd')).id}`);
    expect(await total([client], '/Users')).toBe(3);
    const patched = await client.operations(first, [{ op: 'replace', path: 'active', value: false }]);
    expect([patched.status, patched.body['active']]).toEqual([200, false]);
    expect((await client.put(second, { userName: 'b', displayName: 'longer' })).status).toBe(200);
    expect(
      (await client.post('/Groups', { displayName: 'Group', members: [{ value: users[2]?.id ?? '' }] })).status,
    ).toBe(201);
    for (const { id } of users.slice(0, 2)) expect((await client.delete(`/Users/${id}`)).status).toBe(204);
    expect(await refused()).toBe(true);
    expect((await client.delete(`/Users/${users[2]?.id}`)).status).toBe(204);
    expect(await refused()).toBe(false);
  });
});

const find = async (client: ScimClient, userName: string) => {
  const { body } = await client.list(`/Users?filter=${encodeURIComponent(`userName eq "${userName}"`)}`);
  return body.Resources[0] ?? { id: '' };
};
