import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ErrorMessage, JsonObject } from '../../src/scim/index.js';
import { verifyPassword } from '../../src/users/password.js';
import type { Resource } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { emptyList, metaOf, urn } from '../support/expected.js';
import { okta } from '../support/okta.js';
import { startServer, type TestServer } from '../support/server.js';

/** The profile that Okta sends when somebody is assigned to the application, without the password. */
const profile = (login: string): JsonObject => ({
  schemas: [urn.user],
  userName: login,
  name: { givenName: 'Test', familyName: 'User' },
  emails: [{ primary: true, value: login, type: 'work' }],
  displayName: 'Test User',
  locale: 'en-US',
  externalId: `00u-${login}`,
  groups: [],
  active: true,
});

const password = '1mz050nq';

/** What the server makes of a profile: without groups, which are readOnly. */
function represented(given: JsonObject, id: string, version = 1): JsonObject {
  const { groups: _readOnly, ...rest } = given;
  return { ...rest, id, meta: metaOf('User', id, version) };
}

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const assign = (login: string, more: JsonObject = {}) =>
  server.scim.post('/Users', { ...profile(login), ...more }, okta);
const readUser = (id: string) => server.scim.get(`/Users/${id}`, okta);
const match = (attribute: string, value: string) =>
  server.scim.list(`/Users?filter=${encodeURIComponent(`${attribute} eq "${value}"`)}&startIndex=1&count=100`, okta);
const replaceValue = (id: string, value: JsonObject) =>
  server.scim.operations(`/Users/${id}`, [{ op: 'replace', value }], okta);

async function passwordHash(id: string): Promise<string> {
  const rows: { password_hash: string }[] = await server.dataSource.query(
    'SELECT password_hash FROM users WHERE id = $1',
    [id],
  );
  return rows[0]?.password_hash ?? '';
}

describe('Okta tests the connection', () => {
  it.each(['/Users?startIndex=1&count=2', '/Users?startIndex=1&count=1', '/Groups?startIndex=1&count=100'])(
    'and gets a list with whole numbers from GET %s of an empty directory',
    async (path) => {
      const { status, headers, body } = await server.scim.list(path, okta);
      expect(status).toBe(200);
      expect(headers.get('content-type')).toBe('application/scim+json; charset=utf-8');
      expect(body).toEqual(emptyList);
    },
  );
});

describe('Okta imports the directory', () => {
  const total = 250;
  const walk = async (scim: TestServer['scim'], between: (page: number) => Promise<unknown>): Promise<Resource[]> => {
    const found: Resource[] = [];
    for (let startIndex = 1; startIndex <= total; startIndex += 100) {
      const { body } = await scim.list(`/Users?startIndex=${startIndex}&count=100`, okta);
      const { Resources, ...page } = body;
      const itemsPerPage = Math.min(100, total - startIndex + 1);
      expect(page).toEqual({ schemas: [urn.list], totalResults: total, startIndex, itemsPerPage });
      expect(Resources).toHaveLength(itemsPerPage);
      found.push(...Resources);
      await between(startIndex);
    }
    return found;
  };

  it('in pages of 100 that hold every user once, in an order that changes do not disturb', async () => {
    const scim = await server.addTenant('okta-import');
    const created: string[] = [];
    for (let next = 0; next < total; next++) {
      const { status, body } = await scim.post('/Users', profile(`user-${total - next}@okta.local`), okta);
      expect(status).toBe(201);
      created.push(body.id);
    }
    const undisturbed = await walk(scim, () => Promise.resolve());
    expect(undisturbed.map((user) => user.id)).toEqual(created);
    const disturbed = await walk(scim, async (startIndex) => {
      const [early, late] = [created[startIndex], created[total - startIndex]];
      for (const id of [early, late]) {
        const renamed = await scim.operations(`/Users/${id}`, [{ op: 'replace', value: { displayName: 'A' } }], okta);
        expect(renamed.status).toBe(200);
      }
    });
    expect(disturbed.map((user) => user.id)).toEqual(created);
  });

  it('and reads each user as it was assigned, inactive ones too', async () => {
    const scim = await server.addTenant('okta-import-inactive');
    const active = await scim.post('/Users', profile('active@okta.local'), okta);
    const inactive = await scim.post('/Users', { ...profile('inactive@okta.local'), active: false }, okta);
    const { body } = await scim.list('/Users?startIndex=1&count=100', okta);
    expect(body.Resources).toEqual([
      represented(profile('active@okta.local'), active.body.id),
      { ...represented(profile('inactive@okta.local'), inactive.body.id), active: false },
    ]);
  });
});

