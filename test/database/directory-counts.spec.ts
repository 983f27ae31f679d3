import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DirectoryCounts } from '../../src/persistence/directory-counts.js';
import { directoryPlace, directoryTotal } from '../../src/persistence/directory.js';
import { sqlContext } from '../../src/persistence/filter-sql/columns.js';
import { TenantErasure } from '../../src/tenants/tenant-erasure.js';
import type { Resource, ScimClient } from '../support/client.js';
import { inconsistencies } from '../support/consistency.js';
import { inParallel, startReplicas, type Replicas } from '../support/replicas.js';
import { until } from '../support/until.js';

jest.setTimeout(120_000);

let replicas: Replicas;
let counts: DirectoryCounts;
beforeAll(async () => {
  replicas = await startReplicas();
  counts = new DirectoryCounts(replicas.dataSource);
});
afterAll(() => replicas.close());

let asked = 0;
const next = (clients: readonly ScimClient[]): ScimClient => clients[asked++ % clients.length] as ScimClient;
const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
const query = <Row extends object>(sql: string, values: unknown[] = []) =>
  replicas.dataSource.query<Row[]>(sql, values);

async function tenantId(name: string): Promise<string> {
  const [row] = await query<{ id: string }>('SELECT id FROM tenants WHERE name = $1', [name]);
  return row?.id ?? '';
}

/** Settles all changes there are, in whichever process. Nobody may be writing. */
async function settleAll(): Promise<void> {
  do await counts.settle();
  while ((await query('SELECT 1 FROM resource_count_changes LIMIT 1')).length > 0);
}

/** Adds users by SQL, as fast as the database can. Their ids are spread over all possible ids. */
async function seed(tenant: string, count: number): Promise<void> {
  await query(
    `INSERT INTO users (tenant_id, id, user_name, user_name_key, display, display_key, document, folded, version,
       created_at, last_modified_at)
     SELECT $1, r.id, r.id, r.id, r.id, r.id, json_build_object('schemas', json_build_array($3::text), 'id', r.id,
       'userName', r.id), jsonb_build_object('username', r.id), 1, now(), now()
     FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, $2::integer)) r`,
    [tenant, count, 'urn:ietf:params:scim:schemas:core:2.0:User'],
  );
}

const ids = async (tenant: string): Promise<string[]> =>
  (await query<{ id: string }>('SELECT id FROM users WHERE tenant_id = $1 ORDER BY id', [tenant])).map(({ id }) => id);

/**
 * What the counts say beside what the rows say, in one statement and so at one moment: the total, and which resource has
 * each of the indexes 0, step, 2 × step …
 */
async function compare(tenant: string, step: number): Promise<{ said: unknown; counted: unknown }> {
  const context = sqlContext([tenant], '');
  const at = (source: string, skipped: string): string =>
    `(SELECT r.id FROM users r WHERE r.tenant_id = $1 ${source} ORDER BY r.id OFFSET ${skipped} LIMIT 1)`;
  const [row] = await query<{ said: unknown; counted: unknown }>(
    `WITH indexes AS (
       SELECT i FROM generate_series(0, (SELECT count(*) FROM users WHERE tenant_id = $1), $2::integer) i
     ), places AS (
       SELECT i, p.id, p.before FROM indexes, LATERAL (${directoryPlace('User', 'i', context)}) p
     )
     SELECT
       json_build_array((${directoryTotal('User', context)}),
         (SELECT json_agg(${at('AND r.id >= places.id', 'i - places.before')} ORDER BY i) FROM places)) AS said,
       json_build_array((SELECT count(*) FROM users WHERE tenant_id = $1),
         (SELECT json_agg(${at('', 'i')} ORDER BY i) FROM indexes)) AS counted`,
    [tenant, step],
  );
  if (!row) throw new Error('the comparison has one row');
  return row;
}

/** Does work again and again, as long as something else takes. */
async function whilst<T>(others: Promise<T>, work: () => Promise<unknown>): Promise<T> {
  let isOver = false;
  const over = others.finally(() => (isOver = true));
  while (!isOver) {
    await work();
    // The embedded database answers without leaving this turn of the event loop; the others need one.
    await new Promise((resume) => setImmediate(resume));
  }
  return over;
}

