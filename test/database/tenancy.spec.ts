import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { JsonObject, JsonValue } from '../../src/scim/index.js';
import type { Answer, Resource, ScimClient } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { emptyList, metaOf, urn } from '../support/expected.js';
import { startServer, type TestServer } from '../support/server.js';

let server: TestServer;
/** The tenant that asks, the one that asks by the letter of the RFC, and the one whose ids they ask for. */
let asking: ScimClient;
let strict: ScimClient;
let other: ScimClient;
/** What the other tenant has: none of it may be seen or change. */
let theirs: { user: Resource; group: Resource };

beforeAll(async () => {
  server = await startServer();
  asking = await server.addTenant('asking');
  strict = await server.addTenant('strict', { profile: 'strict' });
  other = await server.addTenant('other');
});
afterAll(() => server.close());

beforeEach(async () => {
  const { body: user } = await other.post('/Users', {
    userName: `secret-${randomUUID()}@example.com`,
    externalId: randomUUID(),
    displayName: 'Secret User',
    [urn.enterprise]: { department: 'Secret' },
  });
  const { body: group } = await other.post('/Groups', { displayName: 'Secret Group', members: [{ value: user.id }] });
  theirs = { user: (await other.get(`/Users/${user.id}`)).body, group };
});

const idOf = (type: string): string => (type === 'Users' ? theirs.user.id : theirs.group.id);

/** Everything of an answer that could tell two ids apart, with the id itself blotted out. */
function comparable({ status, headers, text }: Answer<unknown>, id: string): unknown {
  const { date: _date, 'x-request-id': _requestId, ...rest } = Object.fromEntries(headers);
  return { status, headers: rest, text: text.replaceAll(id, '<id>') };
}

/** Does the same with the other tenant's id and with one that nobody has, and expects the same answer. */
async function behavesAsUnknown(
  id: string,
  request: (id: string) => Promise<Answer<unknown>>,
): Promise<Answer<unknown>> {
  const unknown = `${id.slice(0, -12)}${randomUUID().slice(-12)}`;
  const answer = await request(id);
  expect(comparable(answer, id)).toEqual(comparable(await request(unknown), unknown));
  expect(answer.text).not.toMatch(/secret/i);
  return answer;
}

async function expectTheirsUntouched(): Promise<void> {
  expect((await other.get(`/Users/${theirs.user.id}`)).body).toEqual(theirs.user);
  expect((await other.get(`/Groups/${theirs.group.id}`)).body).toEqual(theirs.group);
}

const deactivate = [{ op: 'replace', path: 'externalId', value: 'taken' }];
const body = (type: string): JsonObject =>
  type === 'Users' ? { schemas: [urn.user], userName: 'mine' } : { schemas: [urn.group], displayName: 'mine' };

describe.each(['Users', 'Groups'])("The id of another tenant's resource at /%s", (type) => {
  it.each<[string, (path: string) => Promise<Answer<unknown>>]>([
    ['GET', (path) => asking.get(path)],
    ['GET with attributes', (path) => asking.get(`${path}?attributes=id`)],
    ['GET with If-None-Match', (path) => asking.get(path, { headers: { 'If-None-Match': '*' } })],
    ['HEAD', (path) => asking.send('HEAD', path, undefined)],
    ['PUT', (path) => asking.put(path, body(type))],
    ['PUT with If-Match', (path) => asking.put(path, body(type), { headers: { 'If-Match': 'W/"1"' } })],
    ['PATCH', (path) => asking.operations(path, deactivate)],
    ['PATCH with a wrong If-Match', (path) => asking.operations(path, deactivate, { headers: { 'If-Match': '"x"' } })],
    ['DELETE', (path) => asking.delete(path)],
    ['DELETE with If-Match', (path) => asking.delete(path, { headers: { 'If-Match': '*' } })],
  ])('is 404 by %s, exactly as an id that nobody has', async (_verb, request) => {
    const answer = await behavesAsUnknown(idOf(type), (id) => request(`/${type}/${id}`));
    expect(answer.status).toBe(404);
    await expectTheirsUntouched();
  });

  it('is found by no filter, and not in any list', async () => {
    const all = await asking.list(`/${type}?count=200`);
    expect(all.body.Resources.filter(({ id }) => id === idOf(type))).toEqual([]);
    const found = await behavesAsUnknown(idOf(type), (id) => asking.list(`/${type}?filter=id eq "${id}"`));
    expect(found.body).toEqual(emptyList);
  });

  it('is not found by a filter on what the resource holds', async () => {
    const filters = {
      Users: [`externalId eq ${JSON.stringify(theirs.user['externalId'])}`, `groups eq "${theirs.group.id}"`],
      Groups: ['displayName eq "Secret Group"', `members eq "${theirs.user.id}"`],
    }[type];
    for (const filter of filters ?? []) {
      const { body: list } = await asking.list(`/${type}?filter=${encodeURIComponent(filter)}`);
      expect(list).toEqual(emptyList);
    }
  });
});

