import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type pg from 'pg';
import type { ErrorMessage, JsonObject, JsonValue } from '../../src/scim/index.js';
import type { Answer, Resource } from '../support/client.js';
import { fakeClock } from '../support/clock.js';
import { scimError } from '../support/errors.js';
import { emptyList, locationOf } from '../support/expected.js';
import { startServer, type TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  // Requests that were aborted leave connections that never carried one; the server would wait for those.
  server.app.getHttpServer().closeAllConnections();
  await server.close();
});

let made = 0;
/** A name that no other test has. */
const fresh = (name: string): string => `${name}-${++made}`;
const range = (length: number): number[] => Array.from({ length }, (_, index) => index);

const create = async (path: string, body: JsonObject): Promise<Resource> => {
  const { status, body: created } = await server.scim.post(path, body);
  expect(status).toBe(201);
  return created;
};
const createUser = (more: JsonObject = {}) => create('/Users', { userName: fresh('user'), ...more });
const createUsers = (count: number) => Promise.all(range(count).map(() => createUser()));
const createGroup = (members: readonly Resource[] = []) =>
  create('/Groups', { displayName: fresh('group'), members: members.map(({ id: value }) => ({ value })) });

const read = async (path: string): Promise<Resource> => (await server.scim.get(path)).body;
const add = (group: Resource, ...members: Resource[]) =>
  server.scim.operations<ErrorMessage>(`/Groups/${group.id}`, [
    { op: 'add', path: 'members', value: members.map(({ id: value }) => ({ value })) },
  ]);
const remove = (group: Resource, member: Resource) =>
  server.scim.operations(`/Groups/${group.id}`, [{ op: 'remove', path: `members[value eq "${member.id}"]` }]);

async function memberIds(group: Resource): Promise<string[]> {
  const { members } = await read(`/Groups/${group.id}`);
  return ((members ?? []) as { value: string }[]).map(({ value }) => value);
}
const ids = (resources: readonly Resource[]): string[] => resources.map(({ id }) => id).sort();
const statuses = (answers: readonly Answer<unknown>[]): number[] => answers.map(({ status }) => status).sort();

/** Rows that name a group or member that is not there. Foreign keys forbid them; this asks without trusting those. */
const danglingMembers = () =>
  server.dataSource.query<unknown[]>(
    `SELECT m.* FROM group_members m
     LEFT JOIN groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
     LEFT JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.member_id
     LEFT JOIN groups n ON n.tenant_id = m.tenant_id AND n.id = m.member_id
     WHERE g.id IS NULL OR (u.id IS NULL AND n.id IS NULL)`,
  );

describe('A statement that the database refuses', () => {
  it('costs no connection: those that wait for one, or come next, are served', async () => {
    const userName = fresh('user');
    await createUser({ userName });
    const { master: pool } = server.dataSource.driver as unknown as { master: pg.Pool };
    let ended = 0;
    const count = (): void => void ended++;
    pool.on('remove', count);
    const answers = await Promise.all(range(12).map(() => server.scim.post('/Users', { userName })));
    pool.off('remove', count);
    expect([statuses(answers), ended]).toEqual([Array<number>(12).fill(409), 0]);
  });
});

