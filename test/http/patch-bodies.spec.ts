import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { limits, type JsonValue } from '../../src/scim/index.js';
import type { Resource } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { startServer, type TestServer } from '../support/server.js';

const title = { op: 'replace', path: 'title', value: 'Changed' };

let server: TestServer;
let user: Resource;
let group: Resource;

beforeAll(async () => {
  server = await startServer();
  const created = await server.scim.post('/Users', {
    userName: 'patched@example.com',
    title: 'Unchanged',
    name: { familyName: 'Patched' },
    emails: [{ value: 'patched@example.com', type: 'work', primary: true }],
  });
  const members = [{ value: created.body.id }];
  group = (await server.scim.post('/Groups', { displayName: 'Patched', members })).body;
  user = (await server.scim.get(`/Users/${created.body.id}`)).body;
});

afterAll(() => server.close());

/** Whatever was sent, the user, the group and its members are as they were, down to version and lastModified. */
afterEach(async () => {
  expect((await server.scim.list('/Users')).body.Resources).toEqual([user]);
  expect((await server.scim.list('/Groups')).body.Resources).toEqual([group]);
});

async function refusedBy(path: string, Operations: JsonValue | undefined): Promise<unknown> {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp'];
  const answer = await server.scim.patch(path, { schemas, ...(Operations === undefined ? {} : { Operations }) });
  return { status: answer.status, body: answer.body };
}

const byUser = (...operations: JsonValue[]): Promise<unknown> => refusedBy(`/Users/${user.id}`, operations);
const byGroup = (...operations: JsonValue[]): Promise<unknown> => refusedBy(`/Groups/${group.id}`, operations);
const refusal = (status: number, scimType?: string, detail?: unknown): object => ({
  status,
  body: scimError(status, scimType, detail),
});

describe('Operations that are none (RFC 7644 section 3.5.2)', () => {
  it.each<[string, JsonValue | undefined]>([
    ['absent', undefined],
    ['null', null],
    ['an empty array', []],
    ['an object', title],
    ['a string', 'replace'],
    ['an array of null', [null]],
    ['an array in an array', [[title]]],
    ['without op', [{ path: 'title', value: 'Changed' }]],
    ['with a number as op', [{ ...title, op: 1 }]],
    ['with null as op', [{ ...title, op: null }]],
    ['with an array as op', [{ ...title, op: ['replace'] }]],
    ['of RFC 6902: move', [{ op: 'move', from: 'title', path: 'nickName' }]],
    ['of RFC 6902: copy', [{ op: 'copy', from: 'title', path: 'nickName' }]],
    ['of RFC 6902: test', [{ ...title, op: 'test' }]],
    ['with a letter of another alphabet in op', [{ ...title, op: 'r\u0435place' }]],
    ['with the name of what every object has as op', [{ ...title, op: 'constructor' }]],
  ])('are refused: %s', async (_what, operations) => {
    for (const path of [`/Users/${user.id}`, `/Groups/${group.id}`]) {
      expect(await refusedBy(path, operations)).toEqual(refusal(400, 'invalidSyntax'));
    }
  });

  it('are refused when there are too many, or one names too many members', async () => {
    expect(await byUser(...Array<JsonValue>(limits.patchOperations + 1).fill(title))).toEqual(
      refusal(413, undefined, expect.stringContaining(String(limits.patchOperations))),
    );
    const members = Array.from({ length: limits.patchMembers + 1 }, () => ({ value: randomUUID() }));
    expect(await byGroup({ op: 'add', path: 'members', value: members })).toEqual(
      refusal(413, undefined, expect.stringContaining(String(limits.patchMembers))),
    );
  });
});

describe('a path that is none (RFC 7644 section 3.5.2)', () => {
  it.each([
    'emails[',
    'emails[]',
    'emails[type eq]',
    'emails[type eq "work"',
    'emails[type eq "work"]]',
    'emails[type eq work]',
    'emails[type eq "work"]value',
    'emails[type eq "work"].value.domain',
    'emails[shoeSize eq 9]',
    `emails[${'('.repeat(8_000)}`,
    'name[familyName eq "Patched"]',
    'title[value eq "x"]',
    '.',
    '..',
    'name.',
    '.name',
    'a.b.c.d',
    ' title',
    '/name/familyName',
    'emails[0]',
    '$.emails',
    '*',
    'shoeSize',
    'title;drop',
    "data->>'x'",
    'urn:ietf:params:scim:schemas:core:2.0:Group:displayName',
    'x'.repeat(65_536),
  ])('is refused: %s', async (path) => {
    for (const op of ['add', 'replace', 'remove']) {
      const operation = { op, path, ...(op === 'remove' ? {} : { value: 'x' }) };
      expect(await byUser(operation)).toEqual(refusal(400, expect.stringMatching(/^invalid(?:Path|Filter)$/) as never));
    }
  });

  it.each<JsonValue>([5, true, {}, ['title']])('is refused when it is no string: %j', async (path) => {
    expect(await byUser({ op: 'add', path, value: 'x' })).toEqual(refusal(400, 'invalidPath'));
  });
});

