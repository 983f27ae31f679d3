import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { ErrorMessage, JsonValue } from '../../src/scim/index.js';
import type { Resource } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { emptyList, locationOf, metaOf, urn } from '../support/expected.js';
import { okta } from '../support/okta.js';
import { startServer, type TestServer } from '../support/server.js';

let server: TestServer;
/** Four people in the order of their ids, which is the order in which a group lists them. */
const people: Resource[] = [];
const id = (person: number): string => people[person]?.id ?? '';

beforeAll(async () => {
  server = await startServer();
  for (const login of ['ann', 'bob', 'cat', 'dan']) {
    const { status, body } = await server.scim.post('/Users', { userName: `${login}@okta.local` }, okta);
    expect(status).toBe(201);
    people.push(body);
  }
});
afterAll(() => server.close());

/** The members that a group must show: each with its reference, type and name (RFC 7643 section 4.2). */
const members = (...persons: number[]) =>
  persons.map((person) => ({
    value: id(person),
    $ref: locationOf('User', id(person)),
    type: 'User',
    display: people[person]?.['userName'],
  }));

function representation(group: string, displayName: string, version: number, ...persons: number[]) {
  const listed = persons.length > 0 ? { members: members(...persons) } : {};
  return { schemas: [urn.group], id: group, displayName, ...listed, meta: metaOf('Group', group, version) };
}

const read = async (group: string): Promise<Resource> => (await server.scim.get(`/Groups/${group}`, okta)).body;

/** A group with these people in it, made as Okta makes it: empty, then filled. */
async function push(displayName: string, ...persons: number[]): Promise<Resource> {
  const value = persons.map((person) => ({ value: id(person), display: 'whatever Okta calls them' }));
  const { body } = await server.scim.post('/Groups', { schemas: [urn.group], displayName, members: value }, okta);
  return body;
}

describe('Okta pushes a group', () => {
  it('by POST with no members, and gets the group', async () => {
    const sent = { schemas: [urn.group], displayName: 'Test SCIMv2', members: [] };
    const { status, headers, body } = await server.scim.post('/Groups', sent, okta);
    expect(status).toBe(201);
    expect(body).toEqual(representation(body.id, 'Test SCIMv2', 1));
    expect([headers.get('location'), headers.get('etag')]).toEqual([body.meta.location, 'W/"1"']);
    expect(await read(body.id)).toEqual(body);
  });

  it('or links to one that is there, which it finds by displayName', async () => {
    const group = await push('Linked', 0);
    const found = await server.scim.list('/Groups?filter=displayName eq "Linked"&startIndex=1&count=100', okta);
    expect(found.body).toEqual({ ...emptyList, totalResults: 1, itemsPerPage: 1, Resources: [group] });
    const none = await server.scim.list('/Groups?filter=displayName eq "Nothing"&startIndex=1&count=100', okta);
    expect(none.body).toEqual(emptyList);
  });

  it('and imports all groups in pages, in a stable order', async () => {
    const scim = await server.addTenant('okta-groups');
    const created: string[] = [];
    for (const displayName of ['Zulu', 'Alpha', 'Mike']) {
      created.push((await scim.post('/Groups', { displayName }, okta)).body.id);
    }
    const pages = [1, 3, 5].map((startIndex) => scim.list(`/Groups?startIndex=${startIndex}&count=2`, okta));
    const bodies = (await Promise.all(pages)).map(({ body }) => body);
    expect(bodies.flatMap(({ Resources }) => Resources.map((group) => group.id))).toEqual(created);
    expect(bodies.map(({ totalResults, itemsPerPage }) => [totalResults, itemsPerPage])).toEqual([
      [3, 2],
      [3, 1],
      [3, 0],
    ]);
  });
});