/** Users come and go, and writes fail and are rolled back, all through the API. */
function churn(clients: readonly ScimClient[], known: Resource, rounds: number): Promise<void[]> {
  const round = (number: number) => async (): Promise<void> => {
    const { body: user } = await next(clients).post('/Users', { userName: `churn-${number}` });
    const taken = await next(clients).post('/Users', { userName: `churn-${number}` });
    // The group is inserted before its members are looked up.
    const members = [{ value: user.id }, { value: '00000000-0000-7000-8000-000000000000' }];
    const refused = await next(clients).post('/Groups', { displayName: 'refused', members });
    const { body: group } = await next(clients).post('/Groups', {
      displayName: 'made',
      members: [{ value: known.id }],
    });
    const gone = [
      ...(number % 4 === 0 ? [] : [await next(clients).delete(`/Users/${user.id}`)]),
      ...(number % 3 === 0 ? [] : [await next(clients).delete(`/Groups/${group.id}`)]),
    ];
    expect([taken.status, refused.status, ...gone.map(({ status }) => status)]).toEqual([
      ...[409, 400],
      ...gone.map(() => 204),
    ]);
  };
  return inParallel(6, range(rounds).map(round));
}

describe('A directory of which the counts know the ranges', () => {
  const [seeded, rounds] = [9_000, 60];
  let tenant: string;
  let clients: ScimClient[];

  beforeAll(async () => {
    clients = await replicas.addTenant('deep');
    tenant = await tenantId('deep');
    await seed(tenant, seeded);
    await settleAll();
  });

  /** Every page by index, and the ids that SQL finds there. */
  async function pagesAndRows(starts: readonly number[], count: number): Promise<[unknown, unknown]> {
    const rows = await ids(tenant);
    const pages = await inParallel(
      4,
      starts.map((startIndex) => async () => {
        const { body } = await next(clients).list(`/Users?attributes=id&startIndex=${startIndex}&count=${count}`);
        return [body.totalResults, body.Resources.map(({ id }) => id)];
      }),
    );
    return [pages, starts.map((start) => [rows.length, rows.slice(start - 1, start - 1 + count)])];
  }
  // Around where looking places up begins, around the ends of ranges, and beyond the end.
  const starts = [1, 1999, 2000, 2001, 2002, 2500, 3999, 4000, 4001, 5801, 6000, 6001, 7990, 8801, 8999, 9000, 9500];

  it('is divided into ranges, of which each page by index (RFC 7644 section 3.4.2.4) begins in the right one', async () => {
    const [divided] = await query<{ n: number }>(
      `SELECT count(*)::integer AS n FROM resource_counts WHERE tenant_id = $1 AND resource_type = 'User'`,
      [tenant],
    );
    expect(divided?.n).toBeGreaterThan(3);
    const [pages, rows] = await pagesAndRows(starts, 7);
    expect(pages).toEqual(rows);
  });

  it('has the same pages with changes that are not in the ranges yet, and after they are', async () => {
    // Also whole stretches, so that ranges are empty, and the first of all.
    await query(
      `DELETE FROM users u USING (SELECT id, row_number() OVER (ORDER BY id) AS n FROM users WHERE tenant_id = $1) o
       WHERE u.tenant_id = $1 AND u.id = o.id AND (o.n < 4 OR o.n % 11 = 0 OR o.n BETWEEN 2100 AND 4300)`,
      [tenant],
    );
    await seed(tenant, 3_000);
    const unsettled = await pagesAndRows(starts, 7);
    expect(unsettled[0]).toEqual(unsettled[1]);
    await settleAll();
    const settled = await pagesAndRows(starts, 7);
    expect(settled).toEqual(unsettled);
  });

  it('has an exact total and exact places at every moment while rows come, go and are rolled back', async () => {
    const { body: known } = await next(clients).post('/Users', { userName: 'known' });
    let compared = 0;
    await whilst(churn(clients, known, rounds), async () => {
      const { said, counted } = await compare(tenant, 997);
      expect(said).toEqual(counted);
      if (compared++ % 2 === 0) await counts.settle();
    });
    expect(compared).toBeGreaterThan(3);
    const [pages, rows] = await pagesAndRows(starts, 7);
    expect(pages).toEqual(rows);
    const { totalResults } = (await next(clients).list('/Groups?count=0')).body;
    expect(totalResults).toBe(rounds / 3);
  });

  it('is listed by cursors (RFC 9865) with everybody who stays in it exactly once, while others come and go', async () => {
    const before = await ids(tenant);
    const { body: known } = await next(clients).get(`/Users/${before[0]}`);
    const found: string[] = [];
    const walk = async (): Promise<void> => {
      for (let cursor: string | undefined = ''; cursor !== undefined;) {
        const path = `/Users?attributes=id&count=200&cursor=${cursor}`;
        const { body } = (await next(clients).list(path)) as unknown as {
          body: { Resources: Resource[]; nextCursor?: string };
        };
        found.push(...body.Resources.map(({ id }) => id));
        cursor = body.nextCursor;
      }
    };
    await Promise.all([whilst(walk(), () => churnOnce(known)), whilst(walk(), () => counts.settle())]);
    const times = new Map<string, number>();
    for (const id of found) times.set(id, (times.get(id) ?? 0) + 1);
    expect(before.filter((id) => times.get(id) !== 2)).toEqual([]);
    const [pages, rows] = await pagesAndRows(starts, 7);
    expect(pages).toEqual(rows);
  });

  let churned = 0;
  async function churnOnce(known: Resource): Promise<void> {
    const { body: user } = await next(clients).post('/Users', { userName: `passing-${churned++}` });
    const renamed = await next(clients).operations(`/Users/${known.id}`, [{ op: 'add', value: { title: user.id } }]);
    expect([renamed.status, (await next(clients).delete(`/Users/${user.id}`)).status]).toEqual([200, 204]);
  }
});