describe('Members of one group, changed by many requests at once', () => {
  it('are all there after 24 parallel additions of one each, and each counts as a change', async () => {
    const [group, users] = [await createGroup(), await createUsers(24)];
    const answers = await Promise.all(users.map((user) => add(group, user)));
    expect(statuses(answers)).toEqual(users.map(() => 204));
    expect(await memberIds(group)).toEqual(ids(users));
    expect((await read(`/Groups/${group.id}`)).meta.version).toBe('W/"25"');
  });

  it('are one membership after 12 parallel additions of the same member', async () => {
    const [group, user] = [await createGroup(), await createUser()];
    const answers = await Promise.all(range(12).map(() => add(group, user)));
    expect(statuses(answers)).toEqual(range(12).map(() => 204));
    expect(await memberIds(group)).toEqual([user.id]);
    expect((await read(`/Groups/${group.id}`)).meta.version).toBe('W/"2"');
  });

  it('are exactly who was added and not removed, after 100 parallel additions and removals by 20 workers', async () => {
    const users = await createUsers(100);
    const [leaving, coming] = [users.slice(0, 50), users.slice(50)];
    const group = await createGroup(leaving);
    const work = leaving.flatMap((user, index) => [() => remove(group, user), () => add(group, coming[index] ?? user)]);
    const answers: Answer<unknown>[] = [];
    const worker = async (): Promise<void> => {
      for (let next = work.shift(); next; next = work.shift()) answers.push(await next());
    };
    await Promise.all(range(20).map(worker));
    expect(statuses(answers)).toEqual(users.map(() => 204));
    expect(await memberIds(group)).toEqual(ids(coming));
  });

  it('are the last complete list, never a mixture, after parallel replacements', async () => {
    const users = await createUsers(12);
    const group = await createGroup();
    const lists = range(6).map((index) => users.slice(index, index + 7));
    const replace = (list: readonly Resource[]) =>
      server.scim.operations(`/Groups/${group.id}`, [
        { op: 'replace', path: 'members', value: list.map(({ id: value }) => ({ value })) },
      ]);
    expect(statuses(await Promise.all(lists.map(replace)))).toEqual(lists.map(() => 204));
    expect(lists.map((list) => ids(list))).toContainEqual(await memberIds(group));
  });

  it('are in both groups after requests that name the same members in opposite orders', async () => {
    const users = await createUsers(10);
    const groups = [await createGroup(), await createGroup()];
    const orders = [users, [...users].reverse()];
    const answers = await Promise.all(groups.flatMap((group) => orders.map((order) => add(group, ...order))));
    expect(statuses(answers)).toEqual([204, 204, 204, 204]);
    expect([await memberIds(groups[0] as Resource), await memberIds(groups[1] as Resource)]).toEqual([
      ids(users),
      ids(users),
    ]);
  });
});

describe('A value that has to be unique', () => {
  it.each<[string, () => JsonObject[]]>([
    ['userName', () => [{ userName: 'Same.User' }, { userName: 'same.user' }]],
    ['externalId', () => [fresh('one'), fresh('two')].map((userName) => ({ userName, externalId: 'same-external' }))],
  ])('%s goes to one of two parallel POSTs; the other gets 409 uniqueness', async (attribute, bodies) => {
    const answers = await Promise.all(bodies().map((body) => server.scim.post<JsonObject>('/Users', body)));
    expect(statuses(answers)).toEqual([201, 409]);
    const [won, lost] = [201, 409].map((status) => answers.find((answer) => answer.status === status)?.body);
    expect(lost).toEqual(scimError(409, 'uniqueness'));
    const filter = encodeURIComponent(`${attribute} eq ${JSON.stringify(won?.[attribute])}`);
    expect((await server.scim.list(`/Users?filter=${filter}`)).body.Resources).toEqual([won]);
  });

  it.each<[string, (id: string, userName: string) => Promise<Answer<unknown>>]>([
    ['PATCH', (id, userName) => server.scim.operations(`/Users/${id}`, [{ op: 'replace', value: { userName } }])],
    ['PUT', (id, userName) => server.scim.put(`/Users/${id}`, { userName })],
  ])('goes to one of 8 users that take it by %s at once; the others stay as they are', async (_method, take) => {
    const [users, wanted] = [await createUsers(8), fresh('wanted')];
    const answers = await Promise.all(users.map(({ id }) => take(id, wanted)));
    expect(statuses(answers)).toEqual([200, ...range(7).map(() => 409)]);
    const after = await Promise.all(users.map(({ id }) => read(`/Users/${id}`)));
    const unchanged = after.filter((user, index) => JSON.stringify(user) === JSON.stringify(users[index]));
    expect([unchanged.length, after.filter((user) => user['userName'] === wanted).length]).toEqual([7, 1]);
  });
});

