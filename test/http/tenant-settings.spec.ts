import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { groupUrn, type ErrorMessage, type TenantSettings } from '../../src/scim/index.js';
import { TenantsService } from '../../src/tenants/tenants.service.js';
import type { Resource, ScimClient } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { author, startServer, type TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

let made = 0;
const tenant = (settings: Partial<TenantSettings>): Promise<ScimClient> =>
  server.addTenant(`settings-${++made}`, settings);
const change = (settings: Partial<TenantSettings>) =>
  server.app.get(TenantsService).change(author, `settings-${made}`, { settings });

describe('externalId (RFC 7643 section 3.1)', () => {
  it('belongs to one user and one group, unless the tenant says otherwise', async () => {
    for (const [uniqueExternalId, status] of [
      [true, 409],
      [false, 201],
    ] as const) {
      const scim = await tenant({ uniqueExternalId });
      const answers = [
        await scim.post('/Users', { userName: 'a', externalId: 'x' }),
        await scim.post('/Groups', { displayName: 'A', externalId: 'x' }),
        await scim.post('/Users', { userName: 'b', externalId: 'x' }),
        await scim.post('/Groups', { displayName: 'B', externalId: 'x' }),
      ];
      expect(answers.map((answer) => answer.status)).toEqual([201, 201, status, status]);
      const { totalResults } = (await scim.list('/Users?filter=externalId eq "x"')).body;
      expect(totalResults).toBe(uniqueExternalId ? 1 : 2);
    }
  });

  it('that is the empty string identifies nothing: it may be shared, also when the tenant starts to say otherwise', async () => {
    const scim = await tenant({ uniqueExternalId: false });
    const users = [
      await scim.post('/Users', { userName: 'a', externalId: '' }),
      await scim.post('/Users', { userName: 'b', externalId: '' }),
    ];
    await change({ uniqueExternalId: true });
    users.push(await scim.post('/Users', { userName: 'c', externalId: '' }));
    users.push(await scim.post('/Users', { userName: 'd', externalId: 'x' }));
    const [, , , last] = users;
    users.push(await scim.put(`/Users/${last?.body.id}`, { userName: 'd', externalId: '' }));
    await scim.post('/Groups', { displayName: 'A', externalId: '' });
    const group = await scim.post('/Groups', { displayName: 'B', externalId: '' });
    expect([...users, group].map(({ status, body }) => [status, body['externalId']])).toEqual([
      [201, ''],
      [201, ''],
      [201, ''],
      [201, 'x'],
      [200, ''],
      [201, ''],
    ]);
    expect((await scim.list('/Users?filter=externalId eq ""')).body.totalResults).toBe(4);
  });

  it('can be made unique again once nobody shares one', async () => {
    const scim = await tenant({ uniqueExternalId: false });
    const [first, second] = [
      await scim.post('/Users', { userName: 'a', externalId: 'x' }),
      await scim.post('/Users', { userName: 'b', externalId: 'x' }),
    ];
    await expect(change({ uniqueExternalId: true })).rejects.toMatchObject({
      row: 'uniqueness',
      detail: 'Some users of the tenant share their externalId; change those first.',
    });
    await scim.operations(`/Users/${second.body.id}`, [{ op: 'remove', path: 'externalId' }]);
    await change({ uniqueExternalId: true });
    const again = await scim.post<ErrorMessage>('/Users', { userName: 'c', externalId: 'x' });
    expect([again.status, again.body.scimType]).toEqual([409, 'uniqueness']);
    expect((await scim.get(`/Users/${first.body.id}`)).body['externalId']).toBe('x');
  });
});

describe('displayName of a group (RFC 7643 section 4.2)', () => {
  it('may be shared, unless the tenant says otherwise; /Schemas says which (RFC 7643 section 7)', async () => {
    for (const [uniqueGroupDisplayName, status, uniqueness] of [
      [false, 201, 'none'],
      [true, 409, 'server'],
    ] as const) {
      const scim = await tenant({ uniqueGroupDisplayName });
      await scim.post('/Groups', { displayName: 'Sales' });
      const twin = await scim.post<ErrorMessage>('/Groups', { displayName: 'SALES' });
      expect(twin.status).toBe(status);
      const { body } = await scim.get<{ attributes: { name: string; uniqueness: string }[] }>(`/Schemas/${groupUrn}`);
      expect(body.attributes.find(({ name }) => name === 'displayName')?.uniqueness).toBe(uniqueness);
    }
  });

  it('is held to it when a group is renamed', async () => {
    const scim = await tenant({ uniqueGroupDisplayName: true });
    await scim.post('/Groups', { displayName: 'One' });
    const { body } = await scim.post('/Groups', { displayName: 'Two' });
    const renamed = await scim.operations<ErrorMessage>(`/Groups/${body.id}`, [
      { op: 'replace', path: 'displayName', value: 'ONE' },
    ]);
    expect(renamed.body).toEqual(scimError(409, 'uniqueness', 'Another group has this displayName.'));
  });
});

describe('members that do not exist (RFC 7643 section 4.2)', () => {
  it('are passed over where the tenant says so, and the others are kept', async () => {
    const scim = await tenant({ ignoreUnknownMembers: true });
    const { id } = (await scim.post('/Users', { userName: 'known' })).body;
    const members = [{ value: randomUUID() }, { value: id }, { value: 'no-id' }];
    const created = await scim.post('/Groups', { displayName: 'New', members });
    const replaced = await scim.put(`/Groups/${created.body.id}`, { displayName: 'New', members });
    await scim.operations(`/Groups/${created.body.id}`, [{ op: 'remove', path: 'members' }]);
    await scim.operations(`/Groups/${created.body.id}`, [{ op: 'add', path: 'members', value: members }]);
    const read = await scim.get(`/Groups/${created.body.id}`);
    const values = ({ body }: { body: Resource }) => (body['members'] as { value: string }[]).map(({ value }) => value);
    expect([created, replaced, read].map((answer) => [answer.status, values(answer)])).toEqual([
      [201, [id]],
      [200, [id]],
      [200, [id]],
    ]);
  });
});

describe('PUT that leaves out active (RFC 7644 section 3.5.1)', () => {
  it.each([
    ['keep', false],
    ['clear', undefined],
  ] as const)('does what the tenant says: %s', async (replaceOmitted, active) => {
    const scim = await tenant({ replaceOmitted });
    const { id } = (await scim.post('/Users', { userName: 'a', active: false, password: 'Correct-Horse-1' })).body;
    const { body } = await scim.put(`/Users/${id}`, { userName: 'a' });
    expect(body['active']).toBe(active);
    const [row] = await server.dataSource.query<{ kept: boolean }[]>(
      'SELECT password_hash IS NOT NULL AS kept FROM users WHERE id = $1',
      [id],
    );
    expect(row).toEqual({ kept: true });
  });
});

describe('a change without If-Match (RFC 6585 section 3)', () => {
  it('is 428 where the tenant says so, also in a bulk request, and changes nothing', async () => {
    const scim = await tenant({ requireIfMatch: true });
    const { id } = (await scim.post('/Users', { userName: 'a' })).body;
    const path = `/Users/${id}`;
    const operation = { op: 'replace', path: 'title', value: 'x' };
    const bulk = await scim.post<{ Operations: { status: string }[] }>('/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [{ method: 'DELETE', path }],
    });
    const refused = [
      await scim.put<ErrorMessage>(path, { userName: 'b' }),
      await scim.operations<ErrorMessage>(path, [operation]),
      await scim.delete(path),
    ];
    expect(refused.map(({ status }) => status)).toEqual([428, 428, 428]);
    expect(refused[0]?.body).toEqual(scimError(428, undefined, 'Send the version that is to be changed in If-Match.'));
    expect(bulk.body.Operations.map(({ status }) => status)).toEqual(['428']);
    const headers = { 'If-Match': 'W/"1"' };
    expect((await scim.operations(path, [operation], { headers })).status).toBe(200);
  });

  it('does not stand in the way of a bulk request that links what it created (RFC 7644 section 3.7.1)', async () => {
    const scim = await tenant({ requireIfMatch: true });
    const group = (bulkId: string, member: string) => ({
      method: 'POST',
      path: '/Groups',
      bulkId,
      data: { displayName: bulkId, members: [{ value: `bulkId:${member}`, type: 'Group' }] },
    });
    const { body } = await scim.post<{ Operations: { status: string }[] }>('/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [group('a', 'b'), group('b', 'a')],
    });
    expect(body.Operations.map(({ status }) => status)).toEqual(['201', '201']);
  });
});

