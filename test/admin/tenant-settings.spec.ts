import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonValue } from '../../src/scim/index.js';
import { startAdministered, type AdministeredServer, type AdminTenant } from '../support/admin.js';
import { scimError } from '../support/errors.js';
import { standardSettings as standard } from '../support/settings.js';

let server: AdministeredServer;
beforeAll(async () => {
  server = await startAdministered();
});
afterAll(() => server.close());

const create = (name: string, settings: JsonValue = {}) =>
  server.admin.post<AdminTenant>('/tenants', { name, settings });
const read = async (name: string): Promise<AdminTenant> =>
  (await server.admin.get<AdminTenant>(`/tenants/${name}`)).body;

describe('the settings of a tenant', () => {
  beforeAll(() => create('settled'));
  const change = (settings: JsonValue) =>
    server.admin.patch<Record<string, unknown>>('/tenants/settled/settings', settings);

  it('are read complete', async () => {
    expect((await server.admin.get('/tenants/settled/settings')).body).toEqual(standard);
  });

  it.each<[string, JsonValue, JsonValue]>([
    ['profile', 'entra-legacy', 'default'],
    ['uniqueExternalId', false, true],
    ['uniqueGroupDisplayName', true, false],
    ['ignoreUnknownMembers', true, false],
    ['replaceOmitted', 'clear', 'keep'],
    ['requireIfMatch', true, false],
    ['sensitiveFilters', 'refuse', 'allow'],
    ['maxPageSize', 200, null],
    ['maxBulkOperations', 1, null],
    ['maxBulkPayloadBytes', 1024, null],
    ['requestsPerSecond', 25, null],
    ['concurrentRequests', 10, null],
    ['maxUsers', 5_000, null],
    ['maxGroups', 500, null],
    ['maxBytes', 2_000_000_000, null],
    ['requestLog', false, true],
  ])('change one by one and change back, and the rest stays: %s', async (name, value, before) => {
    const changed = await change({ [name]: value });
    expect([changed.status, changed.body]).toEqual([200, { ...standard, [name]: value }]);
    expect((await read('settled')).settings).toEqual(changed.body);
    expect((await change({ [name]: before })).body).toEqual(standard);
  });

  it('change apart from each other when two operators change different ones', async () => {
    await create('shared');
    const settings = [{ maxPageSize: 5 }, { requestLog: false }, { requireIfMatch: true }, { profile: 'strict' }];
    await Promise.all(settings.map((one) => server.admin.patch('/tenants/shared/settings', one)));
    expect((await read('shared')).settings).toEqual(Object.assign({}, standard, ...settings));
  });

  it.each<[string, JsonValue, string]>([
    ['profile', 'Strict', 'profile must be one of strict, default, entra-legacy.'],
    ['profile', null, 'profile must be one of strict, default, entra-legacy.'],
    ['uniqueExternalId', 'true', 'uniqueExternalId must be true or false.'],
    ['requestLog', 1, 'requestLog must be true or false.'],
    ['requestLog', null, 'requestLog must be true or false.'],
    ['replaceOmitted', true, 'replaceOmitted must be one of keep, clear.'],
    ['sensitiveFilters', [], 'sensitiveFilters must be one of allow, refuse.'],
    ['maxPageSize', 0, 'maxPageSize must be null or a whole number from 1 to 200.'],
    ['maxPageSize', 201, 'maxPageSize must be null or a whole number from 1 to 200.'],
    ['maxPageSize', 1.5, 'maxPageSize must be null or a whole number from 1 to 200.'],
    ['maxPageSize', '10', 'maxPageSize must be null or a whole number from 1 to 200.'],
    ['maxBulkOperations', 1001, 'maxBulkOperations must be null or a whole number from 1 to 1000.'],
    ['maxBulkPayloadBytes', 1023, 'maxBulkPayloadBytes must be null or a whole number from 1024 to 4194304.'],
    ['requestsPerSecond', -1, 'requestsPerSecond must be null or a whole number from 1 to 100000.'],
    ['maxUsers', 0, 'maxUsers must be null or a whole number from 1 to 1000000000.'],
    ['concurrentRequests', 1e9, 'concurrentRequests must be null or a whole number from 1 to 10000.'],
  ])('refuse %s %j', async (name, value, detail) => {
    const { status, body } = await change({ requireIfMatch: true, [name]: value });
    expect([status, body]).toEqual([400, scimError(400, 'invalidValue', detail)]);
    expect((await read('settled')).settings).toEqual(standard);
  });

  it('reach requests at once: the profile by which they are read', async () => {
    const client = await server.admin.connect('profiled');
    const stray = { userName: 'stray', shoeSize: 44 };
    expect((await client.post('/Users', stray)).status).toBe(201);
    await server.admin.patch('/tenants/profiled/settings', { profile: 'strict' });
    expect((await client.post('/Users', { ...stray, userName: 'other' })).status).toBe(400);
  });

  it('show in the ServiceProviderConfig that the tenant reads (RFC 7643 section 5)', async () => {
    const client = await server.admin.connect('published');
    await server.admin.patch('/tenants/published/settings', {
      maxPageSize: 20,
      maxBulkOperations: 30,
      maxBulkPayloadBytes: 4096,
    });
    const { body } = await client.get<Record<string, object>>('/ServiceProviderConfig');
    expect([body['bulk'], body['filter'], body['pagination']]).toEqual([
      { supported: true, maxOperations: 30, maxPayloadSize: 4096 },
      { supported: true, maxResults: 20 },
      expect.objectContaining({ maxPageSize: 20, defaultPageSize: 20 }),
    ]);
    const open = await client.get<Record<string, object>>('/ServiceProviderConfig', { token: null });
    expect(open.body['filter']).toEqual({ supported: true, maxResults: 200 });
  });
});
