import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import { inOneText } from '../../src/groups/large-groups.js';
import type { Resource } from '../support/client.js';
import { startServer, type TestServer } from '../support/server.js';

const size = 2 * inOneText.members + 7;

let server: TestServer;
let group: Resource;
let memberIds: string[];

beforeAll(async () => {
  server = await startServer();
  // Made in the database, because only their number matters here.
  const [{ id: tenantId } = { id: '' }] = await server.dataSource.query<{ id: string }[]>('SELECT id FROM tenants');
  await server.dataSource.query(
    `INSERT INTO users (tenant_id, id, user_name, user_name_key, display, display_key, active, document, folded, version,
       created_at, last_modified_at)
     SELECT $1, gen_random_uuid(), 'u' || n, 'u' || n, 'User "' || n || '"', 'user', TRUE, '{}', '{}', 1, now(), now()
     FROM generate_series(1, $2::integer) n`,
    [tenantId, size],
  );
  const rows = await server.dataSource.query<{ id: string }[]>('SELECT id FROM users ORDER BY id');
  memberIds = rows.map(({ id }) => id);
  const members = memberIds.map((value) => ({ value }));
  group = (await server.scim.post('/Groups?excludedAttributes=members', { displayName: 'All', members })).body;
}, 120_000);

afterAll(() => server.close());

const idsOf = (resource: Resource): string[] => (resource['members'] as { value: string }[]).map(({ value }) => value);

/** Connections that are in a transaction. */
async function openTransactions(): Promise<number> {
  const [{ n } = { n: 0 }] = await server.dataSource.query<{ n: number }[]>(
    `SELECT count(*)::integer AS n FROM pg_stat_activity
     WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
  );
  return n;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}

describe('a group of very many members (RFC 7644 section 3.4.1)', () => {
  it('is answered in parts, complete and in order', async () => {
    const answer = await server.scim.get(`/Groups/${group.id}`);
    expect([answer.status, answer.headers.get('ETag'), answer.headers.get('Content-Length')]).toEqual([
      200,
      'W/"1"',
      null,
    ]);
    expect(idsOf(answer.body)).toEqual(memberIds);
    const [first] = answer.body['members'] as Record<string, string>[];
    expect(Object.keys(first ?? {})).toEqual(['value', '$ref', 'type', 'display']);
    expect([answer.body['displayName'], answer.body.meta.version]).toEqual(['All', 'W/"1"']);
  });

  it('is the same by attributes, and in a list', async () => {
    const projected = await server.scim.get(`/Groups/${group.id}?attributes=members.value`);
    expect(idsOf(projected.body)).toEqual(memberIds);
    const { body } = await server.scim.list('/Groups?filter=displayName eq "All"');
    expect(idsOf(body.Resources[0] as Resource)).toEqual(memberIds);
  });

  it('is not read for HEAD, for 304, or without members', async () => {
    const path = `/Groups/${group.id}`;
    const head = await server.scim.send('HEAD', path, undefined);
    const known = await server.scim.get(path, { headers: { 'If-None-Match': 'W/"1"' } });
    const without = await server.scim.get(`${path}?excludedAttributes=members`);
    expect([head.status, head.text, known.status, known.text]).toEqual([200, '', 304, '']);
    expect(without.body['members']).toBeUndefined();
    await until(async () => (await openTransactions()) === 0);
  });

  it('is one moment of the group, whatever changes while it is read', async () => {
    const path = `/Groups/${group.id}`;
    const [removed = ''] = memberIds.slice(-1);
    const [answer] = await Promise.all([
      server.scim.get(path),
      server.scim.operations(path, [{ op: 'remove', path: `members[value eq "${removed}"]` }]),
    ]);
    const isBefore = answer.body.meta.version === 'W/"1"';
    expect(idsOf(answer.body)).toEqual(isBefore ? memberIds : memberIds.slice(0, -1));
    await server.scim.operations(path, [{ op: 'add', path: 'members', value: [{ value: removed }] }]);
  });

  it('holds nothing for a client that goes away in the middle of it', async () => {
    const headers = { authorization: `Bearer ${server.scim.token}` };
    await new Promise<void>((resolve, reject) => {
      const sent = request(`${server.origin}/scim/v2/Groups/${group.id}`, { headers }, (response) => {
        response.once('data', () => sent.destroy());
        response.once('close', resolve);
        response.on('error', () => undefined);
      });
      sent.on('error', reject);
      sent.end();
    });
    await until(async () => (await openTransactions()) === 0);
    expect((await server.scim.get(`/Groups/${group.id}?excludedAttributes=members`)).status).toBe(200);
  });
});
