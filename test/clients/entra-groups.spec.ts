import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonValue } from '../../src/scim/index.js';
import type { Resource } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { emptyList, locationOf, metaOf, urn } from '../support/expected.js';
import { startServer, type TestServer } from '../support/server.js';

let server: TestServer;
/** Four users in the order of their ids, which is the order in which a group lists them. */
const users: Resource[] = [];
const id = (user: number): string => users[user]?.id ?? '';

beforeAll(async () => {
  server = await startServer();
  for (const alias of ['ann', 'bob', 'cat', 'dan']) {
    const { status, body } = await server.scim.post('/Users', { userName: `${alias}@contoso.com`, displayName: alias });
    expect(status).toBe(201);
    users.push(body);
  }
});
afterAll(() => server.close());

const provisioned = (displayName: string) => ({
  schemas: [urn.group, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'],
  externalId: `ext-${displayName}`,
  displayName,
  meta: { resourceType: 'Group' },
});

function represented(group: string, displayName: string, version: number, ...persons: number[]) {
  const members = persons.map((person) => ({
    value: id(person),
    $ref: locationOf('User', id(person)),
    type: 'User',
    display: users[person]?.['displayName'],
  }));
  return {
    ...{ schemas: [urn.group], id: group, externalId: `ext-${displayName}`, displayName },
    ...(members.length > 0 ? { members } : {}),
    meta: metaOf('Group', group, version),
  };
}

/** Members as Entra lists them in an operation. */
const listed = (...persons: number[]): JsonValue[] => persons.map((person) => ({ $ref: null, value: id(person) }));

const read = async (group: string): Promise<Resource> => (await server.scim.get(`/Groups/${group}`)).body;

async function patch(group: string, ...operations: JsonValue[]): Promise<void> {
  const { status, text } = await server.scim.operations(`/Groups/${group}`, operations);
  expect([status, text]).toEqual([204, '']);
}

async function provision(displayName: string, ...persons: number[]): Promise<Resource> {
  const { body } = await server.scim.post('/Groups', provisioned(displayName));
  if (persons.length > 0) await patch(body.id, { op: 'Add', path: 'members', value: listed(...persons) });
  return read(body.id);
}

describe('Entra provisions a group', () => {
  it('by POST without members and with the ADSCIM URN, which is not echoed', async () => {
    const { status, headers, body } = await server.scim.post('/Groups', provisioned('Created'));
    expect(status).toBe(201);
    expect(body).toEqual(represented(body.id, 'Created', 1));
    expect(headers.get('content-type')).toBe('application/scim+json; charset=utf-8');
    expect(await read(body.id)).toEqual(body);
  });

  it.each(['displayName eq "Match"', 'externalId eq "ext-Match"'])(
    'after matching by %s without members, spaces as %%20 or as +',
    async (filter) => {
      const existing = await server.scim.list('/Groups?filter=displayName eq "Match"');
      const group = existing.body.Resources[0] ?? (await provision('Match', 0, 1));
      const { members: _excluded, ...rest } = group;
      const encoded = encodeURIComponent(filter);
      for (const query of [encoded, encoded.replaceAll('%20', '+')]) {
        const { body } = await server.scim.list(`/Groups?excludedAttributes=members&filter=${query}`);
        expect(body).toEqual({ ...emptyList, totalResults: 1, itemsPerPage: 1, Resources: [rest] });
      }
      const one = await server.scim.get(`/Groups/${group.id}?excludedAttributes=members`);
      expect([one.status, one.body]).toEqual([200, rest]);
    },
  );

  it('and renames it', async () => {
    const { id: group } = await provision('Old', 0);
    await patch(group, { op: 'Replace', path: 'displayName', value: 'New' });
    expect(await read(group)).toEqual({ ...represented(group, 'New', 3, 0), externalId: 'ext-Old' });
  });

  it('and deletes it for good', async () => {
    const { id: group } = await provision('Deleted', 0);
    expect((await server.scim.delete(`/Groups/${group}`)).status).toBe(204);
    const { status, body } = await server.scim.get(`/Groups/${group}?excludedAttributes=members`);
    expect([status, body]).toEqual([404, scimError(404)]);
    const { body: user } = await server.scim.get(`/Users/${id(0)}?attributes=groups`);
    expect(JSON.stringify(user)).not.toContain(group);
  });
});

describe('Entra adds and removes members', () => {
  it('with "$ref": null in each, and gets 204 without a body', async () => {
    const { id: group } = await provision('Adds');
    await patch(group, { op: 'Add', path: 'members', value: listed(0, 1) });
    await patch(group, { op: 'Add', path: 'members', value: listed(2) });
    expect(await read(group)).toEqual(represented(group, 'Adds', 3, 0, 1, 2));
  });

  it('by a value list on the path members: only those listed go, all others stay', async () => {
    const { id: group } = await provision('Removes', 0, 1, 2, 3);
    await patch(group, { op: 'Remove', path: 'members', value: listed(1, 3) });
    expect(await read(group)).toEqual(represented(group, 'Removes', 3, 0, 2));
  });

  it.each<[string, (user: string) => JsonValue]>([
    ['one object', (value) => ({ value })],
    ['a bare id', (value) => value],
    ['an array of bare ids', (value) => [value]],
  ])('or by %s in place of a value list', async (written, value) => {
    const name = `Removes ${written}`;
    const { id: group } = await provision(name, 0, 1, 2);
    await patch(group, { op: 'Remove', path: 'members', value: value(id(1)) });
    expect(await read(group)).toEqual(represented(group, name, 3, 0, 2));
  });

  it('by a value path when its flag is on', async () => {
    const { id: group } = await provision('Flag', 0, 1, 2);
    const operations = [{ op: 'remove', path: `members[value eq "${id(1)}"]` }];
    const { status } = await server.scim.operations(`/Groups/${group}?aadOptscim062020`, operations);
    expect(status).toBe(204);
    expect(await read(group)).toEqual(represented(group, 'Flag', 3, 0, 2));
  });

  it.each<[string, () => JsonValue]>([
    ['adding a member again', () => ({ op: 'Add', path: 'members', value: listed(0, 1) })],
    ['removing somebody who is no member', () => ({ op: 'Remove', path: 'members', value: listed(2, 3) })],
    ['removing an empty list', () => ({ op: 'Remove', path: 'members', value: [] })],
  ])('and %s succeeds and changes nothing, not even the version', async (what, operation) => {
    const group = await provision(`No-op ${what}`, 0, 1);
    await patch(group.id, operation());
    expect(await read(group.id)).toEqual(group);
  });

  it('and a remove without a value empties the group (RFC 7644 section 3.5.2.2)', async () => {
    const { id: group } = await provision('Emptied', 0, 1);
    await patch(group, { op: 'Remove', path: 'members' });
    expect(await read(group)).toEqual(represented(group, 'Emptied', 3));
  });

  it('and a member who does not exist fails the request as a whole', async () => {
    const group = await provision('Whole', 0);
    const { status, body } = await server.scim.operations(`/Groups/${group.id}`, [
      { op: 'Add', path: 'members', value: listed(1) },
      { op: 'Remove', path: 'members', value: listed(0) },
      { op: 'Add', path: 'members', value: [{ value: 'a5afc3bd-0b5b-4a34-a4c1-6a0d5a0d7a0e' }] },
    ]);
    expect([status, body]).toEqual([400, scimError(400, 'invalidValue')]);
    expect(await read(group.id)).toEqual(group);
  });

  it.each([
    ['attributes=displayName', ['displayName', 'id', 'schemas']],
    ['excludedAttributes=members', ['displayName', 'externalId', 'id', 'meta', 'schemas']],
  ])('and gets the group in place of 204 when it asks by %s', async (query, names) => {
    const { id: group } = await provision(`Asked ${query}`);
    const operations = [{ op: 'Add', path: 'members', value: listed(0) }];
    const { status, body } = await server.scim.operations(`/Groups/${group}?${query}`, operations);
    expect([status, Object.keys(body).sort()]).toEqual([200, names]);
  });
});

describe('Entra checks a membership', () => {
  it('by filtering on id and members, which means members.value', async () => {
    const { id: group } = await provision('Checked', 0, 1);
    const check = (user: number) =>
      server.scim.list(
        `/Groups?filter=${encodeURIComponent(`id eq "${group}" and members eq "${id(user)}"`)}&attributes=id`,
      );
    const member = await check(1);
    expect(member.body).toEqual({
      ...{ ...emptyList, totalResults: 1, itemsPerPage: 1 },
      Resources: [{ schemas: [urn.group], id: group }],
    });
    expect((await check(2)).body).toEqual(emptyList);
  });
});
