import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../src/scim/index.js';
import { ByteMeasurement } from '../../src/tenants/byte-measurement.js';
import { TenantBytes } from '../../src/tenants/tenant-bytes.js';
import { startAdministered, type AdministeredServer, type AdminTenant } from '../support/admin.js';
import type { Answer, ScimClient } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { urn } from '../support/expected.js';
import { eventually } from '../support/audit.js';

let server: AdministeredServer;
beforeAll(async () => {
  server = await startAdministered({ MAX_USERS_PER_TENANT: '2', MAX_GROUPS_PER_TENANT: '1', REQUEST_LOG: 'off' });
});
afterAll(() => server.close());

async function connect(name: string, settings: JsonObject = {}): Promise<{ id: string; scim: ScimClient }> {
  const { body } = await server.admin.post<AdminTenant>('/tenants', { name, settings });
  return { id: body.id, scim: await server.admin.connect(name) };
}

const statuses = async (...answers: Promise<Answer<unknown>>[]): Promise<number[]> =>
  (await Promise.all(answers)).map(({ status }) => status);

/** Bytes of a tenant as this process knows them. */
const bytesOf = (id: string): Promise<number> => server.app.get(TenantBytes).of({ tenant: { id } });

const storedBytes = async (id: string): Promise<number> => {
  await server.app.get(TenantBytes).flush();
  const [row] = await server.dataSource.query<{ bytes: string }[]>(
    'SELECT bytes FROM tenant_bytes WHERE tenant_id = $1',
    [id],
  );
  return Number(row?.bytes ?? 0);
};

const large = (userName: string, size = 60_000): JsonObject => ({
  ...{ schemas: [urn.user], userName },
  addresses: [{ type: 'work', formatted: 'é'.repeat(size / 2) }],
});

describe('the limits of an installation', () => {
  it('are those of tenants that have none of their own', async () => {
    const { scim } = await connect('usual');
    const users = ['a', 'b', 'c'].map((userName) => scim.post('/Users', { userName }));
    expect((await statuses(...users)).sort()).toEqual([201, 201, 403]);
    const groups = ['a', 'b'].map((displayName) => scim.post('/Groups', { displayName }));
    expect((await statuses(...groups)).sort()).toEqual([201, 403]);
  });

  it('are not those of tenants that have', async () => {
    const { scim } = await connect('larger', { maxUsers: 3 });
    const users = ['a', 'b', 'c', 'd'].map((userName) => scim.post('/Users', { userName }));
    expect((await statuses(...users)).sort()).toEqual([201, 201, 201, 403]);
    await server.admin.patch('/tenants/larger/settings', { maxUsers: 4 });
    expect((await scim.post('/Users', { userName: 'e' })).status).toBe(201);
    await server.admin.patch('/tenants/larger/settings', { maxUsers: null });
    expect((await scim.post('/Users', { userName: 'f' })).body).toEqual(
      scimError(403, undefined, expect.stringContaining('has 4 users and may have 2')),
    );
  });

  it('refuse a group whole, with its members', async () => {
    const { scim } = await connect('whole', { maxGroups: 1 });
    const { body: user } = await scim.post('/Users', { userName: 'a' });
    const group = (displayName: string) => scim.post('/Groups', { displayName, members: [{ value: user.id }] });
    expect((await group('a')).status).toBe(201);
    expect((await group('b')).status).toBe(403);
    expect((await scim.get(`/Users/${user.id}`)).body['groups']).toHaveLength(1);
  });
});

