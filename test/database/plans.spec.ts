import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DirectoryCounts } from '../../src/persistence/directory-counts.js';
import { Statements } from '../../src/persistence/statements.js';
import type { Resource } from '../support/client.js';
import { describeWith } from '../support/programs.js';
import { startServer, type TestServer } from '../support/server.js';

/** Enough that reading all of them is never the fastest way. */
const userCount = 20_000;
const groupCount = 2_000;

let server: TestServer;
let user: Resource;
let group: Resource;

beforeAll(async () => {
  server = await startServer();
  await server.addTenant('another');
  const tenants = await server.dataSource.query<{ id: string }[]>('SELECT id FROM tenants ORDER BY name');
  for (const { id } of tenants) await fill(id);
  user = (
    await server.scim.post('/Users', {
      userName: 'u5@example.org',
      externalId: 'x5',
      emails: [{ value: 'u5@example.org', type: 'work' }],
    })
  ).body;
  group = (await server.scim.post('/Groups', { displayName: 'One', members: [{ value: user.id }] })).body;
  const counts = server.app.get(DirectoryCounts);
  await counts.settle();
  jest.spyOn(counts, 'settle').mockResolvedValue();
  // As while many tenants import users.
  await server.dataSource.query(
    `INSERT INTO resource_count_changes (tenant_id, resource_type, resource_id, n)
     SELECT md5((n % 50)::text)::uuid, 'User', gen_random_uuid(), 0 FROM generate_series(1, 20000) n`,
  );
  await server.dataSource.query('ANALYZE');
}, 120_000);

afterAll(() => server.close());

/** Users and groups of a tenant, with members, as the server would have made them. */
async function fill(tenantId: string): Promise<void> {
  const common = `'{"schemas":[]}', jsonb_build_object('displayName', 'd' || n, 'active', n % 500 > 0,
    'name', jsonb_build_object('familyName', 'f' || n),
    'emails', jsonb_build_array(jsonb_build_object('value', 'u' || n || '@example.com', 'type', 'work'))),
    1, now() - n * interval '1 minute'`;
  await server.dataSource.query(
    `INSERT INTO users (tenant_id, id, user_name, user_name_key, display, display_key, external_id, active, document,
       folded, version, created_at, last_modified_at)
     SELECT $1, gen_random_uuid(), 'u' || n, 'u' || n || '@example.com', 'U', 'u', 'e' || n, n % 500 > 0, ${common},
       now() - n * interval '1 minute' FROM generate_series(1, $2::integer) n`,
    [tenantId, userCount],
  );
  await server.dataSource.query(
    `INSERT INTO groups (tenant_id, id, display_name, display_name_key, external_id, document, folded, version, created_at,
       last_modified_at)
     SELECT $1, gen_random_uuid(), 'g' || n, 'g' || n, 'e' || n, ${common}, now() - n * interval '1 minute'
     FROM generate_series(1, $2::integer) n`,
    [tenantId, groupCount],
  );
  await server.dataSource.query(
    `INSERT INTO group_members (tenant_id, group_id, member_id, member_type)
     SELECT g.tenant_id, g.id, u.id, 'User' FROM
       (SELECT tenant_id, id, row_number() OVER (ORDER BY id) AS n FROM groups WHERE tenant_id = $1) g
       JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM users WHERE tenant_id = $1) u ON u.n % $2 = g.n % $2`,
    [tenantId, groupCount],
  );
}

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly Plan[];
}

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