describe("The id of another tenant's resource as a member", () => {
  const member = (value: string): JsonValue => ({ value });

  it.each<[string, (group: string, value: string) => Promise<Answer<unknown>>]>([
    ['POST', (_, value) => asking.post('/Groups', { displayName: 'mine', members: [member(value)] })],
    ['PUT', (group, value) => asking.put(`/Groups/${group}`, { displayName: 'mine', members: [member(value)] })],
    [
      'PATCH add',
      (group, value) => asking.operations(`/Groups/${group}`, [{ op: 'add', path: 'members', value: [member(value)] }]),
    ],
    [
      'PATCH replace',
      (group, value) =>
        asking.operations(`/Groups/${group}`, [{ op: 'replace', path: 'members', value: [member(value)] }]),
    ],
  ])('is 400 invalidValue by %s, exactly as an id that nobody has', async (_verb, request) => {
    const { body: group } = await asking.post('/Groups', { displayName: 'mine' });
    for (const id of [theirs.user.id, theirs.group.id]) {
      const answer = await behavesAsUnknown(id, (value) => request(group.id, value));
      expect([answer.status, answer.body]).toEqual([400, scimError(400, 'invalidValue')]);
    }
    expect((await asking.get(`/Groups/${group.id}`)).body).toEqual(group);
    await expectTheirsUntouched();
  });

  it('removes nothing from their group, and nothing from ours', async () => {
    const { body: group } = await asking.post('/Groups', { displayName: 'mine' });
    const answer = await behavesAsUnknown(theirs.user.id, (value) =>
      asking.operations(`/Groups/${group.id}`, [{ op: 'remove', path: 'members', value: [member(value)] }]),
    );
    expect(answer.status).toBe(204);
    await expectTheirsUntouched();
  });
});

describe("The id of another tenant's user as a manager", () => {
  const report = (manager: string): JsonObject => ({
    schemas: [urn.user, urn.enterprise],
    userName: `report-${randomUUID()}`,
    [urn.enterprise]: { manager: { value: manager } },
  });

  it('is kept as it is, without $ref and displayName, as an id that nobody has', async () => {
    for (const id of [theirs.user.id, randomUUID()]) {
      const { status, body: created } = await asking.post('/Users', report(id));
      expect([status, created[urn.enterprise]]).toEqual([201, { manager: { value: id } }]);
      const filter = encodeURIComponent(`${urn.enterprise}:manager.displayName eq "Secret User"`);
      expect((await asking.list(`/Users?filter=${filter}`)).body).toEqual(emptyList);
    }
    expect((await other.delete(`/Users/${theirs.user.id}`)).status).toBe(204);
    const kept = encodeURIComponent(`${urn.enterprise}:manager eq "${theirs.user.id}"`);
    expect((await asking.list(`/Users?filter=${kept}`)).body.totalResults).toBe(1);
  });

  it.each(['POST', 'PUT', 'PATCH'])('is 400 invalidValue by %s where managers have to exist', async (verb) => {
    const { body: user } = await strict.post('/Users', { schemas: [urn.user], userName: `user-${randomUUID()}` });
    const operation = (value: string): JsonValue => ({
      op: 'add',
      path: `${urn.enterprise}:manager`,
      value: { value },
    });
    const answer = await behavesAsUnknown(theirs.user.id, (id) => {
      if (verb === 'POST') return strict.post('/Users', report(id));
      if (verb === 'PUT') return strict.put(`/Users/${user.id}`, report(id));
      return strict.operations(`/Users/${user.id}`, [operation(id)]);
    });
    expect([answer.status, answer.body]).toEqual([400, scimError(400, 'invalidValue')]);
    expect((await strict.get(`/Users/${user.id}`)).body).toEqual(user);
  });
});

describe('Two tenants', () => {
  it('have users with the same userName and externalId, and groups with the same externalId', async () => {
    const user = { userName: 'same@example.com', externalId: 'same' };
    const group = { displayName: 'Same', externalId: 'same' };
    for (const tenant of [asking, other]) {
      const created = await tenant.post('/Users', user);
      expect([created.status, created.body]).toEqual([
        201,
        { ...user, schemas: [urn.user], id: created.body.id, active: true, meta: metaOf('User', created.body.id, 1) },
      ]);
      expect((await tenant.post('/Groups', group)).status).toBe(201);
      const again = await tenant.post('/Users', user);
      expect([again.status, again.body]).toEqual([409, scimError(409, 'uniqueness')]);
      const found = await tenant.list('/Users?filter=userName eq "same@example.com"');
      expect(found.body.Resources).toEqual([created.body]);
    }
  });

  it('have tokens that are good for one of them only', async () => {
    const { body: mine } = await asking.post('/Users', { userName: randomUUID() });
    const [own, foreign] = [asking.token, other.token];
    const statuses = [own, foreign].map(async (token) => (await asking.get(`/Users/${mine.id}`, { token })).status);
    expect(await Promise.all(statuses)).toEqual([200, 404]);
  });
});
