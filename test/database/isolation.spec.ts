import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Pools } from '../../src/persistence/pools.js';
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { DirectoryCounts } from '../../src/persistence/directory-counts.js';
import type { JsonObject, JsonValue } from '../../src/scim/index.js';
import { ByteMeasurement } from '../../src/tenants/byte-measurement.js';
import { TenantBytes } from '../../src/tenants/tenant-bytes.js';
import type { Answer, Resource, ScimClient } from '../support/client.js';
import { startServer, type TestServer } from '../support/server.js';
import { urn } from '../support/expected.js';

/** A user and a group, by id. */
interface Ids {
  readonly user: string;
  readonly group: string;
}

/** What a request is made with: ids that it must not find, and what the asking tenant has itself. */
interface Attempt {
  readonly ids: Ids;
  readonly own: { readonly user: Resource; readonly group: Resource };
}

type Request = (attempt: Attempt) => Promise<Answer<unknown>>;

let server: TestServer;
/** The tenant that asks, the same by the letter of the RFC, and the one whose ids they ask for. */
let asking: ScimClient;
let strict: ScimClient;
let theirs: Ids;
let cursor: string;
let before: unknown;

beforeAll(async () => {
  // What is written in the background would be counted with the requests' own statements.
  server = await startServer({ REQUEST_LOG: 'off' });
  await server.app.get(DirectoryCounts).onApplicationShutdown();
  await server.app.get(TenantBytes).onApplicationShutdown();
  await server.app.get(ByteMeasurement).onApplicationShutdown();
  noteStatements();
  asking = await server.addTenant('asking');
  strict = await server.addTenant('strict', { profile: 'strict' });
  const other = await server.addTenant('other');
  const { body: manager } = await other.post('/Users', { userName: 'manager' });
  const { body: user } = await other.post('/Users', {
    schemas: [urn.user, urn.enterprise],
    userName: 'secret',
    [urn.enterprise]: { manager: { value: manager.id } },
  });
  const { body: group } = await other.post('/Groups', { displayName: 'secret', members: [{ value: user.id }] });
  theirs = { user: user.id, group: group.id };
  const page = await other.get<{ nextCursor: string }>('/Users?cursor=&count=1');
  cursor = page.body.nextCursor;
  before = await rowsOfOther();
});
afterAll(() => server.close());

/** Everything that the other tenant has, but for what is counted in the background. */
async function rowsOfOther(): Promise<Record<string, unknown>> {
  const tables = await tablesOfTenants();
  const rows = tables
    .filter((table) => !table.startsWith('resource_count'))
    .map(async (table) => {
      const found = await server.dataSource.query<object[]>(
        `SELECT to_jsonb(t) - 'last_used_at' AS row FROM ${table} t
         WHERE tenant_id = (SELECT id FROM tenants WHERE name = 'other') ORDER BY t::text`,
      );
      return [table, found] as const;
    });
  return Object.fromEntries(await Promise.all(rows));
}