describe('If-Match (RFC 7644 section 3.14)', () => {
  it.each<[string, (user: Resource, writer: number) => Promise<Answer<unknown>>]>([
    [
      'PATCH',
      ({ id }, writer) =>
        server.scim.operations(`/Users/${id}`, [{ op: 'replace', value: { nickName: `writer ${writer}` } }], {
          headers: { 'If-Match': 'W/"1"' },
        }),
    ],
    [
      'PUT',
      (user, writer) =>
        server.scim.put(
          `/Users/${user.id}`,
          { ...user, nickName: `writer ${writer}` },
          { headers: { 'If-Match': 'W/"1"' } },
        ),
    ],
  ])('lets one of 20 parallel writers by %s win; the others get 412', async (_method, write) => {
    const user = await createUser();
    const answers = await Promise.all(range(20).map((writer) => write(user, writer)));
    expect(statuses(answers)).toEqual([200, ...range(19).map(() => 412)]);
    const winner = answers.findIndex(({ status }) => status === 200);
    const after = await read(`/Users/${user.id}`);
    expect([after['nickName'], after.meta.version]).toEqual([`writer ${winner}`, 'W/"2"']);
    expect(answers.find(({ status }) => status === 412)?.body).toEqual(scimError(412));
  });

  it('lets one of 8 parallel deletions win; the others find nothing', async () => {
    const user = await createUser();
    const headers = { 'If-Match': user.meta.version };
    const answers = await Promise.all(range(8).map(() => server.scim.delete(`/Users/${user.id}`, { headers })));
    expect(statuses(answers)).toEqual([204, ...range(7).map(() => 404)]);
  });
});

describe('A user deleted while being added to groups', () => {
  it('is in no group afterwards, no answer is a 5xx, and each group counted what happened to it', async () => {
    for (let round = 0; round < 6; round++) {
      const user = await createUser();
      const groups = await Promise.all(range(8).map(() => createGroup()));
      const additions = groups.map((group) => add(group, user));
      const [deleted, ...added] = await Promise.all([server.scim.delete(`/Users/${user.id}`), ...additions]);
      expect(deleted.status).toBe(204);
      expect(added.map(({ status, body }) => [status, body])).toEqual(
        added.map(({ status }) => (status === 204 ? [204, undefined] : [400, scimError(400, 'invalidValue')])),
      );
      const after = await Promise.all(groups.map(({ id }) => read(`/Groups/${id}`)));
      expect(after.map(({ members, meta }) => [members, meta.version])).toEqual(
        // Created; where the addition came first, changed by it and again by the deletion.
        added.map(({ status }) => [undefined, status === 204 ? 'W/"3"' : 'W/"1"']),
      );
    }
    expect(await danglingMembers()).toEqual([]);
  });
});

describe('Managers of each other, deleted at once', () => {
  it('are all gone, and who reported to one of them has no manager', async () => {
    const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
    const chain = [await createUser()];
    while (chain.length < 6) chain.push(await createUser({ [enterprise]: { manager: chain.at(-1)?.id ?? '' } }));
    const [top, ...reports] = chain;
    const circle = [{ op: 'add', path: `${enterprise}:manager`, value: chain.at(-1)?.id ?? '' }];
    expect((await server.scim.operations(`/Users/${top?.id}`, circle)).status).toBe(200);
    const left = reports.splice(2, 1);
    const gone = [top, ...reports];
    const answers = await Promise.all(gone.map((user) => server.scim.delete(`/Users/${user?.id}`)));
    expect(statuses(answers)).toEqual(gone.map(() => 204));
    const after = await read(`/Users/${left[0]?.id}`);
    expect([after[enterprise], after.meta.version]).toEqual([undefined, 'W/"2"']);
  });
});

