import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { ErrorMessage, JsonObject, JsonValue } from '../../src/scim/index.js';
import type { List, Resource } from '../support/client.js';
import { startServer, type TestServer } from '../support/server.js';

const urn = {
  config: 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig',
  error: 'urn:ietf:params:scim:api:messages:2.0:Error',
  list: 'urn:ietf:params:scim:api:messages:2.0:ListResponse',
  user: 'urn:ietf:params:scim:schemas:core:2.0:User',
};

const okta = {
  headers: {
    'Accept-Charset': 'utf-8',
    'Content-Type': 'application/scim+json; charset=utf-8',
    Accept: 'application/scim+json',
    'User-Agent': 'OKTA SCIM Integration',
  },
};

/** What the test calls empty: nothing, "", [] and {}. A number or a boolean is not. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** The value at a path such as `Resources[0].name.givenName`. */
function at(body: unknown, path: string): unknown {
  return path
    .split(/[.[\]]+/)
    .filter((name) => name !== '')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], body);
}

/** Those of the paths that lead to nothing: none should. */
const emptyAmong = (body: unknown, paths: readonly string[]): string[] =>
  paths.filter((path) => isEmpty(at(body, path)));

describe("Okta's SCIM 2.0 SPEC test", () => {
  let server: TestServer;
  // Fresh in each run, as Okta's variables are.
  const random = randomUUID();
  const randomUsername = `runscope300${random}@atko.com`;
  const randomEmail = `${random}@example.com`;
  const created = {
    schemas: [urn.user],
    userName: randomUsername,
    name: { givenName: `Given ${random}`, familyName: `Family ${random}` },
    emails: [{ primary: true, value: randomEmail, type: 'work' }],
    displayName: `Given ${random} Family ${random}`,
    active: true,
  };
  let isvUserId = '';
  let idUserOne = '';

  const post = (body: JsonValue) =>
    server.scim.post('/Users', body, {
      headers: { 'Content-Type': 'application/json', Accept: 'application/scim+json; charset=utf-8' },
    });
  const filtered = (userName: string) => server.scim.list(`/Users?filter=userName eq "${userName}"`, okta);

  async function refusesPost(path: string): Promise<void> {
    const { status } = await server.scim.send('POST', path, 'test', okta);
    expect(status).toBe(405);
  }

  async function listsAll(path: string, names: readonly string[]): Promise<void> {
    const { status, body } = await server.scim.list(path, okta);
    expect(status).toBe(200);
    expect(body.schemas).toContain(urn.list);
    expect(emptyAmong(body, ['Resources', ...names.map((name) => `Resources[0].${name}`)])).toEqual([]);
  }

  beforeAll(async () => {
    server = await startServer();
    const existing = await server.scim.post('/Users', {
      schemas: [urn.user],
      userName: 'existing@example.com',
      name: { givenName: 'Existing', familyName: 'User' },
      active: true,
      emails: [{ value: 'existing@example.com', type: 'work', primary: true }],
    });
    expect(existing.status).toBe(201);
  });
  afterAll(() => server.close());

  it('1. Optional Test: Test ServiceProviderConfig endpoint', async () => {
    const { status, body } = await server.scim.get<JsonObject>('/ServiceProviderConfig', okta);
    expect(status).toBe(200);
    expect(body['schemas']).toContain(urn.config);
    const published = [
      'schemas',
      ...['patch', 'bulk', 'filter', 'changePassword', 'sort', 'etag', 'authenticationSchemes'],
      ...['authenticationSchemes[0].type', 'authenticationSchemes[0].description'],
      ...['etag.supported', 'sort.supported', 'changePassword.supported', 'filter.maxResults', 'filter.supported'],
      ...['bulk.supported', 'bulk.maxOperations', 'bulk.maxPayloadSize', 'patch.supported'],
    ];
    expect(emptyAmong(body, published)).toEqual([]);
  });

  it('2. Optional Test: Check if ServiceProviderConfig is read-only', () => refusesPost('/ServiceProviderConfig'));

  it('3. Optional Test: Check ResourceTypes endpoint', () =>
    listsAll('/ResourceTypes', ['name', 'endpoint', 'schema']));

  it('4. Optional Test: Check if ResourceTypes is read-only', () => refusesPost('/ResourceTypes'));

  it('5. Optional Test: Check Schemas endpoint', () => listsAll('/Schemas', ['id', 'attributes']));

  it('6. Optional Test: Check if Schemas is read-only', () => refusesPost('/Schemas'));

  it('7. Required Test: Test Users endpoint', async () => {
    const { status, body } = await server.scim.list('/Users?count=1&startIndex=1', okta);
    expect(status).toBe(200);
    expect(body.schemas).toContain(urn.list);
    const counts = [body.itemsPerPage, body.startIndex, body.totalResults];
    expect(counts.map((count) => typeof count)).toEqual(['number', 'number', 'number']);
    const names = ['id', 'name.familyName', 'name.givenName', 'userName', 'active', 'emails[0].value'];
    expect(emptyAmong(body, ['Resources', ...names.map((name) => `Resources[0].${name}`)])).toEqual([]);
    isvUserId = body.Resources[0]?.id ?? '';
  });

  it('8. Required Test: Get Users/{{id}}', async () => {
    const { status, body } = await server.scim.get(`/Users/${isvUserId}`, okta);
    expect(status).toBe(200);
    const names = ['id', 'name.familyName', 'name.givenName', 'userName', 'active', 'emails[0].value'];
    expect(emptyAmong(body, names)).toEqual([]);
    expect(body.id).toBe(isvUserId);
  });

  it('9. Required Test: Test invalid User by username', async () => {
    const { status, body } = await filtered(`invalid-${random}@example.com`);
    expect(status).toBe(200);
    expect(body.schemas).toContain(urn.list);
    expect(body.totalResults).toBe(0);
  });

  it('10. Required Test: Test invalid User by ID', async () => {
    const { status, body } = await server.scim.get<ErrorMessage>(`/Users/${randomUUID()}`, okta);
    expect(status).toBe(404);
    expect(body.schemas).toContain(urn.error);
    expect(isEmpty(body.detail)).toBe(false);
  });

  it("11. Required Test: Make sure random user doesn't exist", async () => {
    const { status, body } = await filtered(randomEmail);
    expect(status).toBe(200);
    expect(body.schemas).toContain(urn.list);
    expect(body.totalResults).toBe(0);
  });

  it('12. Required Test: Create Okta user with realistic values', async () => {
    const { status, body } = await post(created);
    expect(status).toBe(201);
    expect(isEmpty(body.id)).toBe(false);
    expect(body.schemas).toContain(urn.user);
    expect(body).toMatchObject({ active: true, userName: randomUsername, name: created.name });
    idUserOne = body.id;
  });

  it('13. Required Test: Verify that user was created', async () => {
    const { status, body } = await server.scim.get(`/Users/${idUserOne}`, okta);
    expect(status).toBe(200);
    expect(body).toMatchObject({ userName: randomUsername, name: created.name });
  });

  it('14. Required Test: Expect failure when recreating user with same values', async () => {
    expect((await post(created)).status).toBe(409);
  });

  it('15. Required Test: Username Case Sensitivity Check', async () => {
    const { status, body } = await filtered(randomUsername.toUpperCase());
    expect(status).toBe(200);
    expect(body.Resources.map((user) => user.id)).toEqual([idUserOne]);
  });

  it('16. Optional Test: Verify Groups endpoint', async () => {
    const { status, body } = await server.scim.get<List<Resource>>('/Groups', okta);
    expect(status).toBe(200);
    expect(Array.isArray(body.Resources)).toBe(true);
  });

  it('17. Required Test: Check status 401', async () => {
    const path = `/Users?filter=userName eq "${randomUsername.toUpperCase()}"`;
    const headers = { Authorization: 'non-token', Accept: 'application/scim+json' };
    const { status, body } = await server.scim.get<ErrorMessage>(path, { headers, token: null });
    expect(status).toBe(401);
    expect(isEmpty(body.detail)).toBe(false);
    expect(body.status).toBe('401');
    expect(body.schemas).toContain(urn.error);
  });

  it('18. Required Test: Check status 404', async () => {
    const headers = { Accept: 'application/scim+json' };
    const { status, body } = await server.scim.get<ErrorMessage>('/Users/00919288221112222', { headers });
    expect(status).toBe(404);
    expect(isEmpty(body.detail)).toBe(false);
    expect(body.status).toBe('404');
    expect(body.schemas).toContain(urn.error);
  });
});