describe('personal values in URLs (RFC 7644 section 7.5.2)', () => {
  let scim: ScimClient;
  beforeAll(async () => {
    scim = await tenant({ sensitiveFilters: 'refuse' });
    await scim.post('/Users', { userName: 'ann', emails: [{ value: 'ann@example.com', type: 'work' }] });
  });

  it.each([
    'userName eq "ann"',
    'emails.value co "ann"',
    'emails[type eq "work"]',
    'active eq true and not (name.familyName sw "A")',
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "1"',
  ])('are refused in a GET, and accepted in a POST: %s', async (filter) => {
    for (const path of ['/Users', '']) {
      const answer = await scim.get<ErrorMessage>(`${path}?filter=${encodeURIComponent(filter)}`);
      expect(answer.body).toEqual(
        scimError(403, 'sensitive', 'A personal value may not be part of a URL; use POST with /.search.'),
      );
      const schemas = ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'];
      expect((await scim.post(`${path}/.search`, { schemas, filter })).status).toBe(200);
    }
  });

  it.each(['active eq true', 'meta.lastModified gt "2020-01-01T00:00:00Z"', 'userName pr', 'groups pr'])(
    'are not seen where there are none: %s',
    async (filter) => {
      expect((await scim.list(`/Users?filter=${encodeURIComponent(filter)}`)).body.totalResults).toBeDefined();
      expect((await scim.list('/Groups?filter=displayName eq "Sales"')).status).toBe(200);
    },
  );
});

