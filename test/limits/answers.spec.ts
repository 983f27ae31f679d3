import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { Socket } from 'node:net';
import { BytesInFlight } from '../../src/limits/bytes-in-flight.js';
import { endSlowReaders } from '../../src/http/slow-readers.js';
import type { Answer, List, Resource, ScimClient } from '../support/client.js';
import { longNames, manyUsers } from '../support/large-resources.js';
import { whileNeighbourReads } from '../support/neighbour.js';
import { open } from '../support/raw-http.js';
import { startServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

jest.setTimeout(300_000);

let server: TestServer;
let fat: ScimClient;
let quiet: ScimClient;
let quietUser: string;
let account: BytesInFlight;

// Some 38 MB, in an order that is random.
const fatUsers = 86;

async function tenantId(name: string): Promise<string> {
  const rows = await server.dataSource.query<{ id: string }[]>('SELECT id FROM tenants WHERE name = $1', [name]);
  return rows[0]?.id ?? '';
}

async function ids(prefix: string): Promise<string[]> {
  const sql = `SELECT id FROM users WHERE user_name LIKE $1 ORDER BY id`;
  return (await server.dataSource.query<{ id: string }[]>(sql, [`${prefix}%`])).map(({ id }) => id);
}

beforeAll(async () => {
  server = await startServer();
  account = server.app.get(BytesInFlight);
  fat = await server.addTenant('fat');
  quiet = await server.addTenant('quiet');
  quietUser = (await quiet.post('/Users', { userName: 'quiet' })).body.id;
  // Every second one is small.
  const sql = manyUsers('fat', fatUsers, 'CASE WHEN n % 2 = 0 THEN 715 ELSE (n * 97) % 400 END');
  await server.dataSource.query(sql, [await tenantId('fat')]);
  await server.dataSource.query(longNames('long', 150, 65_000), [await tenantId('fat')]);
});

afterAll(() => server.close());

// What was held is given back with the answer's end, which the client may see first.
afterEach(() => until(() => Promise.resolve(account.held === 0)));

const idsOf = ({ Resources }: List): string[] => Resources.map(({ id }) => id);
const filter = 'filter=userName%20sw%20%22fat%22';

/** Walks by index, by what each page says it has. */
async function walkByIndex(query: string): Promise<{ seen: string[]; cut: number }> {
  const seen: string[] = [];
  let cut = 0;
  for (let total = Infinity; seen.length < total;) {
    const { status, body } = await fat.list(`/Users?${query}&startIndex=${seen.length + 1}`);
    expect([status, body.itemsPerPage]).toEqual([200, body.Resources.length]);
    expect(body.itemsPerPage).toBeGreaterThan(0);
    total = body.totalResults;
    seen.push(...idsOf(body));
    if (seen.length < total && !query.includes(`count=${body.itemsPerPage}&`)) cut++;
  }
  return { seen, cut };
}

async function walkByCursor(query: string): Promise<string[]> {
  const seen: string[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const { status, body }: Answer<List> = await fat.list(`/Users?${query}&cursor=${cursor}`);
    expect([status, body.itemsPerPage]).toEqual([200, body.Resources.length]);
    seen.push(...idsOf(body));
    cursor = (body as unknown as { nextCursor?: string }).nextCursor;
  }
  return seen;
}

describe('a page of very many bytes (RFC 7644 section 3.4.2)', () => {
  it('ends before count where they are too many, and says so behind the resources', async () => {
    const { text, body, headers } = await fat.list(`/Users?count=200&${filter}`);
    expect(headers.get('Content-Length')).toBeNull();
    expect([body.totalResults, body.startIndex, body.itemsPerPage]).toEqual([fatUsers, 1, body.Resources.length]);
    expect(body.Resources.length).toBeLessThan(fatUsers);
    expect(text.length).toBeGreaterThan(20_000_000);
    expect(text.length).toBeLessThan(33_000_000);
    expect(text.slice(-40)).toMatch(/\],"itemsPerPage":\d+\}$/);
    expect((await fat.list(`/Users?count=200&${filter}&cursor`)).text.slice(-1000)).toMatch(
      /\],"itemsPerPage":\d+,"nextCursor":"[^"]+"\}$/,
    );
  });

  it('is byte for byte the same in one portion as ever', async () => {
    const { text, body } = await fat.list(`/Users?count=3&${filter}`);
    const { schemas, totalResults, startIndex, itemsPerPage, Resources } = body;
    expect(text).toBe(JSON.stringify({ schemas, totalResults, startIndex, itemsPerPage, Resources }));
  });

  it('is walked through by index and by cursor: every resource once, whatever the sizes and counts are', async () => {
    const expected = await ids('fat');
    const counts = fc.constantFrom(1, 7, 44, 45, 69, 70, 71, 200);
    const sorts = fc.constantFrom('', 'sortBy=userName&', 'sortBy=displayName&sortOrder=descending&', 'sortBy=id&');
    const attributes = fc.constantFrom('attributes=userName&', 'excludedAttributes=addresses&');
    let cut = 0;
    const walk = fc.asyncProperty(counts, sorts, attributes, async (count, sort, projection) => {
      const query = `${sort}${projection}count=${count}&${filter}`;
      const byIndex = await walkByIndex(query);
      cut += byIndex.cut;
      expect(new Set(byIndex.seen)).toEqual(new Set(expected));
      expect(byIndex.seen).toHaveLength(expected.length);
      expect(await walkByCursor(query)).toEqual(byIndex.seen);
    });
    await fc.assert(walk, { numRuns: 5, examples: [[200, 'sortBy=userName&', 'attributes=userName&']] });
    expect(cut).toBeGreaterThan(0);
  });

  it('has no more than it says where resources are deleted while it is sent', async () => {
    const own = await server.addTenant('deleting');
    const sql = manyUsers('gone', 30, '715');
    await server.dataSource.query(sql, [await tenantId('deleting')]);
    const sent = await fetch(`${server.origin}/scim/v2/Users?count=30`, {
      headers: { authorization: `Bearer ${own.token}` },
    });
    await server.dataSource.query(
      `DELETE FROM users WHERE tenant_id = $1 AND id IN
      (SELECT id FROM users WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1)`,
      [await tenantId('deleting')],
    );
    const body = (await sent.json()) as List;
    expect(body.itemsPerPage).toBe(body.Resources.length);
    expect([29, 30]).toContain(body.itemsPerPage);
  });
});