describe('a limit on bytes', () => {
  const maxBytes = 1_000_000;

  it('refuses what would take more, and says how much there is', async () => {
    const { scim, id } = await connect('bounded', { maxBytes, maxUsers: 1_000 });
    const answers: Answer<unknown>[] = [];
    do answers.push(await scim.post('/Users', large(`user-${answers.length}`)));
    while (answers.at(-1)?.status === 201);
    expect(answers.at(-1)?.body).toEqual(
      scimError(
        403,
        undefined,
        expect.stringMatching(
          /^This tenant has 0\.9 MB and may have 1\.0; .* ask the operator to raise its maxBytes\.$/,
        ),
      ),
    );
    expect(await bytesOf(id)).toBeLessThanOrEqual(maxBytes);
    expect(answers.length).toBeGreaterThan(4);
  });

  it('is kept by many at once', async () => {
    const { scim, id } = await connect('crowded', { maxBytes, maxUsers: 1_000 });
    await Promise.all(Array.from({ length: 40 }, (_, index) => scim.post('/Users', large(`user-${index}`))));
    const [row] = await server.dataSource.query<{ bytes: string }[]>(
      `SELECT sum(octet_length(document::text)) AS bytes FROM users WHERE tenant_id = $1`,
      [id],
    );
    expect(Number(row?.bytes)).toBeLessThanOrEqual(maxBytes);
  });

  it('lets deactivation, shrinking and deletion pass, which make room', async () => {
    const { scim } = await connect('full', { maxUsers: 1_000 });
    const { body: user } = await scim.post('/Users', large('full'));
    const { body: other } = await scim.post('/Users', { userName: 'other' });
    const { body: group } = await scim.post('/Groups', { displayName: 'Group', members: [{ value: other.id }] });
    await server.admin.patch('/tenants/full/settings', { maxBytes: 100_000 });
    const [path, groupPath] = [`/Users/${user.id}`, `/Groups/${group.id}`];
    const set = (at: string, op: string, value?: unknown): Promise<Answer<unknown>> =>
      scim.operations(path, [{ op, path: at, ...(value === undefined ? {} : { value: value as string }) }]);
    expect(await statuses(scim.post('/Users', { userName: 'more' }), set('nickName', 'add', 'Nick'))).toEqual([
      403, 403,
    ]);
    const members = (op: string, value: string): Promise<Answer<unknown>> =>
      scim.operations(groupPath, [{ op, path: 'members', value: [{ value }] }]);
    expect((await members('add', user.id)).status).toBe(403);
    expect((await scim.put(groupPath, { displayName: 'Group', members: [{ value: other.id }] })).status).toBe(200);
    expect((await members('remove', other.id)).status).toBe(204);
    expect((await set('active', 'replace', false)).status).toBe(200);
    expect((await scim.get(path)).body['active']).toBe(false);
    expect((await set('addresses', 'remove')).status).toBe(200);
    expect((await scim.delete(path)).status).toBe(204);
    await server.admin.patch('/tenants/full/settings', { maxBytes: 300_000 });
    expect((await scim.post('/Users', { userName: 'more' })).status).toBe(201);
  });

  it('counts neither what is refused nor what fails', async () => {
    const { scim, id } = await connect('failing', { maxUsers: 1_000, maxBytes: 10_000_000 });
    await scim.post('/Users', large('taken'));
    const before = await bytesOf(id);
    expect((await scim.post('/Users', large('taken'))).status).toBe(409);
    expect(await bytesOf(id)).toBe(before);
  });

  it('is of rows as they are: counted while they are written, and measured now and then', async () => {
    const { scim, id } = await connect('measured', { maxUsers: 1_000 });
    for (let index = 0; index < 3; index++) await scim.post('/Users', large(`user-${index}`));
    const counted = await storedBytes(id);
    expect(counted).toBeGreaterThan(3 * 3 * 60_000);
    // Each measurement is later than the one before it.
    const measurement = server.app.get(ByteMeasurement);
    const day = 24 * 3_600_000;
    const measure = async (now: Date): Promise<void> => {
      while (await measurement.measureNext(now));
    };
    await measure(new Date(Date.now() + day));
    const measured = await storedBytes(id);
    const [row] = await server.dataSource.query<{ bytes: string }[]>(
      `SELECT (SELECT sum(pg_column_size(document) + pg_column_size(folded)) FROM users WHERE tenant_id = $1)
            + (SELECT sum(pg_column_size(after)) FROM audit_events WHERE tenant_id = $1 AND after IS NOT NULL) AS bytes`,
      [id],
    );
    expect(measured).toBeGreaterThan(Number(row?.bytes));
    // Long texts are compressed.
    expect(measured).toBeLessThan(counted / 2);
    await measure(new Date(Date.now() + day));
    expect(await storedBytes(id)).toBe(measured);
    await scim.delete(`/Users/${(await scim.list('/Users')).body.Resources[0]?.id}`);
    await measure(new Date(Date.now() + 2 * day));
    expect(await storedBytes(id)).not.toBe(measured);
  });

  it('is measured window by window where there are many rows', async () => {
    const { id } = await connect('many');
    await server.dataSource.query(
      `INSERT INTO audit_events (tenant_id, at, actor, request_id, operation, resource_type, resource_id)
       SELECT $1, now(), 'x', 'x', 'create', 'User', n::text FROM generate_series(1, 4500) n`,
      [id],
    );
    const measurement = server.app.get(ByteMeasurement);
    while (await measurement.measureNext(new Date(Date.now() + 30 * 24 * 3_600_000)));
    expect(await storedBytes(id)).toBeGreaterThanOrEqual(4_500 * 300);
  });

  it('goes with its tenant', async () => {
    const { scim, id } = await connect('gone');
    await scim.post('/Users', { userName: 'a' });
    await server.app.get(TenantBytes).flush();
    await server.admin.delete('/tenants/gone?name=gone');
    server.app.get(TenantBytes).add(id, 1_000);
    await server.app.get(TenantBytes).flush();
    expect(await storedBytes(id)).toBe(0);
  });

  it('is written down within seconds, without being asked for', async () => {
    const { scim, id } = await connect('written');
    await scim.post('/Users', { userName: 'a' });
    const rows = (): Promise<unknown[]> =>
      server.dataSource.query('SELECT 1 FROM tenant_bytes WHERE tenant_id = $1 AND bytes > 0', [id]);
    expect(await eventually(rows, ({ length }) => length > 0)).toHaveLength(1);
  });
});