describe('Okta changes who is in a group', () => {
  it('by removing with a value path and adding in one request; its own "display" is ignored', async () => {
    const group = await push('Swap', 0, 1);
    const { status, headers, text } = await server.scim.operations(
      `/Groups/${group.id}`,
      [
        { op: 'remove', path: `members[value eq "${id(0)}"]` },
        { op: 'add', path: 'members', value: [{ value: id(2), display: 'somebody else' }] },
      ],
      okta,
    );
    expect([status, text, headers.get('etag')]).toEqual([204, '', 'W/"2"']);
    expect(await read(group.id)).toEqual(representation(group.id, 'Swap', 2, 1, 2));
  });

  it('by a full push, which replaces all members', async () => {
    const group = await push('Full', 0, 1);
    const value = [{ value: id(1) }, { value: id(2) }, { value: id(3) }];
    const full = [{ op: 'replace', path: 'members', value }];
    expect((await server.scim.operations(`/Groups/${group.id}`, full, okta)).status).toBe(204);
    const after = representation(group.id, 'Full', 2, 1, 2, 3);
    expect(await read(group.id)).toEqual(after);
    expect((await server.scim.operations(`/Groups/${group.id}`, full, okta)).status).toBe(204);
    expect(await read(group.id)).toEqual(after);
  });

  it('by PUT with the complete list of members', async () => {
    const group = await push('Put', 0, 1);
    const before = await read(group.id);
    const sent = { ...before, members: [{ value: id(1) }, { value: id(3), type: 'User' }] };
    const { status, body } = await server.scim.put(`/Groups/${group.id}`, sent, okta);
    expect(status).toBe(200);
    expect(body).toEqual(representation(group.id, 'Put', 2, 1, 3));
    expect(await read(group.id)).toEqual(body);
  });

  it('and a PUT of exactly what GET returned changes nothing', async () => {
    const group = await push('Same', 0, 1);
    const { body } = await server.scim.put(`/Groups/${group.id}`, await read(group.id), okta);
    expect(body).toEqual(group);
  });

  it('and a PUT without members leaves the group empty', async () => {
    const group = await push('Emptied', 0, 1);
    const sent = { schemas: [urn.group], displayName: 'Emptied' };
    const { body } = await server.scim.put(`/Groups/${group.id}`, sent, okta);
    expect(body).toEqual(representation(group.id, 'Emptied', 2));
  });

  it('and adding who is in it, or removing who is not, succeeds and changes nothing', async () => {
    const group = await push('Idempotent', 0);
    const operations = [
      { op: 'add', path: 'members', value: [{ value: id(0), display: 'again' }] },
      { op: 'remove', path: `members[value eq "${id(3)}"]` },
    ];
    expect((await server.scim.operations(`/Groups/${group.id}`, operations, okta)).status).toBe(204);
    expect(await read(group.id)).toEqual(group);
  });

  it('and the same member twice in one list is one membership', async () => {
    const group = await push('Twice', 0, 0, 1);
    expect(group).toEqual(representation(group.id, 'Twice', 1, 0, 1));
  });

  it('and each user shows the groups they are in (RFC 7643 section 4.1.2)', async () => {
    const { body: eve } = await server.scim.post('/Users', { userName: 'eve@okta.local' }, okta);
    const { body: inner } = await server.scim.post('/Groups', { displayName: 'Inner', members: [{ value: eve.id }] });
    const { body: outer } = await server.scim.post('/Groups', {
      displayName: 'Outer',
      members: [{ value: inner.id, type: 'Group' }],
    });
    const { body: both } = await server.scim.post('/Groups', {
      displayName: 'Both',
      members: [{ value: inner.id }, { value: eve.id }],
    });
    const entry = ({ id: value, displayName: display }: Resource, type: string) => ({
      ...{ value, display, type },
      $ref: locationOf('Group', value),
    });
    const { body } = await server.scim.get(`/Users/${eve.id}`, okta);
    expect(body['groups']).toEqual([entry(inner, 'direct'), entry(outer, 'indirect'), entry(both, 'direct')]);
    expect(body.meta).toEqual(eve.meta);
  });
});