describe('a group of few members and many bytes', () => {
  let group: Resource;
  let members: string[];
  const membersOf = (resource: Resource | undefined) =>
    (resource?.['members'] as { value: string; display: string }[]) ?? [];

  beforeAll(async () => {
    members = await ids('long');
    const answer = await fat.post('/Groups', { displayName: 'Long', members: members.map((value) => ({ value })) });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('Content-Length')).toBeNull();
    group = answer.body;
  });

  it('is answered in parts to whoever creates, replaces or reads it', async () => {
    const { body: replaced } = await fat.put(`/Groups/${group.id}`, {
      displayName: 'Long 2',
      members: members.map((value) => ({ value })),
    });
    const read = await fat.get(`/Groups/${group.id}`);
    expect(read.body).toEqual(replaced);
    for (const each of [group, replaced]) {
      expect(membersOf(each).map(({ value }) => value)).toEqual(members);
      expect(new Set(membersOf(each).map(({ display }) => display.length))).toEqual(new Set([65_000]));
    }
    expect(replaced).toMatchObject({ displayName: 'Long 2', meta: { version: 'W/"2"' } });
  });

  it('is projected part by part', async () => {
    const ofValues = await fat.get(`/Groups/${group.id}?attributes=members.value,displayName`);
    expect(ofValues.body).toEqual({
      schemas: group.schemas,
      id: group.id,
      displayName: 'Long 2',
      members: members.map((value) => expect.objectContaining({ value })),
    });
    const without = await fat.get(`/Groups/${group.id}?excludedAttributes=members.display`);
    expect(membersOf(without.body).every((member) => !('display' in member))).toBe(true);
    expect((await fat.get(`/Groups/${group.id}?attributes=displayName`)).body['members']).toBeUndefined();
  });

  it('is a part of lists, beside others, also where they are cut and projected', async () => {
    for (const displayName of ['Empty', 'Small'])
      await fat.post('/Groups', { displayName, members: displayName === 'Small' ? [{ value: members[0] ?? '' }] : [] });
    for (let n = 0; n < 5; n++)
      await fat.post(`/Groups?attributes=id`, {
        displayName: `Other ${n}`,
        members: members.map((value) => ({ value })),
      });
    const whole = await fat.list('/Groups?filter=displayName%20sw%20%22Long%22%20or%20displayName%20eq%20%22Empty%22');
    expect(whole.body.Resources.map((each) => membersOf(each).length)).toEqual([150, 0]);
    const seen: string[] = [];
    let pages = 0;
    for (let total = Infinity; seen.length < total; pages++) {
      const { body } = await fat.list(`/Groups?startIndex=${seen.length + 1}&attributes=members.value`);
      seen.push(...idsOf(body));
      for (const each of body.Resources) expect([0, 1, 150]).toContain(membersOf(each).length);
      total = body.totalResults;
    }
    expect(new Set(seen).size).toBe(8);
    expect(pages).toBeGreaterThan(1);
    const { body } = await fat.list('/?cursor&attributes=members.value,userName&count=200');
    expect(body.itemsPerPage).toBe(body.Resources.length);
  });
});