/** How the statements of a request find their rows: the indexes they use, and the tables they read from end to end. */
async function access(request: () => Promise<unknown>): Promise<{ indexes: string[]; scanned: string[] }> {
  const spies = (['run', 'search', 'lookUp'] as const).map((method) => jest.spyOn(server.app.get(Statements), method));
  await request();
  const statements = spies.flatMap(({ mock }) => mock.calls.map(([, text, values]) => ({ text, values })));
  for (const spy of spies) spy.mockRestore();
  expect(statements.length).toBeGreaterThan(0);
  const nodes: Plan[] = [];
  for (const { text, values } of statements) nodes.push(...nodesOf(await planOf(text, values)));
  const unique = (names: (string | undefined)[]) => [...new Set(names.filter((name) => name !== undefined))].sort();
  return {
    indexes: unique(nodes.map((node) => node['Index Name'])),
    scanned: unique(nodes.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name'])),
  };
}

/** The plan that does not depend on the values, which is the one that requests get. */
async function planOf(text: string, values: readonly unknown[]): Promise<Plan> {
  return server.dataSource.transaction(async (manager) => {
    const name = `plan_${randomUUID().replaceAll('-', '')}`;
    await manager.query('SET LOCAL plan_cache_mode = force_generic_plan');
    await manager.query(`PREPARE ${name} AS ${text}`);
    const nulls = values.map(() => 'NULL').join(', ');
    const [row] = await manager.query<{ 'QUERY PLAN': [{ Plan: Plan }] }[]>(
      `EXPLAIN (FORMAT JSON) EXECUTE ${name}${values.length > 0 ? `(${nulls})` : ''}`,
    );
    await manager.query(`DEALLOCATE ${name}`);
    return (row as { 'QUERY PLAN': [{ Plan: Plan }] })['QUERY PLAN'][0].Plan;
  });
}

const users = (filter: string) => () => server.scim.list(`/Users?filter=${encodeURIComponent(filter)}`);
const groups = (filter: string) => () => server.scim.list(`/Groups?filter=${encodeURIComponent(filter)}`);
const large = ['users', 'groups', 'group_members'];

/** What clients ask, and the indexes that answer it. */
const questions: [question: string, request: () => Promise<unknown>, indexes: string[]][] = [
  ['a user by id', () => server.scim.get(`/Users/${user.id}`), ['users_pkey', 'group_members_by_user']],
  ['a group by id', () => server.scim.get(`/Groups/${group.id}`), ['groups_pkey', 'group_members_pkey']],
  ['userName eq', users('userName eq "u5@example.com"'), ['users_user_name']],
  ['userName sw', users('userName sw "u500"'), ['users_user_name']],
  ['displayName sw', users('displayName sw "d500"'), ['users_display_name']],
  ['a range of names', users('name.familyName ge "f500" and name.familyName lt "f501"'), ['users_family_name']],
  ['leavers', users('active eq false'), ['users_not_active']],
  ['externalId eq', users('externalId eq "e5"'), ['users_external_id']],
  ['an e-mail address', users('emails.value eq "u5@example.com"'), ['users_folded']],
  ['an e-mail address of a type', users('emails[type eq "work" and value eq "u5@example.com"]'), ['users_folded']],
  ['an attribute of an extension', users(`${enterprise()}:employeeNumber eq "1"`), ['users_folded']],
  ['several attributes', users('userName eq "u5@example.com" or emails.value eq "u5@example.com"'), ['users_folded']],
  ['what changed since', users('meta.lastModified gt "2099-01-01T00:00:00Z"'), ['users_last_modified']],
  ['groups by displayName', groups('displayName eq "g5"'), ['groups_display_name']],
  ['groups by a prefix of it', groups('displayName sw "g5"'), ['groups_display_name']],
  ['groups by externalId', groups('externalId eq "e5"'), ['groups_external_id']],
  ['the first page', () => server.scim.list('/Users?count=10'), ['users_pkey']],
  [
    'a deep page',
    () => server.scim.list('/Users?startIndex=15000&count=10'),
    ['users_pkey', 'resource_count_changes_resource'],
  ],
  ['users by name', () => server.scim.list('/Users?sortBy=userName&count=10'), ['users_user_name']],
  ['users by displayName', () => server.scim.list('/Users?sortBy=displayName&count=10'), ['users_display_name']],
  [
    'users by family name',
    () => server.scim.list('/Users?sortBy=name.familyName&sortOrder=descending&count=10'),
    ['users_family_name'],
  ],
  ['groups by name', () => server.scim.list('/Groups?sortBy=displayName&count=10'), ['groups_display_name']],
];

function enterprise(): string {
  return 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
}

describe('the plan of a statement', () => {
  it.each(questions)(
    'uses an index and reads no table of resources from end to end: %s',
    async (_, request, indexes) => {
      const { indexes: used, scanned } = await access(request);
      expect(scanned.filter((table) => large.includes(table))).toEqual([]);
      expect(used).toEqual(expect.arrayContaining(indexes));
    },
  );

  it('stays with the tenant where another has the same values', async () => {
    const { body } = await users('emails.value eq "u5@example.com"')();
    expect(body.totalResults).toBe(1);
  });

  it('of a change of one member names no other', async () => {
    const operation = { op: 'add', path: 'members', value: [{ value: user.id }] };
    const other = (await server.scim.post('/Groups', { displayName: 'Two' })).body;
    const { scanned } = await access(() => server.scim.operations(`/Groups/${other.id}`, [operation]));
    expect(scanned.filter((table) => large.includes(table))).toEqual([]);
  });

  it('of a deletion names no other', async () => {
    const { body } = await server.scim.post('/Users', { userName: 'gone' });
    const { scanned } = await access(() => server.scim.delete(`/Users/${body.id}`));
    expect(scanned.filter((table) => large.includes(table))).toEqual([]);
  });
});

describeWith([], 'The indexes of parts of names that operators may add', () => {
  it('answer co and ew', async () => {
    const page = await readFile('docs/operating.md', 'utf8');
    const [, sql = ''] = /```sql\n(CREATE EXTENSION IF NOT EXISTS pg_trgm;[^`]*)```/.exec(page) ?? [];
    const statements = sql.split(';').filter((statement) => statement.trim() !== '');
    expect(statements).toHaveLength(3);
    for (const statement of statements) await server.dataSource.query(statement);
    await server.dataSource.query('ANALYZE users');
    for (const [filter, index] of [
      ['userName co "u500@"', 'users_user_name_parts'],
      ['userName ew "u500@example.com"', 'users_user_name_parts'],
      ['displayName co "d500"', 'users_display_name_parts'],
    ] as const) {
      const { indexes, scanned } = await access(users(filter));
      expect([filter, scanned.filter((table) => large.includes(table))]).toEqual([filter, []]);
      expect([filter, indexes]).toEqual([filter, expect.arrayContaining([index])]);
      expect((await users(filter)()).body.totalResults).toBeGreaterThan(0);
    }
  });
});
