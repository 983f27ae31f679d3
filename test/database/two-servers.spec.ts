import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { JsonObject } from '../../src/scim/index.js';
import type { Answer, Resource, ScimClient } from '../support/client.js';
import { inconsistencies } from '../support/consistency.js';
import { scimError } from '../support/errors.js';
import { inParallel, startReplicas, type Replicas } from '../support/replicas.js';

jest.setTimeout(120_000);

let replicas: Replicas;
beforeAll(async () => {
  replicas = await startReplicas();
});
afterAll(() => replicas.close());

let asked = 0;
/** Each request goes to the next server. */
const next = (clients: readonly ScimClient[] = replicas.clients): ScimClient =>
  clients[asked++ % clients.length] as ScimClient;
const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
const statuses = (answers: readonly Answer<unknown>[]): number[] => answers.map(({ status }) => status).sort();

let made = 0;
const fresh = (name: string): string => `${name}-${++made}`;
async function create(path: string, body: JsonObject): Promise<Resource> {
  const { status, body: created } = await next().post(path, body);
  expect(status).toBe(201);
  return created;
}
const createUser = () => create('/Users', { userName: fresh('user') });
const createUsers = (count: number) =>
  inParallel(
    16,
    Array.from({ length: count }, () => createUser),
  );
const createGroup = () => create('/Groups', { displayName: fresh('group') });
const addition = ({ id: value }: Resource) => [{ op: 'add', path: 'members', value: [{ value }] }];
const membersOf = ({ members }: Resource): string[] =>
  ((members ?? []) as { value: string }[]).map(({ value }) => value);
const read = async (path: string): Promise<Resource> => (await next().get(path)).body;

describe('One group', () => {
  it('keeps every member that 200 parallel requests add', async () => {
    const [group, users] = [await createGroup(), await createUsers(200)];
    const add = (user: Resource) => next().operations(`/Groups/${group.id}`, addition(user));
    const answers = await Promise.all(users.map(add));
    expect(statuses(answers)).toEqual(users.map(() => 204));
    const after = await read(`/Groups/${group.id}`);
    expect(membersOf(after)).toEqual(users.map(({ id }) => id).sort());
    expect(after.meta.version).toBe('W/"201"');
    // No two requests made the same version.
    expect(new Set(answers.map(({ headers }) => headers.get('etag'))).size).toBe(200);
  });
});

describe('If-Match (RFC 7644 section 3.14), with 20 writers at once', () => {
  const kinds: [string, () => Promise<Resource>, string][] = [
    ['user', createUser, '/Users'],
    ['group', createGroup, '/Groups'],
  ];
  it.each(kinds)('lets one PATCH of a %s win, and the others get 412', async (_kind, make, endpoint) => {
    const resource = await make();
    const patch = (writer: number) =>
      next().operations(
        `${endpoint}/${resource.id}?attributes=externalId`,
        [{ op: 'replace', path: 'externalId', value: `${resource.id}-${writer}` }],
        { headers: { 'If-Match': resource.meta.version } },
      );
    const answers = await Promise.all(range(20).map(patch));
    expect(statuses(answers)).toEqual([200, ...range(19).map(() => 412)]);
    const winner = answers.findIndex(({ status }) => status === 200);
    const after = await read(`${endpoint}/${resource.id}`);
    expect([after['externalId'], after.meta.version]).toEqual([`${resource.id}-${winner}`, 'W/"2"']);
  });

  it.each(kinds)('lets one of PUT, PATCH and DELETE of a %s win', async (_kind, make, endpoint) => {
    const resource = await make();
    const { meta, id: _id, ...body } = resource;
    const path = `${endpoint}/${resource.id}`;
    const headers = { 'If-Match': meta.version };
    const write = (writer: number): Promise<Answer<unknown>> => {
      const externalId = `${resource.id}-${writer}`;
      if (writer % 3 === 0) return next().put(path, { ...body, externalId }, { headers });
      if (writer % 3 === 1) return next().operations(path, [{ op: 'add', value: { externalId } }], { headers });
      return next().delete(path, { headers });
    };
    const answers = await Promise.all(range(20).map(write));
    const won = answers.filter(({ status }) => status < 300);
    const lost = answers.filter(({ status }) => status >= 300);
    expect([won.length, lost.length]).toEqual([1, 19]);
    const winner = answers.findIndex(({ status }) => status < 300);
    // Where the deletion came first, whoever comes later finds nothing.
    const isDeleted = winner % 3 === 2;
    expect(lost.filter(({ status }) => status !== 412 && !(isDeleted && status === 404))).toEqual([]);
    const after = await next().get(path);
    expect([after.status, after.body['externalId']]).toEqual(
      isDeleted ? [404, undefined] : [200, `${resource.id}-${winner}`],
    );
  });
});