describe('a user of very many groups', () => {
  it('has their names up to a number, and then their ids alone', async () => {
    const own = await server.addTenant('joiners');
    const { body: user } = await own.post('/Users', { userName: 'joiner' });
    const tenant = await tenantId('joiners');
    const join = (count: number) =>
      server.dataSource.query(
        `WITH g AS (INSERT INTO groups (tenant_id, id, display_name, display_name_key, document, folded, version, created_at,
             last_modified_at)
           SELECT $1, gen_random_uuid(), 'g', 'g', '{}', '{}', 1, now(), now() FROM generate_series(1, $3::integer) RETURNING *)
         INSERT INTO group_members (tenant_id, group_id, member_id, member_type) SELECT $1, id, $2, 'User' FROM g`,
        [tenant, user.id, count],
      );
    for (const [more, names] of [
      [5_000, 5_000],
      [1, 0],
    ] as const) {
      await join(more);
      const groups = (await own.get(`/Users/${user.id}`)).body['groups'] as { value: string; display?: string }[];
      expect(groups.filter(({ display }) => display === 'g')).toHaveLength(names);
      expect(new Set(groups.map(({ value }) => value)).size).toBe(names === 0 ? 5_001 : names);
    }
  });
});

describe('a client that takes nothing of a large answer', () => {
  /** Sends a request and reads nothing. @returns a promise that its connection is gone, as the server sees it */
  function paused(client: ScimClient, path: string): Promise<void> {
    const socket = open(server.origin);
    socket.pause();
    socket.on('error', () => undefined);
    socket.write(`GET /scim/v2${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${client.token}\r\n\r\n`);
    return new Promise((gone) => {
      const httpServer = server.app.getHttpServer();
      const accept = (accepted: Socket): void => {
        if (accepted.remotePort !== socket.localPort) return;
        httpServer.off('connection', accept);
        accepted.once('close', () => {
          socket.destroy();
          gone();
        });
      };
      httpServer.on('connection', accept);
    });
  }

  beforeAll(() => {
    const pace = { interval: 50, stalledAfter: 1_000, grace: 10_000, bytesPerSecond: 1, deadline: 600_000 };
    endSlowReaders(server.app.getHttpServer(), pace);
  });

  it.each([
    ['a page in portions', '/Users?count=200'],
    ['a page of one text', '/Users?count=200&attributes=addresses&filter=userName%20sw%20%22fat1%22'],
    ['a large group', '/Groups?filter=displayName%20eq%20%22Long%202%22'],
  ])('loses its connection, and what it holds is given back: %s', async (_what, path) => {
    const { result, failures } = await whileNeighbourReads(quiet, `/Users/${quietUser}`, async () => {
      const held: number[] = [];
      const gone = paused(fat, path).then(() => 'gone');
      while ((await Promise.race([gone, quiet.list('/Users')])) !== 'gone') held.push(account.held);
      return Math.max(...held);
    });
    expect(failures).toEqual([]);
    expect(result).toBeGreaterThan(65_536);
    await until(() => Promise.resolve(account.held === 0));
  });

  it('keeps no other tenant from reading a large group, however many of them there are', async () => {
    const members = await Promise.all(
      [1, 2].map(async (n) => (await quiet.post('/Users', { userName: `q${n}` })).body.id),
    );
    const sql = longNames('quiet', 20, 65_000);
    await server.dataSource.query(sql, [await tenantId('quiet')]);
    const values = [...members, ...(await ids('quiet'))].map((value) => ({ value }));
    const { body: group } = await quiet.post('/Groups', { displayName: 'Quiet', members: values });
    const { body: found } = await fat.list('/Groups?filter=displayName%20eq%20%22Long%202%22&attributes=id');
    const path = `/Groups/${found.Resources[0]?.id}`;
    const all = Array.from({ length: 12 }, () => paused(fat, path));
    const { failures, requests } = await whileNeighbourReads(quiet, `/Groups/${group.id}`, () => Promise.all(all), 3);
    expect(failures).toEqual([]);
    expect(requests).toBeGreaterThan(2);
  });
});

describe('the account of bytes', () => {
  it('refuses large answers beyond it with 429, and none that is small or changes something', async () => {
    const hold = account.hold('someone', account.limit * 0.8749);
    const own = account.hold(await tenantId('fat'), 1);
    try {
      for (const path of ['/Users?count=200', '/Users?count=2&attributes=addresses', '/Users?count=2']) {
        const { status, headers, body } = await fat.get<{ status: string }>(
          `${path}&${filter}&sortBy=userName&sortOrder=descending`,
        );
        expect([path, status, body.status, headers.get('Location')]).toEqual([path, 503, '503', null]);
        expect(Number(headers.get('Retry-After'))).toBeGreaterThan(0);
      }
      expect((await fat.list('/Users?attributes=userName&filter=userName%20eq%20%22long1%22')).status).toBe(200);
      // One of the large ones.
      const [id] = await ids('fat10');
      const changed = await fat.operations(`/Users/${id}`, [{ op: 'replace', path: 'title', value: 'Engineer' }]);
      expect([changed.status, changed.text.length > 65_536]).toEqual([200, true]);
    } finally {
      hold.release();
      own.release();
    }
  });
});