describe('the limits of a tenant (RFC 7643 section 5)', () => {
  it('are published, and held', async () => {
    const scim = await tenant({ maxPageSize: 2, maxBulkOperations: 3, maxBulkPayloadBytes: 2048 });
    const Operations = ['a', 'b', 'c', 'd'].map((userName) => ({
      method: 'POST',
      path: '/Users',
      bulkId: userName,
      data: { userName },
    }));
    const schemas = ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'];
    const tooMany = await scim.post<ErrorMessage>('/Bulk', { schemas, Operations });
    const tooLarge = await scim.post<ErrorMessage>('/Bulk', { schemas, Operations: [], filler: 'x'.repeat(2048) });
    expect([tooMany.status, tooMany.body.detail]).toEqual([
      413,
      'A bulk request may hold maxOperations = 3 operations; this one has 4.',
    ]);
    expect([tooLarge.status, tooLarge.body.detail]).toEqual([
      413,
      'The body is larger than maxPayloadSize = 2048 bytes.',
    ]);
    expect((await scim.post('/Bulk', { schemas, Operations: Operations.slice(1) })).status).toBe(200);
    const { body } = await scim.list('/Users?count=100');
    expect([body.totalResults, body.itemsPerPage]).toEqual([3, 2]);
    const config = (await scim.get('/ServiceProviderConfig')).body;
    expect([config['bulk'], config['filter']]).toEqual([
      { supported: true, maxOperations: 3, maxPayloadSize: 2048 },
      { supported: true, maxResults: 2 },
    ]);
  });
});