describe('Parallel creation', () => {
  it.each<[string, string, (writer: number) => JsonObject]>([
    ['userName', '/Users', (writer) => ({ userName: ['Taken.Name', 'taken.name'][writer % 2] ?? '' })],
    ['externalId of a user', '/Users', () => ({ userName: fresh('other'), externalId: 'taken' })],
    ['externalId of a group', '/Groups', () => ({ displayName: fresh('other'), externalId: 'taken' })],
  ])('of one %s gives one 201, and 409 uniqueness to the others', async (_attribute, endpoint, body) => {
    const before = (await next().list(`${endpoint}?count=0`)).body.totalResults;
    const answers = await Promise.all(range(20).map((writer) => next().post<JsonObject>(endpoint, body(writer))));
    expect(statuses(answers)).toEqual([201, ...range(19).map(() => 409)]);
    const lost = answers.filter(({ status }) => status === 409);
    expect(lost.map(({ body }) => body)).toEqual(lost.map(() => scimError(409, 'uniqueness')));
    expect((await next().list(`${endpoint}?count=0`)).body.totalResults).toBe(before + 1);
  });
});

describe('Groups that are made a cycle from all sides at once', () => {
  /** Every way to read what is in a cycle or hangs on it. @throws Error when one is not answered */
  async function readAll(groups: readonly Resource[], user: Resource): Promise<Answer<unknown>[]> {
    const filters = [
      ...groups.map(({ id }) => `/Users?filter=${encodeURIComponent(`groups.value eq "${id}"`)}`),
      ...groups.map(({ id }) => `/Groups?filter=${encodeURIComponent(`members[value eq "${id}"]`)}`),
    ];
    const paths = [`/Users/${user.id}`, '/Users?sortBy=groups.display', ...groups.map(({ id }) => `/Groups/${id}`)];
    // The bound: a read that went round for ever would be answered 503 by the statement timeout.
    return Promise.all([...filters, ...paths].map((path) => next().get<unknown>(path)));
  }

  it('answer every read while and after the cycle is closed, and a member of one is in all', async () => {
    const groups = await Promise.all(range(6).map(createGroup));
    const user = await createUser();
    expect((await next().operations(`/Groups/${groups[3]?.id}`, addition(user))).status).toBe(204);
    // Round both ways, so that the graph is full of cycles.
    const links = groups.flatMap((group, index) =>
      [1, 5].map((step) => next().operations(`/Groups/${group.id}`, addition(groups[(index + step) % 6] as Resource))),
    );
    const reads = [readAll(groups, user), readAll(groups, user)];
    expect(statuses(await Promise.all(links))).toEqual(links.map(() => 204));
    reads.push(readAll(groups, user));
    expect((await Promise.all(reads)).flat().filter(({ status }) => status !== 200)).toEqual([]);
    const { groups: of } = await read(`/Users/${user.id}`);
    expect((of as { value: string }[]).map(({ value }) => value)).toEqual(groups.map(({ id }) => id).sort());
  });

  it('are made by two bulk requests that close it from two sides, and by one that is a circle itself', async () => {
    const [left, right] = [await createGroup(), await createGroup()];
    const patch = (group: Resource, member: Resource) => ({
      method: 'PATCH',
      path: `/Groups/${group.id}`,
      data: { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: addition(member) },
    });
    const circle = ['a', 'b', 'c'].map((bulkId, index, all) => ({
      ...{ method: 'POST', path: '/Groups', bulkId },
      data: { displayName: fresh(bulkId), members: [{ value: `bulkId:${all[(index + 1) % 3]}` }, { value: left.id }] },
    }));
    const requests = [[patch(left, right)], [patch(right, left)], circle];
    const answers = await Promise.all(
      requests.map((Operations) =>
        next().post<{ Operations: { status: string; location: string }[] }>('/Bulk', {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
          Operations,
        }),
      ),
    );
    const results = answers.map(({ body }) => body.Operations.map(({ status }) => status));
    expect(results).toEqual([['204'], ['204'], ['201', '201', '201']]);
    const user = await createUser();
    expect((await next().operations(`/Groups/${right.id}`, addition(user))).status).toBe(204);
    const ids = (answers[2]?.body.Operations ?? []).map(({ location }) => location.slice(-36));
    const all = [left.id, right.id, ...ids];
    const { groups } = await read(`/Users/${user.id}`);
    expect((groups as { value: string }[]).map(({ value }) => value)).toEqual([...all].sort());
    const reads = await readAll(await Promise.all(all.map((id) => read(`/Groups/${id}`))), user);
    expect(statuses(reads)).toEqual(reads.map(() => 200));
  });

  it('are deleted from all sides at once, and nothing is left of their memberships', async () => {
    const groups = await Promise.all(range(5).map(createGroup));
    const links = groups.map((group, index) =>
      next().operations(`/Groups/${group.id}`, addition(groups[(index + 1) % 5] as Resource)),
    );
    expect(statuses(await Promise.all(links))).toEqual(links.map(() => 204));
    const deletions = groups.flatMap(({ id }) => [next().delete(`/Groups/${id}`), next().delete(`/Groups/${id}`)]);
    expect(statuses(await Promise.all(deletions))).toEqual([...range(5).map(() => 204), ...range(5).map(() => 404)]);
  });
});

