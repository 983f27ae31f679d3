import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { inOneText } from '../../src/groups/large-groups.js';
import type { JsonObject } from '../../src/scim/index.js';
import { AdminClient, adminToken, type AdminToken } from '../support/admin.js';
import { ScimClient, type Answer, type Resource } from '../support/client.js';
import { inconsistencies } from '../support/consistency.js';
import { databaseUrl, onServer, serverUrl } from '../support/database.js';
import { scimError } from '../support/errors.js';
import { urn } from '../support/expected.js';
import { okta } from '../support/okta.js';
import { passesPrepared, pgbouncer, pgbouncerVersion, startPgbouncer, type Pooler } from '../support/pgbouncer.js';
import { build, endProcesses, startProcess, stopProcess, type RollcallProcess } from '../support/process.js';
import { describeWith } from '../support/programs.js';
import { inParallel } from '../support/replicas.js';
import { until } from '../support/until.js';
import { Progress, Writers } from '../support/writers.js';

jest.setTimeout(120_000);

const page = readFileSync('docs/high-availability.md', 'utf8');
const documented = [...page.matchAll(/^ALTER ROLE rollcall IN DATABASE rollcall SET (\w+) = '(\w+)';$/gm)];
/** What docs/high-availability.md says to set for the role, with a shorter timeout. */
const roleSettings = {
  ...Object.fromEntries(documented.map(([, name = '', value = '']) => [name, value])),
  statement_timeout: '3s',
};

interface CursorPage {
  readonly nextCursor?: string;
  readonly Resources: readonly Resource[];
}

const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
const statuses = (answers: readonly Answer<unknown>[]): number[] => answers.map(({ status }) => status);
const filtered = (path: string, filter: string): string => `${path}filter=${encodeURIComponent(filter)}`;
const membersOf = ({ members }: Resource): string[] =>
  ((members ?? []) as { value: string }[]).map(({ value }) => value);
const addition = (...ids: string[]) => [{ op: 'add', path: 'members', value: ids.map((value) => ({ value })) }];

/** Two servers on a database of their own that they reach through pgbouncer. */
class Pooled {
  private constructor(
    readonly pooler: Pooler,
    /** The database, not through the pooler. */
    readonly url: string,
    readonly servers: readonly [RollcallProcess, RollcallProcess],
  ) {}

  /** Both servers find the database empty, and start at once. */
  static async start(preparedStatements: number, settings: Readonly<Record<string, string>>): Promise<Pooled> {
    await build();
    const name = `${process.env['ROLLCALL_TEST_PREFIX']}_${randomUUID().slice(0, 8)}`;
    await onServer(serverUrl ?? '', async (client) => {
      await client.query(`CREATE DATABASE "${name}"`);
      for (const [setting, value] of Object.entries(settings)) {
        await client.query(`ALTER ROLE CURRENT_USER IN DATABASE "${name}" SET ${setting} = '${value}'`);
      }
    });
    const url = databaseUrl(serverUrl ?? '', name);
    const pooler = await startPgbouncer(url, preparedStatements);
    const environment = {
      DATABASE_URL: pooler.by(url),
      ADMIN_TOKEN: adminToken,
      ...(preparedStatements > 0 ? {} : { PREPARED_STATEMENTS: 'false' }),
    };
    return new Pooled(pooler, url, await Promise.all([startProcess(environment), startProcess(environment)]));
  }

  query<Row extends object>(sql: string): Promise<Row[]> {
    return onServer(
      `${this.url}?statement_timeout=0`,
      async (client: pg.Client) => (await client.query<Row>(sql)).rows,
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map(stopProcess));
    await endProcesses();
    await this.pooler.remove();
    await onServer(serverUrl ?? '', (client) =>
      client.query(`DROP DATABASE "${new URL(this.url).pathname.slice(1)}" WITH (FORCE)`),
    );
  }
}

/** The ways to put pgbouncer between: with how many prepared statements, and what is to be said of it. */
const ways: [string, number][] = [
  ['with PREPARED_STATEMENTS=false', 0],
  ['that passes prepared statements on', 200],
];