describe('Very many changes at once, as after an import', () => {
  it('are moved into the ranges little by little, and the total is exact', async () => {
    await replicas.addTenant('import');
    const tenant = await tenantId('import');
    const imported = 12_000;
    await seed(tenant, imported);
    const seen: number[] = [];
    const transaction = replicas.dataSource.transaction.bind(replicas.dataSource) as (
      work: unknown,
    ) => Promise<unknown>;
    const spy = jest.spyOn(replicas.dataSource, 'transaction').mockImplementation(async (work: unknown) => {
      const result = await transaction(work);
      const [row] = await query<{ n: number }>('SELECT count(*)::integer AS n FROM resource_count_changes');
      seen.push(row?.n ?? 0);
      return result;
    });
    await settleAll();
    spy.mockRestore();
    const { said, counted } = await compare(tenant, 997);
    expect(said).toEqual(counted);
    expect(seen.filter((changes) => changes > 0 && changes < imported)).not.toEqual([]);
    const ranges = await query<{ n: number }>('SELECT n FROM resource_counts WHERE tenant_id = $1', [tenant]);
    expect(ranges.filter(({ n }) => n > 4_000)).toEqual([]);
  });

  it('leave nothing behind that later totals would read past', async () => {
    await replicas.addTenant('second-import');
    const tenant = await tenantId('second-import');
    // The room is not given back at a moment when somebody reads the table; then it is by the next time.
    await until(async () => {
      await seed(tenant, 2_000);
      await settleAll();
      const [row] = await query<{ size: string }>(`SELECT pg_relation_size('resource_count_changes') AS size`);
      return Number(row?.size) === 0;
    });
    const { said, counted } = await compare(tenant, 997);
    expect(said).toEqual(counted);
  });
});

describe('A tenant that is erased', () => {
  it('leaves no counts behind, also when its changes are settled meanwhile, and those of others stay exact', async () => {
    const others = await replicas.addTenant('stays');
    const clients = await replicas.addTenant('goes');
    const [gone, stays] = [await tenantId('goes'), await tenantId('stays')];
    await seed(gone, 4_500);
    await settleAll();
    await seed(gone, 500);
    const { body: known } = await next(others).post('/Users', { userName: 'known' });
    // Suspended, as the administration does it before it erases.
    await replicas.admin.patch('/tenants/goes', { state: 'suspended' });
    const erased = new TenantErasure(replicas.dataSource).erase(gone);
    await whilst(Promise.all([erased, churn(others, known, 12)]), async () => {
      await counts.settle();
      const { said, counted } = await compare(stays, 3);
      expect(said).toEqual(counted);
    });
    await settleAll();
    const left = await query(
      `SELECT 'counts' FROM resource_counts WHERE tenant_id = $1
       UNION ALL SELECT 'changes' FROM resource_count_changes WHERE tenant_id = $1`,
      [gone],
    );
    expect(left).toEqual([]);
    expect((await next(clients).list('/Users')).status).toBe(401);
    const { said, counted } = await compare(stays, 1);
    expect(said).toEqual(counted);
  });
});

describe('The totals', () => {
  it('are those of the rows, in every tenant', async () => {
    const lines = await inconsistencies((sql) => query(sql));
    // Rows that were seeded by SQL have no audit event.
    expect(lines.filter((line) => line.startsWith('a total'))).toEqual([]);
  });
});