describe('Okta assigns a user', () => {
  it('and finds that nobody has the userName', async () => {
    const { status, body } = await match('userName', 'nobody@okta.local');
    expect(status).toBe(200);
    expect(body).toEqual(emptyList);
  });

  it('by POST with "groups": [] and a password, and gets the whole user without either', async () => {
    const login = 'test.user@okta.local';
    const { status, headers, body, text } = await assign(login, { password });
    expect(status).toBe(201);
    expect(body).toEqual(represented(profile(login), body.id));
    expect(headers.get('location')).toBe(body.meta.location);
    expect(headers.get('etag')).toBe('W/"1"');
    expect(text).not.toContain('password');
    expect((await readUser(body.id)).body).toEqual(body);
  });

  it('and only a salted hash of the password is stored (RFC 7644 section 7.7)', async () => {
    const users = [await assign('hash1@okta.local', { password }), await assign('hash2@okta.local', { password })];
    const hashes = await Promise.all(users.map(({ body }) => passwordHash(body.id)));
    expect(hashes.map((hash) => /^\$scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/.test(hash))).toEqual([true, true]);
    expect(hashes[0]).not.toBe(hashes[1]);
    expect(await Promise.all(hashes.map((hash) => verifyPassword(password, hash)))).toEqual([true, true]);
    const rows = await server.dataSource.query<{ text: string }[]>('SELECT u::text AS text FROM users u');
    expect(rows.filter(({ text }) => text.includes(password))).toEqual([]);
    expect(JSON.stringify(server.logged())).not.toContain(password);
  });

  it('and matches the user whatever the case of the userName', async () => {
    const { body: user } = await assign('match@okta.local');
    const { body } = await match('userName', 'MATCH@Okta.Local');
    expect(body).toEqual({
      ...{ schemas: [urn.list], totalResults: 1, startIndex: 1, itemsPerPage: 1 },
      Resources: [user],
    });
  });

  it.each([
    ['the same userName in another case', { userName: 'TAKEN@okta.local', externalId: '00u-other' }],
    ['the same externalId', { userName: 'other@okta.local' }],
  ])('but not a second one with %s: 409 uniqueness, and the first stays as it is', async (_what, more) => {
    const login = 'taken@okta.local';
    await assign(login);
    const before = await match('userName', login);
    const { status, body } = await server.scim.post<ErrorMessage>('/Users', { ...profile(login), ...more }, okta);
    expect(status).toBe(409);
    expect(body).toEqual(scimError(409, 'uniqueness'));
    expect((await match('userName', login)).body).toEqual(before.body);
    expect((await match('userName', 'other@okta.local')).body.totalResults).toBe(0);
  });

  it('with a manager by name and an extension that "schemas" does not list, and both come back', async () => {
    const enterprise = { employeeNumber: '701984', department: 'Tours', manager: { value: 'Kai Manager' } };
    const { body } = await assign('enterprise@okta.local', { [urn.enterprise]: enterprise });
    expect(body.schemas).toEqual([urn.user, urn.enterprise]);
    expect(body[urn.enterprise]).toEqual(enterprise);
  });

  it('and asks whether the user is still there, until it is not', async () => {
    const { body } = await assign('gone@okta.local');
    expect((await readUser(body.id)).status).toBe(200);
    expect((await server.scim.delete(`/Users/${body.id}`)).status).toBe(204);
    expect((await readUser(body.id)).status).toBe(404);
    expect((await assign('gone@okta.local')).status).toBe(201);
  });
});