async function tablesOfTenants(): Promise<string[]> {
  const rows = await server.dataSource.query<{ name: string }[]>(
    `SELECT c.table_name AS name FROM information_schema.columns c
     WHERE c.column_name = 'tenant_id' AND c.table_schema = current_schema() ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

// When tokens were used last, once a minute.
const background = /last_used_at/;

/** The statements that the database was given, since the tests began. */
const given: string[] = [];

/** Notes what the pools' connections are given. Nothing was looked up yet. */
function noteStatements(): void {
  const noted = new WeakSet<pg.PoolClient>();
  const note = (client: pg.PoolClient): void => {
    if (noted.has(client)) return;
    noted.add(client);
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    client.query = ((...args: unknown[]) => {
      const [statement] = args as [string | { text: string }];
      given.push(typeof statement === 'string' ? statement : statement.text);
      return query(...args);
    }) as typeof client.query;
  };
  for (const pool of Object.values(server.app.get(Pools).byName)) pool.on('acquire', note);
}

/** The statements that the database gets while something is done: with equal ones it does equal work. */
async function statementsOf<T>(work: () => Promise<T>): Promise<{ result: T; statements: string[] }> {
  const begin = given.length;
  const result = await work();
  return { result, statements: given.slice(begin).filter((text) => !background.test(text)) };
}

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const time = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;
const blotted = (text: string): string => text.replaceAll(uuid, '<id>').replaceAll(time, '<time>');

/** All that an answer tells, with ids and times blotted out. */
function told({ status, headers, text }: Answer<unknown>): unknown {
  const { date: _date, 'x-request-id': _requestId, ...rest } = Object.fromEntries(headers);
  return { status, headers: blotted(JSON.stringify(rest)), body: blotted(text) };
}

async function attempt(client: ScimClient, ids: Ids, request: Request) {
  const { body: user } = await client.post('/Users', { schemas: [urn.user], userName: randomUUID() });
  const group = await client.post('/Groups', {
    schemas: [urn.group],
    displayName: 'mine',
    members: [{ value: user.id }],
  });
  return statementsOf(() => request({ ids, own: { user, group: group.body } }));
}

/** Makes a request with the other tenant's ids and with ids that nobody has, and expects one and the same of both. */
async function behavesAsUnknown(client: ScimClient, request: Request): Promise<Answer<unknown>> {
  const unknown = { user: like(theirs.user), group: like(theirs.group) };
  // The first time something is looked up that is remembered then.
  await attempt(client, { user: like(theirs.user), group: like(theirs.group) }, request);
  const [found, missed] = [await attempt(client, theirs, request), await attempt(client, unknown, request)];
  expect(told(found.result)).toEqual(told(missed.result));
  expect(found.statements.length).toBeGreaterThan(0);
  expect(found.statements).toEqual(missed.statements);
  expect(found.result.text).not.toMatch(/secret/i);
  expect(await rowsOfOther()).toEqual(before);
  return found.result;
}

/** An id of the same time that nobody has. */
const like = (id: string): string => id.slice(0, -12) + randomUUID().slice(-12);

const search = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';
const bulk = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';
const patchOp = (operation: JsonObject): JsonObject => ({ schemas: [urn.patch], Operations: [operation] });
const userBody = (manager?: string): JsonObject => ({
  schemas: manager === undefined ? [urn.user] : [urn.user, urn.enterprise],
  userName: randomUUID(),
  ...(manager === undefined ? {} : { [urn.enterprise]: { manager: { value: manager } } }),
});
const groupBody = (...members: string[]): JsonObject => ({
  schemas: [urn.group],
  displayName: 'mine',
  ...(members.length === 0 ? {} : { members: members.map((value) => ({ value })) }),
});
const pathOf = (type: string, { user, group }: Ids): string =>
  type === 'Users' ? `/Users/${user}` : `/Groups/${group}`;
const bodyOf = (type: string): JsonObject => (type === 'Users' ? userBody() : groupBody());
const change = patchOp({ op: 'replace', path: 'externalId', value: 'taken' });

describe('the comparison itself', () => {
  it('tells an id of the same tenant from one that nobody has', async () => {
    const { body: user } = await asking.post('/Users', userBody());
    const there = await statementsOf(() => asking.patch(`/Users/${user.id}`, change));
    const missing = await statementsOf(() => asking.patch(`/Users/${like(user.id)}`, change));
    expect(told(there.result)).not.toEqual(told(missing.result));
    expect(there.statements).not.toEqual(missing.statements);
  });
});

describe.each(['Users', 'Groups'])("another tenant's id in the path of /%s", (type) => {
  const conditions: Record<string, string>[] = [
    {},
    { 'If-Match': '*' },
    { 'If-Match': 'W/"1"' },
    { 'If-Match': 'W/"9"' },
    { 'If-None-Match': '*' },
    { 'If-None-Match': 'W/"1"' },
  ];
  const verbs: [string, (path: string, headers: Record<string, string>) => Promise<Answer<unknown>>][] = [
    ['GET', (path, headers) => asking.get(path, { headers })],
    ['GET of an attribute', (path, headers) => asking.get(`${path}?attributes=meta`, { headers })],
    ['HEAD', (path, headers) => asking.send('HEAD', path, undefined, { headers })],
    ['PUT', (path, headers) => asking.put(path, bodyOf(type), { headers })],
    ['PATCH', (path, headers) => asking.patch(path, change, { headers })],
    ['DELETE', (path, headers) => asking.delete(path, { headers })],
  ];
  const cases = verbs.flatMap(([verb, request]) =>
    conditions.map((headers) => [verb, JSON.stringify(headers), headers, request] as const),
  );

  it.each(cases)(
    'is as unknown as one that nobody has, by %s with %s (RFC 7644 section 3.14)',
    async (_verb, _headers, headers, request) => {
      const answer = await behavesAsUnknown(asking, ({ ids }) => request(pathOf(type, ids), headers));
      expect(answer.status).toBe(404);
    },
  );
});

const manager = `${urn.enterprise}:manager`;
const filters: [type: string, filter: (ids: Ids) => string][] = [
  ['Users', ({ user }) => `id eq "${user}"`],
  ['Users', ({ user }) => `id sw "${user}"`],
  ['Users', ({ user }) => `${manager} eq "${user}"`],
  ['Users', ({ user }) => `${manager}.value eq "${user}"`],
  ['Users', ({ group }) => `groups eq "${group}"`],
  ['Users', ({ group }) => `groups[value eq "${group}"]`],
  ['Groups', ({ group }) => `id eq "${group}"`],
  ['Groups', ({ user }) => `members eq "${user}"`],
  ['Groups', ({ user }) => `members[value eq "${user}" and type eq "User"]`],
  ['Groups', ({ group }) => `members.value eq "${group}"`],
];

describe.each(filters.map(([type, filter]) => [type, filter({ user: '<user>', group: '<group>' }), filter] as const))(
  'a search of %s by %s',
  (type, _text, filter) => {
    it.each<[string, (filter: string) => Promise<Answer<unknown>>]>([
      ['GET', (text) => asking.get(`/${type}?filter=${encodeURIComponent(text)}`)],
      ['GET with a cursor', (text) => asking.get(`/${type}?cursor=&count=1&filter=${encodeURIComponent(text)}`)],
      ['POST .search', (text) => asking.post(`/${type}/.search`, { schemas: [search], filter: text })],
      ['POST .search at the root', (text) => asking.post('/.search', { schemas: [search], filter: text })],
    ])("finds nothing by another tenant's id, by %s", async (_verb, request) => {
      const { body } = await behavesAsUnknown(asking, ({ ids }) => request(filter(ids)));
      expect(body).toMatchObject({ totalResults: 0 });
    });
  },
);

describe("another tenant's cursor (RFC 9865 section 2)", () => {
  it('is as good as no cursor at all', async () => {
    const flipped = cursor.slice(0, -2) + (cursor.endsWith('AA') ? 'BB' : 'AA');
    const [found, broken] = [
      await statementsOf(() => asking.get(`/Users?count=1&cursor=${encodeURIComponent(cursor)}`)),
      await statementsOf(() => asking.get(`/Users?count=1&cursor=${encodeURIComponent(flipped)}`)),
    ];
    expect([found.result.status, told(found.result)]).toEqual([400, told(broken.result)]);
    expect(found.statements).toEqual(broken.statements);
  });
});

describe("another tenant's id as a member", () => {
  const add = (value: JsonValue): JsonObject => patchOp({ op: 'add', path: 'members', value });
  const requests: [string, number, (group: string, member: string) => Promise<Answer<unknown>>][] = [
    ['POST', 400, (_group, member) => asking.post('/Groups', groupBody(member))],
    ['PUT', 400, (group, member) => asking.put(`/Groups/${group}`, groupBody(member))],
    ['PATCH add', 400, (group, member) => asking.patch(`/Groups/${group}`, add([{ value: member }]))],
    [
      'PATCH replace',
      400,
      (group, member) =>
        asking.patch(`/Groups/${group}`, patchOp({ op: 'replace', path: 'members', value: [{ value: member }] })),
    ],
    [
      'PATCH remove by value',
      204,
      (group, member) =>
        asking.patch(`/Groups/${group}`, patchOp({ op: 'remove', path: 'members', value: [{ value: member }] })),
    ],
    [
      'PATCH remove by filter',
      204,
      (group, member) =>
        asking.patch(`/Groups/${group}`, patchOp({ op: 'remove', path: `members[value eq "${member}"]` })),
    ],
  ];

  it.each(
    requests.flatMap(([verb, status, request]) =>
      (['user', 'group'] as const).map((kind) => [verb, kind, status, request] as const),
    ),
  )('is as unknown as one that nobody has, by %s of a %s', async (_verb, kind, status, request) => {
    const answer = await behavesAsUnknown(asking, ({ ids, own }) => request(own.group.id, ids[kind]));
    expect(answer.status).toBe(status);
  });
});

describe("another tenant's id as a manager", () => {
  const requests: [string, (client: ScimClient, attempt: Attempt) => Promise<Answer<unknown>>][] = [
    ['POST', (client, { ids }) => client.post('/Users', userBody(ids.user))],
    ['PUT', (client, { ids, own }) => client.put(`/Users/${own.user.id}`, userBody(ids.user))],
    [
      'PATCH',
      (client, { ids, own }) =>
        client.patch(`/Users/${own.user.id}`, patchOp({ op: 'add', path: manager, value: { value: ids.user } })),
    ],
  ];

  it.each(requests)('is kept as one that nobody has, by %s', async (_verb, request) => {
    const { status } = await behavesAsUnknown(asking, (given) => request(asking, given));
    expect([200, 201]).toContain(status);
  });

  it.each(requests)('is refused as one that nobody has, by %s where managers have to exist', async (_verb, request) => {
    const { status } = await behavesAsUnknown(strict, (given) => request(strict, given));
    expect(status).toBe(400);
  });
});

describe("another tenant's id in a bulk request (RFC 7644 section 3.7)", () => {
  const operations: [string, (attempt: Attempt) => JsonObject][] = [
    ['PUT of a user', ({ ids }) => ({ method: 'PUT', path: `/Users/${ids.user}`, data: userBody() })],
    ['PUT of a group', ({ ids }) => ({ method: 'PUT', path: `/Groups/${ids.group}`, data: groupBody() })],
    ['PATCH of a user', ({ ids }) => ({ method: 'PATCH', path: `/Users/${ids.user}`, data: change })],
    ['PATCH of a group', ({ ids }) => ({ method: 'PATCH', path: `/Groups/${ids.group}`, data: change })],
    ['DELETE of a user', ({ ids }) => ({ method: 'DELETE', path: `/Users/${ids.user}` })],
    ['DELETE of a group', ({ ids }) => ({ method: 'DELETE', path: `/Groups/${ids.group}` })],
    ['DELETE of a version', ({ ids }) => ({ method: 'DELETE', path: `/Users/${ids.user}`, version: 'W/"1"' })],
    ['POST of a group', ({ ids }) => ({ method: 'POST', path: '/Groups', bulkId: 'g', data: groupBody(ids.user) })],
    ['POST of a user', ({ ids }) => ({ method: 'POST', path: '/Users', bulkId: 'u', data: userBody(ids.user) })],
    [
      'PATCH of members',
      ({ ids, own }) => ({
        method: 'PATCH',
        path: `/Groups/${own.group.id}`,
        data: patchOp({ op: 'add', path: 'members', value: [{ value: ids.user }] }),
      }),
    ],
  ];

  it.each(operations)('is as unknown as one that nobody has: %s', async (_what, operation) => {
    for (const client of [asking, strict]) {
      const { status } = await behavesAsUnknown(client, (given) =>
        client.post('/Bulk', { schemas: [bulk], Operations: [operation(given)] }),
      );
      expect(status).toBe(200);
    }
  });
});

describe('the constraints of the database', () => {
  const idOf = async (name: string): Promise<string> => {
    const [row] = await server.dataSource.query<{ id: string }[]>('SELECT id FROM tenants WHERE name = $1', [name]);
    return row?.id ?? '';
  };
  const foreignKeyViolation = { driverError: expect.objectContaining({ code: '23503' }) };

  it('refuse a row of one tenant that refers to a row of another, or to no tenant', async () => {
    const [mine, other, nobody] = [await idOf('asking'), await idOf('other'), randomUUID()];
    const { body: group } = await asking.post('/Groups', { displayName: 'mine' });
    const [client, secret] = [randomUUID(), Buffer.alloc(32)];
    await server.dataSource.query(
      `INSERT INTO oauth_clients (tenant_id, id, name, scopes, created_at) VALUES ($1, $2, 'x', '{read}', now())`,
      [other, client],
    );
    const member = `INSERT INTO group_members (tenant_id, group_id, member_id, member_type) VALUES ($1, $2, $3, $4)`;
    const crossing: [string, unknown[]][] = [
      [member, [mine, group.id, theirs.user, 'User']],
      [member, [mine, group.id, theirs.group, 'Group']],
      [member, [mine, theirs.group, theirs.user, 'User']],
      [
        `INSERT INTO oauth_client_secrets (tenant_id, client_id, id, secret_start, secret_hash, created_at, expires_at)
         VALUES ($1, $2, gen_random_uuid(), 'x', $3, now(), now())`,
        [mine, client, secret],
      ],
      [
        `INSERT INTO tokens (tenant_id, id, name, secret_hash, created_at, expires_at)
         VALUES ($1, gen_random_uuid(), 'x', $2, now(), now())`,
        [nobody, secret],
      ],
      [
        `INSERT INTO request_log (tenant_id, at, request_id, method, path, duration_ms, actor)
         VALUES ($1, now(), 'x', 'GET', '/', 1, 'x')`,
        [nobody],
      ],
    ];
    for (const [statement, values] of crossing) {
      await expect(server.dataSource.query(statement, values)).rejects.toMatchObject(foreignKeyViolation);
    }
    await server.dataSource.query('DELETE FROM oauth_clients WHERE id = $1', [client]);
  });

  it('have the tenant first in every key, and in every reference between rows of tenants', async () => {
    const keys = await server.dataSource.query<{ name: string; columns: string[]; to: string | null }[]>(
      `SELECT c.conrelid::regclass::text AS name, c.confrelid::regclass::text AS to,
              ARRAY(SELECT a.attname::text FROM unnest(CASE c.contype WHEN 'f' THEN c.confkey ELSE c.conkey END)
                      WITH ORDINALITY AS k (n, place)
                    JOIN pg_attribute a ON a.attnum = k.n
                      AND a.attrelid = CASE c.contype WHEN 'f' THEN c.confrelid ELSE c.conrelid END
                    ORDER BY place) AS columns
       FROM pg_constraint c WHERE c.contype IN ('p', 'f') AND c.conrelid::regclass::text = ANY ($1)`,
      [await tablesOfTenants()],
    );
    expect(keys.length).toBeGreaterThan(15);
    const wrong = keys.filter(({ columns, to }) =>
      to === 'tenants' ? columns[0] !== 'id' : columns[0] !== 'tenant_id',
    );
    expect(wrong).toEqual([]);
  });
});