describe('what may not be changed (RFC 7644 section 3.5.2)', () => {
  it.each(['id', 'ID', 'meta', 'meta.created', 'meta.location', 'groups', 'groups.display'])(
    'is refused as mutability by its path: %s',
    async (path) => {
      for (const op of ['add', 'replace', 'remove']) {
        expect(await byUser({ op, path, value: 'x' })).toEqual(refusal(400, 'mutability'));
      }
    },
  );

  it('is refused as mutability when it is required and removed', async () => {
    expect(await byUser({ op: 'remove', path: 'userName' })).toEqual(refusal(400, 'mutability'));
    expect(await byGroup({ op: 'remove', path: 'displayName' })).toEqual(refusal(400, 'mutability'));
    expect(await byUser({ op: 'replace', path: 'schemas', value: [] })).toEqual(refusal(400, 'mutability'));
  });

  it('has no target without a path, or where nothing matches', async () => {
    expect(await byUser({ op: 'remove' })).toEqual(refusal(400, 'noTarget'));
    expect(await byUser({ op: 'replace', path: 'emails[type ne "work"].value', value: 'x' })).toEqual(
      refusal(400, 'noTarget'),
    );
  });
});

describe('a value of another shape (RFC 7643 section 2.3)', () => {
  it.each<[string, JsonValue]>([
    ['an array for one value', { op: 'add', path: 'title', value: ['Changed'] }],
    ['a string for a complex value', { op: 'add', path: 'name', value: 'Changed' }],
    ['an object for a string', { op: 'replace', path: 'title', value: { value: 'Changed' } }],
    ['a word for a boolean', { op: 'replace', path: 'active', value: 'maybe' }],
    ['a number for an element', { op: 'add', path: 'emails', value: 5 }],
    ['a string for what a value path selects', { op: 'replace', path: 'emails[type eq "work"]', value: 'x' }],
    ['none', { op: 'add', path: 'title' }],
    ['none, without a path', { op: 'add' }],
    ['a string, without a path', { op: 'add', value: 'title' }],
    ['an array, without a path', { op: 'replace', value: ['title'] }],
  ])('is refused: %s', async (_what, operation) => {
    expect(await byUser(operation)).toEqual(refusal(400, 'invalidValue'));
  });

  it('is refused as members: JSON in a string, as everything else that is not there', async () => {
    for (const value of [`[{"value":"${user.id}"}]`, `{"value":"${user.id}"}`, [[]], [{}], {}, 5, true]) {
      for (const op of ['add', 'replace']) {
        expect(await byGroup({ op, path: 'members', value })).toEqual(refusal(400, 'invalidValue'));
        expect(await byGroup({ op, value: { members: value } })).toEqual(refusal(400, 'invalidValue'));
      }
    }
  });
});

describe('operations of which the last fails (RFC 7644 section 3.5.2)', () => {
  it.each<[string, JsonValue]>([
    ['a path that names nothing', { op: 'add', path: 'shoeSize', value: 9 }],
    ['a readOnly attribute', { op: 'replace', path: 'id', value: 'x' }],
    ['no target', { op: 'remove' }],
    ['no operation', { op: 'move' }],
    ['a value that is none', { op: 'replace', path: 'externalId', value: 5 }],
  ])('are not applied at all: %s', async (_what, last) => {
    expect(await byUser(title, { op: 'remove', path: 'emails' }, last)).toEqual(
      refusal(400, expect.any(String) as never),
    );
    expect(await byGroup({ op: 'remove', path: 'members' }, last)).toEqual(refusal(400, expect.any(String) as never));
  });

  it('are not applied at all: a member who does not exist', async () => {
    const operations = [
      { op: 'replace', path: 'displayName', value: 'Changed' },
      { op: 'remove', path: `members[value eq "${user.id}"]` },
      { op: 'add', path: 'members', value: [{ value: randomUUID() }] },
    ];
    expect(await byGroup(...operations)).toEqual(refusal(400, 'invalidValue'));
  });
});

describe('members who are not there', () => {
  it.each<[string, JsonValue]>([
    ['a stranger', [{ value: '00000000-0000-7000-8000-000000000000' }]],
    ['no id', [{ value: 'nobody' }]],
    ['nobody', []],
    ['null', null],
  ])('are removed without a change, and the others stay: %s', async (_what, value) => {
    const answer = await server.scim.operations(`/Groups/${group.id}`, [{ op: 'remove', path: 'members', value }]);
    expect(answer.status).toBe(204);
  });

  it('are not those whose id differs in case (RFC 7643 section 3.1)', async () => {
    const value = [{ value: user.id.toUpperCase() }];
    const answer = await server.scim.operations(`/Groups/${group.id}`, [{ op: 'remove', path: 'members', value }]);
    expect(answer.status).toBe(204);
  });
});