describe('Okta updates a user by GET and PUT of the whole object', () => {
  it('ignoring the id, groups and meta in it, and answering the whole user', async () => {
    const { body: created } = await assign('put@okta.local', { nickName: 'Putty' });
    const { body: group } = await server.scim.post('/Groups', {
      displayName: 'Put',
      members: [{ value: created.id }],
    });
    const { body: read } = await readUser(created.id);
    const groups = [{ value: group.id, $ref: group.meta.location, display: 'Put', type: 'direct' }];
    expect(read['groups']).toEqual(groups);
    const sent = { ...read, name: { givenName: 'Another', familyName: 'User' }, emails: [] };
    const meta = { ...read.meta, created: '1970-01-01T00:00:00Z', location: 'https://evil.example', version: 'x' };
    const { status, headers, body } = await server.scim.put(`/Users/${read.id}`, { ...sent, groups: [], meta }, okta);
    expect(status).toBe(200);
    const { emails: _cleared, ...rest } = sent;
    expect(body).toEqual({ ...rest, meta: { ...metaOf('User', read.id, 2), created: read.meta.created } });
    expect(headers.get('etag')).toBe('W/"2"');
    expect(body.meta.lastModified > read.meta.lastModified).toBe(true);
    expect((await readUser(created.id)).body).toEqual(body);
  });

  it('and a PUT of exactly what GET returned changes nothing, not even lastModified', async () => {
    const { body } = await assign('same@okta.local', { [urn.enterprise]: { department: 'Tours' } });
    const { status, body: put } = await server.scim.put(`/Users/${body.id}`, body, okta);
    expect(status).toBe(200);
    expect(put).toEqual(body);
  });

  it('clearing what the object leaves out, but for active and the password', async () => {
    const { body } = await assign('clear@okta.local', {
      nickName: 'C',
      password,
      [urn.enterprise]: { department: 'Tours' },
    });
    await replaceValue(body.id, { active: false });
    const hash = await passwordHash(body.id);
    const { body: put } = await server.scim.put(
      `/Users/${body.id}`,
      { schemas: [urn.user], userName: 'clear@okta.local', name: null },
      okta,
    );
    expect(put).toEqual({
      ...{ schemas: [urn.user], id: body.id, userName: 'clear@okta.local', active: false },
      meta: metaOf('User', body.id, 3),
    });
    expect(await passwordHash(body.id)).toBe(hash);
  });

  it.each<[string, JsonObject, number, string]>([
    ['the userName of another user', { userName: 'Neighbour@okta.local' }, 409, 'uniqueness'],
    ['the externalId of another user', { externalId: '00u-neighbour@okta.local' }, 409, 'uniqueness'],
    ['no userName', { userName: null }, 400, 'invalidValue'],
  ])('but not with %s', async (_what, change, expected, scimType) => {
    await assign('neighbour@okta.local');
    await assign('mover@okta.local');
    const found = await match('userName', 'mover@okta.local');
    const user = found.body.Resources[0] as Resource;
    const { status, body } = await server.scim.put<ErrorMessage>(`/Users/${user.id}`, { ...user, ...change }, okta);
    expect([status, body.scimType]).toEqual([expected, scimType]);
    expect((await readUser(user.id)).body).toEqual(user);
  });

  it('and deactivates with it', async () => {
    const { body } = await assign('put-active@okta.local');
    const { body: put } = await server.scim.put(`/Users/${body.id}`, { ...body, active: false }, okta);
    expect(put['active']).toBe(false);
  });
});

describe('Okta deactivates and reactivates a user by PATCH without a path', () => {
  it('and gets the user; the inactive user is found again and becomes active', async () => {
    const login = 'leaver@okta.local';
    const { body: created } = await assign(login);
    const off = await replaceValue(created.id, { active: false });
    expect(off.status).toBe(200);
    expect(off.body).toEqual({ ...represented(profile(login), created.id, 2), active: false });
    expect((await match('userName', login)).body.Resources).toEqual([off.body]);
    expect((await readUser(created.id)).body).toEqual(off.body);
    const on = await replaceValue(created.id, { active: true });
    expect(on.body).toEqual(represented(profile(login), created.id, 3));
  });

  it('and cannot create a second user with the userName of an inactive one', async () => {
    const { body } = await assign('inactive@okta.local');
    await replaceValue(body.id, { active: false });
    const { status } = await assign('inactive@okta.local', { externalId: 'another' });
    expect(status).toBe(409);
    expect((await readUser(body.id)).body['active']).toBe(false);
  });

  it('and doing so twice changes nothing the second time', async () => {
    const { body } = await assign('twice@okta.local');
    const first = await replaceValue(body.id, { active: false });
    const second = await replaceValue(body.id, { active: false });
    expect(second.body).toEqual(first.body);
  });
});

describe('Okta changes a password', () => {
  it.each<[string, (id: string, user: Resource) => Promise<{ status: number; text: string }>]>([
    ['PATCH', (id) => replaceValue(id, { password: 'n3w-Passw0rd' })],
    ['PUT', (id, user) => server.scim.put(`/Users/${id}`, { ...user, password: 'n3w-Passw0rd' }, okta)],
  ])('by %s, which stores its hash and never returns it', async (method, change) => {
    const { body } = await assign(`change-${method}@okta.local`, { password });
    const old = await passwordHash(body.id);
    const { status, text } = await change(body.id, body);
    expect([status, text.includes('assword')]).toEqual([200, false]);
    const hash = await passwordHash(body.id);
    expect([await verifyPassword('n3w-Passw0rd', hash), await verifyPassword(password, hash)]).toEqual([true, false]);
    expect(hash).not.toBe(old);
    const again = await change(body.id, body);
    expect([again.status, await passwordHash(body.id)]).toEqual([200, hash]);
    expect((await readUser(body.id)).body.meta.version).toBe('W/"2"');
  });
});