describeWith([pgbouncer], 'pgbouncer in transaction mode between', () => {
  for (const [way, prepared] of ways) {
    if (prepared > 0 && !passesPrepared()) {
      describe.skip(`${way} (skipped: needs pgbouncer 1.21, this is ${pgbouncerVersion})`, () => stories(prepared));
    } else describe(way, () => stories(prepared));
  }

  it('whose sessions are not set up: the log says at the start what is to be set', async () => {
    const pooled = await Pooled.start(0, {});
    try {
      const [warned] = pooled.servers.map(
        ({ output }) => output().stdout.match(/"msg":"Behind a connection pooler.*"/)?.[0],
      );
      expect(warned).toMatch(
        /idle_in_transaction_session_timeout, jit, plan_cache_mode, statement_timeout: see .*docs/,
      );
    } finally {
      await pooled.close();
    }
  });
});

function stories(prepared: number): void {
  let pooled: Pooled;
  let scim: ScimClient;
  let other: ScimClient;
  beforeAll(async () => {
    pooled = await Pooled.start(prepared, roleSettings);
    const token = pooled.servers.map((server) => server.scim.token).join('');
    const [one, two] = pooled.servers;
    scim = new ScimClient(one.scim.baseUrl, token);
    other = new ScimClient(two.scim.baseUrl, token);
  });
  afterAll(() => pooled.close());

  const admin = (): AdminClient => new AdminClient(`${pooled.servers[0].origin}/admin/v1`, adminToken);
  /** Makes a tenant. @returns a client of it for each server */
  async function connect(name: string): Promise<[ScimClient, ScimClient]> {
    const { baseUrl, token } = await admin().connect(name);
    const { pathname } = new URL(baseUrl);
    const [one, two] = pooled.servers.map(({ origin }) => new ScimClient(origin + pathname, token));
    return [one as ScimClient, two as ScimClient];
  }
  const oneOf = (number: number): ScimClient => (number % 2 === 0 ? scim : other);
  const read = async (path: string): Promise<Resource> => (await other.get(path)).body;
  const createUsers = (name: string, count: number): Promise<Resource[]> =>
    inParallel(
      16,
      range(count).map((n) => async () => (await oneOf(n).post('/Users', { userName: `${name}-${n}` })).body),
    );

  it('is not in the way of servers that start together: each migration ran once, one token was made, and nothing is to be warned of', async () => {
    const twice = 'SELECT name FROM migrations GROUP BY name HAVING count(*) > 1';
    expect(await pooled.query(twice)).toEqual([]);
    const outputs = pooled.servers.map(({ output }) => output().stdout);
    expect(outputs.filter((text) => text.includes('Bearer token'))).toHaveLength(1);
    expect(outputs.join()).not.toContain('"level":40');
  });

  it('is not in the way of Okta: a user and a group come, change and go', async () => {
    const login = 'ann@okta.test';
    const profile = {
      ...{ schemas: [urn.user], userName: login, externalId: '00u1', active: true },
      ...{ name: { givenName: 'Ann', familyName: 'One' }, emails: [{ primary: true, value: login, type: 'work' }] },
    };
    const match = () => other.list(`${filtered('/Users?', `userName eq "${login}"`)}&startIndex=1&count=100`, okta);
    expect((await match()).body.totalResults).toBe(0);
    const { status, body: ann } = await scim.post('/Users', profile, okta);
    expect([status, (await match()).body.Resources]).toEqual([201, [ann]]);
    const again = await other.post<unknown>('/Users', profile, okta);
    expect([again.status, again.body]).toEqual([409, scimError(409, 'uniqueness')]);
    expect((await other.put(`/Users/${ann.id}`, { ...profile, title: 'Dr' }, okta)).body['title']).toBe('Dr');
    const { body: group } = await scim.post('/Groups', { schemas: [urn.group], displayName: 'P', members: [] }, okta);
    expect((await other.operations(`/Groups/${group.id}`, addition(ann.id), okta)).status).toBe(204);
    await scim.operations(`/Users/${ann.id}`, [{ op: 'replace', value: { active: false } }], okta);
    expect(await read(`/Users/${ann.id}`)).toMatchObject({ active: false, groups: [{ value: group.id }] });
    expect((await scim.delete(`/Groups/${group.id}`, okta)).status).toBe(204);
    expect((await read(`/Users/${ann.id}`))['groups']).toBeUndefined();
  });

  it('is not in the way of Entra ID: a user and a group come, change and go', async () => {
    const { body: bob } = await scim.post('/Users', {
      ...{ schemas: [urn.user, urn.enterprise], userName: 'bob@contoso.com', externalId: 'ext-bob', active: true },
      ...{ emails: [{ primary: true, type: 'work', value: 'bob@contoso.com' }], [urn.enterprise]: { department: 'A' } },
    });
    const found = await other.list(filtered('/Users?', 'externalId eq "ext-bob"'));
    expect(found.body.Resources).toEqual([bob]);
    await other.operations(`/Users/${bob.id}`, [
      { op: 'Replace', path: 'active', value: 'False' },
      { op: 'Add', path: `${urn.enterprise}:department`, value: 'B' },
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'bob@fabrikam.com' },
    ]);
    expect(await read(`/Users/${bob.id}`)).toMatchObject({
      ...{ active: false, emails: [{ value: 'bob@fabrikam.com' }], [urn.enterprise]: { department: 'B' } },
    });
    const { body: group } = await scim.post('/Groups', { displayName: 'E', externalId: 'ext-group' });
    await other.operations(`/Groups/${group.id}`, [{ op: 'Add', path: 'members', value: [{ value: bob.id }] }]);
    const has = () => other.list(`${filtered('/Groups?', `members[value eq "${bob.id}"]`)}&excludedAttributes=members`);
    expect((await has()).body.Resources.map(({ id }) => id)).toEqual([group.id]);
    await scim.operations(`/Groups/${group.id}`, [{ op: 'Remove', path: 'members', value: [{ value: bob.id }] }]);
    expect((await has()).body.totalResults).toBe(0);
  });

  it('is not in the way of bulk requests, several at once', async () => {
    const request = (n: number): JsonObject => ({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [
        { method: 'POST', path: '/Users', bulkId: 'u', data: { userName: `bulk-${n}` } },
        {
          method: 'POST',
          path: '/Groups',
          bulkId: 'g',
          data: { displayName: `bulk-${n}`, members: [{ value: 'bulkId:u' }] },
        },
      ],
    });
    const answers = await Promise.all(
      range(12).map((n) => oneOf(n).post<{ Operations: { status: string }[] }>('/Bulk', request(n))),
    );
    const expected = range(12).map(() => ['201', '201']);
    expect(answers.map(({ body }) => body.Operations.map(({ status }) => status))).toEqual(expected);
    const found = await scim.list(filtered('/Groups?', 'displayName sw "bulk-"'));
    expect(found.body.Resources.map((group) => membersOf(group).length)).toEqual(range(12).map(() => 1));
  });

  it('is not in the way of many who add members to one group', async () => {
    const [users, { body: group }] = [await createUsers('added', 60), await scim.post('/Groups', { displayName: 'A' })];
    const answers = await Promise.all(
      users.map(({ id }, n) => oneOf(n).operations(`/Groups/${group.id}`, addition(id))),
    );
    expect(statuses(answers)).toEqual(users.map(() => 204));
    const after = await read(`/Groups/${group.id}`);
    expect([membersOf(after), after.meta.version]).toEqual([users.map(({ id }) => id).sort(), 'W/"61"']);
  });

  it('is not in the way of cursors: each page comes from the other server', async () => {
    const users = await createUsers('paged', 25);
    const path = `${filtered('/Users?', 'userName sw "paged-"')}&count=10&cursor`;
    const found: string[] = [];
    let cursor: string | undefined = '';
    for (let page = 0; cursor !== undefined; page++) {
      const { body }: Answer<CursorPage> = await oneOf(page).get<CursorPage>(`${path}=${cursor}`);
      found.push(...body.Resources.map(({ id }) => id));
      cursor = body.nextCursor;
    }
    expect(found).toEqual(users.map(({ id }) => id).sort());
  });

  it('is not in the way of the administration: a tenant is made, and a revoked token is refused by both servers', async () => {
    const [tenant, elsewhere] = await connect('pooled');
    expect((await tenant.post('/Users', { userName: 'own' })).status).toBe(201);
    expect((await elsewhere.list('/Users')).body.totalResults).toBe(1);
    const { body } = await admin().get<{ items: AdminToken[] }>('/tenants/pooled/tokens');
    expect((await admin().delete(`/tenants/pooled/tokens/${body.items[0]?.id}`)).status).toBe(204);
    expect((await tenant.list('/Users')).status).toBe(401);
    await until(async () => (await elsewhere.list('/Users')).status === 401);
  });

  it("leaves the bounds to the role's settings: whoever waits for a lock for longer is answered 503", async () => {
    const { body: group } = await scim.post('/Groups', { displayName: 'locked' });
    const rename = (displayName: string) => [{ op: 'replace', path: 'displayName', value: displayName }];
    await onServer(pooled.url, async (client) => {
      await client.query('BEGIN');
      await client.query('SELECT 1 FROM groups FOR UPDATE');
      const asked = performance.now();
      const answers = await Promise.all(
        range(6).map((n) => oneOf(n).operations<unknown>(`/Groups/${group.id}`, rename(`late ${n}`))),
      );
      expect(answers.map(({ status, body }) => [status, body])).toEqual(answers.map(() => [503, scimError(503)]));
      // By the server, which was told so for each connection, and long before our own patience ends.
      expect(performance.now() - asked).toBeLessThan(15_000);
      await client.query('ROLLBACK');
    });
    expect(await read(`/Groups/${group.id}`)).toEqual(group);
    expect((await scim.operations(`/Groups/${group.id}`, rename('in time'))).status).toBe(204);
  });

  it('may end and come back under load: requests are refused meanwhile, and nothing acknowledged is lost', async () => {
    const clients = await connect('outage');
    const progress = new Progress();
    const writers = new Writers(clients, progress);
    await writers.acknowledged.more(40);
    const refused = writers.refused.more(8);
    await pooled.pooler.kill();
    await refused;
    await pooled.pooler.start();
    await writers.acknowledged.more(40);
    await writers.stop();
    for (const refusal of writers.refusals.values()) {
      expect(refusal).toEqual({ status: 503, retryAfter: '5', body: scimError(503) });
    }
    expect(writers.lost).toEqual(new Set());
    expect(await progress.contradictions(clients[1])).toEqual([]);
    expect(await inconsistencies((sql) => pooled.query(sql))).toEqual([]);
  });

  it('is not in the way of large groups: each reader has the members of one moment, while they change', async () => {
    // Made in the database, because only their number matters here.
    await pooled.query(`INSERT INTO users (tenant_id, id, user_name, user_name_key, display, display_key, active, document,
        folded, version, created_at, last_modified_at)
      SELECT t.id, gen_random_uuid(), 'l' || n, 'l' || n, 'L', 'l', TRUE, '{}', '{}', 1, now(), now()
      FROM tenants t, generate_series(1, ${2 * inOneText.members + 8}) n WHERE t.name = 'default'`);
    const rows = await pooled.query<{ id: string }>(`SELECT id FROM users WHERE user_name LIKE 'l%' ORDER BY id`);
    const [last = '', ...ids] = rows.map(({ id }) => id).reverse();
    const { body: group } = await scim.post('/Groups', { displayName: 'Large' });
    const path = `/Groups/${group.id}`;
    const slices = range(Math.ceil(ids.length / 500)).map((n) => ids.slice(500 * n, 500 * (n + 1)));
    for (const slice of slices) expect((await scim.operations(path, addition(...slice))).status).toBe(204);
    const readings = range(8).map((n) => oneOf(n).get(path));
    expect((await scim.operations(path, addition(last))).status).toBe(204);
    readings.push(other.get(path));
    const before = ids.toReversed();
    const [earlier, later] = [`W/"${slices.length + 1}"`, `W/"${slices.length + 2}"`];
    for (const { body } of await Promise.all(readings)) {
      const { version } = body.meta;
      expect([membersOf(body), version]).toEqual(version === later ? [[...before, last], later] : [before, earlier]);
    }
  });
}
