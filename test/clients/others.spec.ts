import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../src/scim/index.js';
import type { Resource } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { emptyList, locationOf, metaOf, urn } from '../support/expected.js';
import { startServer, type TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const create = async (body: JsonObject): Promise<Resource> => {
  const { status, body: created } = await server.scim.post('/Users', body);
  expect(status).toBe(201);
  return created;
};
const read = async (path: string): Promise<Resource> => (await server.scim.get(path)).body;
const one = (resource: Resource) => ({ ...emptyList, totalResults: 1, itemsPerPage: 1, Resources: [resource] });

describe('OneLogin', () => {
  const template = (userName: string): JsonObject => ({
    schemas: [urn.user, urn.enterprise],
    id: null,
    userName,
    externalId: `onelogin-${userName}`,
    active: 'true',
    name: { givenName: 'One', familyName: 'Login', formatted: 'One Login' },
    emails: [{ value: userName, type: 'work', primary: true }],
    addresses: [{ locality: 'San Francisco', region: 'CA' }],
    [urn.enterprise]: { department: 'Sales', manager: { managerId: '42', displayName: 'Somebody' } },
  });

  it('creates a user from its template: a null id, active as a string, and a manager of SCIM 1.1', async () => {
    const body = await create(template('one@onelogin.example'));
    expect(body).toEqual({
      ...template('one@onelogin.example'),
      ...{ id: body.id, active: true, meta: metaOf('User', body.id, 1) },
      [urn.enterprise]: { department: 'Sales' },
    });
  });

  it('creates a user with the URN of SCIM 1.0, which is not echoed', async () => {
    const body = await create({ ...template('core@onelogin.example'), schemas: ['urn:scim:schemas:core:1.0'] });
    expect(body.schemas).toEqual([urn.user, urn.enterprise]);
  });

  it('updates and suspends by PUT of its template', async () => {
    const { id } = await create(template('put@onelogin.example'));
    const sent = { ...template('put@onelogin.example'), active: 'false', title: 'Boss' };
    const { status, body } = await server.scim.put(`/Users/${id}`, sent);
    expect(status).toBe(200);
    expect([body.id, body['active'], body['title']]).toEqual([id, false, 'Boss']);
    expect(await read(`/Users/${id}`)).toEqual(body);
  });
});

describe('JumpCloud', () => {
  it('tries the connection with a user and a group of its own, and deletes both', async () => {
    const user = await create({ schemas: [urn.user], userName: 'jumpcloud-test@example.com', active: true });
    const group = await server.scim.post('/Groups', { schemas: [urn.group], displayName: 'jumpcloud-test' });
    expect(group.status).toBe(201);
    const paths = [`/Users/${user.id}`, `/Groups/${group.body.id}`];
    for (const path of paths) expect((await server.scim.delete(path)).status).toBe(204);
    for (const path of paths) expect((await server.scim.get(path)).status).toBe(404);
  });

  it('removes members by a PATCH with a value list, which leaves the others', async () => {
    const users = [await create({ userName: 'jc1@example.com' }), await create({ userName: 'jc2@example.com' })];
    const members = users.map(({ id: value }) => ({ value }));
    const { body: group } = await server.scim.post('/Groups', { displayName: 'JumpCloud', members });
    const { status } = await server.scim.operations(`/Groups/${group.id}`, [
      { op: 'remove', path: 'members', value: [{ value: users[0]?.id ?? '' }] },
    ]);
    expect(status).toBe(204);
    const after = await read(`/Groups/${group.id}`);
    expect(after['members']).toEqual([
      {
        ...{ value: users[1]?.id, type: 'User', display: 'jc2@example.com' },
        $ref: locationOf('User', users[1]?.id ?? ''),
      },
    ]);
  });

  it('unassigns a user by PUT with active false', async () => {
    const { id } = await create({ userName: 'jc3@example.com', active: true });
    const { body } = await server.scim.put(`/Users/${id}`, { userName: 'jc3@example.com', active: false });
    expect(body).toEqual({
      ...{ schemas: [urn.user], id, userName: 'jc3@example.com', active: false },
      meta: metaOf('User', id, 2),
    });
  });
});

describe('PingFederate and PingOne', () => {
  it.each([
    'userName eq "ping@example.com"',
    'userName Eq "PING@example.com"',
    'USERNAME EQ "ping@example.com"',
    'emails eq "ping@example.com"',
    'emails.value Eq "ping@example.com"',
  ])('find the user by %s', async (filter) => {
    const existing = await server.scim.list('/Users?filter=userName eq "ping@example.com"');
    const user =
      existing.body.Resources[0] ??
      (await create({ userName: 'ping@example.com', emails: [{ value: 'ping@example.com' }] }));
    const { body } = await server.scim.list(`/Users?filter=${encodeURIComponent(filter)}`);
    expect(body).toEqual(one(user));
  });

  it('are told that an unquoted value is no filter (RFC 7644 section 3.4.2.2)', async () => {
    const { status, body } = await server.scim.list('/Users?filter=userName eq ping@example.com');
    expect([status, body]).toEqual([400, scimError(400, 'invalidFilter')]);
  });

  it('are told that a path of SCIM 1.1 leads nowhere', async () => {
    const { status, body } = await server.scim.get('/ServiceProviderConfigs');
    expect([status, body]).toEqual([404, scimError(404)]);
  });
});

describe('Google Workspace', () => {
  it('finds a user with startIndex and no count, and reads attributes at the top level', async () => {
    const user = await create({ schemas: [urn.user], userName: 'google@example.com', displayName: 'Google' });
    const { body, text } = await server.scim.list('/Users?filter=userName eq "google@example.com"&startIndex=1');
    expect(body).toEqual(one(user));
    expect(text).not.toContain(`"${urn.user}":`);
  });

  it('suspends by PATCH, and deletes later', async () => {
    const { id } = await create({ userName: 'google-leaver@example.com' });
    const { body } = await server.scim.operations(`/Users/${id}`, [{ op: 'replace', path: 'active', value: false }]);
    expect(body['active']).toBe(false);
    expect((await server.scim.delete(`/Users/${id}`)).status).toBe(204);
    expect((await server.scim.list('/Users?filter=userName eq "google-leaver@example.com"')).body).toEqual(emptyList);
  });
});

describe('SailPoint', () => {
  it('aggregates users page by page, with the groups and entitlements of each', async () => {
    const scim = await server.addTenant('sailpoint');
    const created: string[] = [];
    for (const name of ['a', 'b', 'c']) created.push((await scim.post('/Users', { userName: name })).body.id);
    const { body: group } = await scim.post('/Groups', {
      displayName: 'Auditors',
      members: [{ value: created[1] ?? '' }],
    });
    const pages = [await scim.list('/Users?startIndex=1&count=2'), await scim.list('/Users?startIndex=3&count=2')];
    const found = pages.flatMap(({ body }) => body.Resources);
    expect(found.map((user) => [user.id, user['groups']])).toEqual([
      [created[0], undefined],
      [created[1], [{ value: group.id, $ref: group.meta.location, display: 'Auditors', type: 'direct' }]],
      [created[2], undefined],
    ]);
  });

  it('reads the resource types and each schema they name', async () => {
    const { body } = await server.scim.list<{ schema: string; schemaExtensions?: { schema: string }[] }>(
      '/ResourceTypes',
    );
    const named = body.Resources.flatMap((type) => [
      type.schema,
      ...(type.schemaExtensions ?? []).map((extension) => extension.schema),
    ]);
    expect(named).toEqual([urn.user, urn.enterprise, urn.group]);
    const schemas = await Promise.all(named.map((schema) => read(`/Schemas/${schema}`)));
    expect(schemas.map((schema) => schema.id)).toEqual(named);
  });

  it('grants and revokes entitlements by PATCH', async () => {
    const { id } = await create({ userName: 'entitled@example.com' });
    const path = 'entitlements';
    const value = [{ value: 'reports:read', display: 'Read reports' }, { value: 'reports:write' }];
    const granted = await server.scim.operations(`/Users/${id}`, [{ op: 'add', path, value }]);
    expect([granted.status, granted.body['entitlements']]).toEqual([200, value]);
    const revoked = await server.scim.operations(`/Users/${id}`, [
      { op: 'remove', path: 'entitlements[value eq "reports:read"]' },
    ]);
    expect([revoked.status, revoked.body['entitlements']]).toEqual([200, [{ value: 'reports:write' }]]);
  });
});

describe('Oracle, Rippling and CyberArk', () => {
  it('set values by long paths: URN, attribute, filter and sub-attribute', async () => {
    const { id } = await create({
      userName: 'oracle@example.com',
      emails: [{ type: 'work', value: 'old@example.com' }],
    });
    const { status, body } = await server.scim.operations(`/Users/${id}`, [
      { op: 'replace', path: `${urn.user}:emails[type eq "work"].value`, value: 'new@example.com' },
      { op: 'add', path: `${urn.user}:emails[type eq "home"].value`, value: 'home@example.com' },
      { op: 'replace', path: `${urn.user}:name.familyName`, value: 'Racle' },
      { op: 'add', path: `${urn.enterprise.toLowerCase()}:costCenter`, value: 'CC-1' },
    ]);
    expect(status).toBe(200);
    expect(body).toEqual({
      ...{ schemas: [urn.user, urn.enterprise], id, userName: 'oracle@example.com', active: true },
      name: { familyName: 'Racle' },
      emails: [
        { type: 'work', value: 'new@example.com' },
        { type: 'home', value: 'home@example.com' },
      ],
      [urn.enterprise]: { costCenter: 'CC-1' },
      meta: metaOf('User', id, 2),
    });
  });

  it.each(['PATCH', 'PUT', 'DELETE'])('take a leaver away by %s', async (method) => {
    const userName = `leaver-${method}@example.com`;
    const { id } = await create({ userName });
    const path = `/Users/${id}`;
    if (method === 'DELETE') expect((await server.scim.delete(path)).status).toBe(204);
    if (method === 'PUT') expect((await server.scim.put(path, { userName, active: false })).status).toBe(200);
    if (method === 'PATCH') {
      const operations = [{ op: 'replace', path: 'active', value: false }];
      expect((await server.scim.operations(path, operations)).status).toBe(200);
    }
    const { body } = await server.scim.list(`/Users?filter=userName eq "${userName}" and active eq true`);
    expect(body).toEqual(emptyList);
  });
});

describe('Any client', () => {
  it('that asks for one resource gets a page of exactly one', async () => {
    await create({ userName: randomUUID() });
    await create({ userName: randomUUID() });
    const { body } = await server.scim.list('/Users?count=1&startIndex=1');
    expect([body.itemsPerPage, body.Resources.length]).toEqual([1, 1]);
  });
});