describe('Two tenants that are busy at once', () => {
  /** Writes and reads under one name; the names of both tenants are the same. @returns every answer */
  async function hammer(clients: readonly ScimClient[], secret: string): Promise<Answer<unknown>[]> {
    const story = (number: number) => async (): Promise<Answer<unknown>[]> => {
      const body = { userName: `same-${number}`, externalId: `same-${number}`, displayName: secret };
      const user = await next(clients).post('/Users', body);
      const members = [{ value: user.body.id }];
      const group = await next(clients).post('/Groups', { displayName: secret, externalId: `same-${number}`, members });
      return [
        ...[user, group],
        await next(clients).operations(`/Users/${user.body.id}`, [{ op: 'add', value: { title: secret } }]),
        await next(clients).get(`/Users/${user.body.id}`),
        await next(clients).list(`/Users?filter=${encodeURIComponent(`userName eq "same-${number}"`)}`),
        await next(clients).list('/Groups?count=5&sortBy=displayName'),
        await next(clients).post('/.search', { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'] }),
      ];
    };
    return (await inParallel(8, range(25).map(story))).flat();
  }

  it('never see or change anything of each other', async () => {
    const tenants = ['red-secret', 'blue-secret'];
    const clients = await Promise.all(tenants.map((name) => replicas.addTenant(name)));
    const answers = await Promise.all(clients.map((own, index) => hammer(own, tenants[index] as string)));
    for (const [index, own] of answers.entries()) {
      expect(own.filter(({ status }) => status > 201)).toEqual([]);
      expect(own.filter(({ text }) => text.includes(tenants[1 - index] as string))).toEqual([]);
      const found = await (clients[index] as ScimClient[])[0]?.list('/Users?count=100');
      const seen = found?.body.Resources.map(({ displayName, title }) => [displayName, title]);
      expect(seen).toEqual(range(25).map(() => [tenants[index], tenants[index]]));
    }
  });
});

describe('The database, after all that', () => {
  it('has an audit event for each change, exact totals, and no membership of what is gone', async () => {
    expect(await inconsistencies((sql) => replicas.dataSource.query(sql))).toEqual([]);
  });
});