describe('Okta is refused members that cannot be', () => {
  it.each<[string, () => JsonValue]>([
    ['nobody at all', () => ({ value: randomUUID() })],
    ['no UUID', () => ({ value: '12345' })],
    ['a user in upper case (RFC 7643 section 3.1)', () => ({ value: id(1).toUpperCase() })],
    ['the empty string', () => ({ value: '' })],
    ['null', () => ({ value: null })],
    ['a number', () => ({ value: 12345 })],
    ['a bulkId outside a bulk request', () => ({ value: 'bulkId:ann' })],
    ['SQL', () => ({ value: `${id(1)}'; DROP TABLE users; --` })],
    ['ten thousand characters', () => ({ value: 'a'.repeat(10_000) })],
    ['a user said to be a group', () => ({ value: id(1), type: 'Group' })],
    ['a value and a $ref that differ', () => ({ value: id(1), $ref: locationOf('User', id(2)) })],
  ])('such as %s: 400 invalidValue from every method, and nothing is stored', async (_what, member) => {
    const group = await push('Unchanged', 0);
    const path = `/Groups/${group.id}`;
    const listed = [{ value: id(2) }, member()];
    const sent = { schemas: [urn.group], displayName: 'Refused', members: listed };
    const answers = [
      await server.scim.post<ErrorMessage>('/Groups', sent, okta),
      await server.scim.put<ErrorMessage>(path, sent, okta),
      await server.scim.operations<ErrorMessage>(
        path,
        [
          { op: 'replace', value: { displayName: 'Refused' } },
          { op: 'add', path: 'members', value: listed },
        ],
        okta,
      ),
      await server.scim.operations<ErrorMessage>(path, [{ op: 'replace', path: 'members', value: listed }], okta),
    ];
    expect(answers.map(({ status, body }) => ({ status, body }))).toEqual(
      answers.map(() => ({ status: 400, body: scimError(400, 'invalidValue') })),
    );
    expect(await read(group.id)).toEqual(group);
    const stored = await server.scim.list('/Groups?filter=displayName eq "Refused"', okta);
    expect(stored.body.totalResults).toBe(0);
  });

  it('such as the group itself: 400 invalidValue', async () => {
    const group = await push('Self', 0);
    const own = [{ value: group.id }];
    const byPatch = [{ op: 'add', path: 'members', value: own }];
    const answers = [
      await server.scim.operations<ErrorMessage>(`/Groups/${group.id}`, byPatch, okta),
      await server.scim.put<ErrorMessage>(`/Groups/${group.id}`, { displayName: 'Self', members: own }, okta),
    ];
    expect(answers.map(({ body }) => body)).toEqual([scimError(400, 'invalidValue'), scimError(400, 'invalidValue')]);
    expect(await read(group.id)).toEqual(group);
  });
});

describe('Okta renames and deletes a group', () => {
  it('by a PATCH without a path whose value carries the readOnly id', async () => {
    const group = await push('Before', 0);
    const value = { id: group.id, displayName: 'After' };
    const { status } = await server.scim.operations(`/Groups/${group.id}`, [{ op: 'replace', value }], okta);
    expect(status).toBe(204);
    expect(await read(group.id)).toEqual(representation(group.id, 'After', 2, 0));
  });

  it('by DELETE: the group is gone, and its members have left it', async () => {
    const group = await push('Deleted', 3);
    const path = `/Groups/${group.id}`;
    const gone = await server.scim.delete(path, okta);
    expect([gone.status, gone.text]).toEqual([204, '']);
    const after = [
      await server.scim.get<ErrorMessage>(path, okta),
      await server.scim.put<ErrorMessage>(path, group, okta),
      await server.scim.operations<ErrorMessage>(path, [{ op: 'replace', value: { displayName: 'x' } }], okta),
      await server.scim.delete(path, okta),
    ];
    expect(after.map(({ status, body }) => [status, body])).toEqual(after.map(() => [404, scimError(404)]));
    const { body } = await server.scim.list(`/Users?filter=groups.value eq "${group.id}"`, okta);
    expect(body).toEqual(emptyList);
  });
});