describe('Groups nested in a cycle', () => {
  const link = (groups: readonly Resource[]) =>
    groups.map((group, index) => add(group, groups[(index + 1) % groups.length] as Resource));
  const entry = ({ id, displayName }: Resource, type: string): JsonValue => ({
    ...{ value: id, display: displayName as string, type },
    $ref: locationOf('Group', id),
  });

  it('are accepted, also when requests close the cycle at the same time, and each is listed once', async () => {
    const groups = await Promise.all(range(3).map(() => createGroup()));
    expect(statuses(await Promise.all(link(groups)))).toEqual([204, 204, 204]);
    const user = await createUser();
    expect((await add(groups[1] as Resource, user)).status).toBe(204);
    const expected = groups.map((group, index) => entry(group, index === 1 ? 'direct' : 'indirect'));
    const byId = (a: JsonValue, b: JsonValue): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
    expect((await read(`/Users/${user.id}`))['groups']).toEqual(expected.sort(byId));
    const filter = encodeURIComponent(`groups.value eq "${groups[2]?.id}"`);
    expect((await server.scim.list(`/Users?filter=${filter}`)).body.Resources.map(({ id }) => id)).toEqual([user.id]);
  });

  it('may be made by PUT, and hold each other', async () => {
    const [outer, inner] = [await createGroup(), await createGroup()];
    const put = ({ id, displayName }: Resource, member: Resource) =>
      server.scim.put(`/Groups/${id}`, {
        displayName: displayName as string,
        members: [{ value: member.id, type: 'Group' }],
      });
    const answers = await Promise.all([put(outer, inner), put(inner, outer)]);
    expect(statuses(answers)).toEqual([200, 200]);
    expect([await memberIds(outer), await memberIds(inner)]).toEqual([[inner.id], [outer.id]]);
  });

  it('are deleted at once without a 5xx, and whatever is left is in no group', async () => {
    const groups = await Promise.all(range(4).map(() => createGroup()));
    await Promise.all(link(groups));
    const [kept, ...gone] = groups;
    const answers = await Promise.all(gone.map(({ id }) => server.scim.delete(`/Groups/${id}`)));
    expect(statuses(answers)).toEqual([204, 204, 204]);
    expect(await memberIds(kept as Resource)).toEqual([]);
    expect(await danglingMembers()).toEqual([]);
  });
});

describe('A write whose client goes away', () => {
  it('has happened as a whole, or not at all', async () => {
    const users = await createUsers(5);
    const externalIds = range(30).map(() => fresh('aborted'));
    const requests = externalIds.map((externalId, index) => {
      const controller = new AbortController();
      const members = users.map(({ id: value }) => ({ value }));
      const sent = fetch(`${server.scim.baseUrl}/Groups`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${server.scim.token}`, 'Content-Type': 'application/scim+json' },
        body: JSON.stringify({ displayName: 'aborted', externalId, members }),
        signal: controller.signal,
      });
      // A third goes away at once; the others when the first of them is answered.
      if (index % 3 === 0) setImmediate(() => controller.abort());
      return { controller, sent: sent.then((response) => response.status).catch(() => 'aborted') };
    });
    await Promise.race(requests.map(({ sent }) => sent.then((end) => (end === 201 ? end : new Promise(() => {})))));
    for (const { controller } of requests) controller.abort();
    const ends = await Promise.all(requests.map(({ sent }) => sent));
    expect(ends.filter((end) => end !== 201 && end !== 'aborted')).toEqual([]);
    const { body } = await server.scim.list('/Groups?filter=displayName eq "aborted"');
    expect(body.Resources.map(({ members }) => (members as unknown[]).length)).toEqual(body.Resources.map(() => 5));
    const stored = body.Resources.map(({ externalId }) => externalId);
    expect(stored).toEqual(expect.arrayContaining(externalIds.filter((_, index) => ends[index] === 201)));
  });
});

describe('A clock that goes back', () => {
  it('does not take lastModified back (RFC 7643 section 3.1)', async () => {
    const user = await createUser();
    const group = await createGroup([user]);
    const past = Date.now() - 3_600_000;
    fakeClock(past);
    try {
      const { body } = await server.scim.operations(`/Users/${user.id}`, [{ op: 'add', value: { nickName: 'n' } }]);
      expect(body.meta.lastModified > user.meta.lastModified).toBe(true);
      expect((await server.scim.delete(`/Users/${user.id}`)).status).toBe(204);
      const after = await read(`/Groups/${group.id}`);
      expect([after.meta.version, after.meta.lastModified > group.meta.lastModified]).toEqual(['W/"2"', true]);
      const filter = encodeURIComponent(`meta.lastModified lt "${new Date(past).toISOString()}"`);
      expect((await server.scim.list(`/Groups?filter=${filter}`)).body).toEqual(emptyList);
    } finally {
      jest.useRealTimers();
    }
  });
});
