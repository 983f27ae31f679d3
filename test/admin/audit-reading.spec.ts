import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { AuditRetention } from '../../src/audit/audit-retention.js';
import { startAdministered, type AdministeredServer, type AdminList } from '../support/admin.js';
import { allPages, type AuditEvent } from '../support/audit.js';
import { scimError } from '../support/errors.js';

let server: AdministeredServer;
beforeAll(async () => {
  server = await startAdministered({ AUDIT_RETENTION_DAYS: '30' });
});
afterAll(() => server.close());

const now = new Date('2026-06-01T12:00:00.000Z');
const day = 86_400_000;

/** Makes a tenant whose trail has events of some age. @returns its name and id */
async function tenantWith(
  count: number,
  { actor = 'admin', ago = 0 } = {},
): Promise<{ name: string; id: string; path: string }> {
  const name = `tenant-${randomUUID()}`;
  const { body } = await server.admin.post<{ id: string }>('/tenants', { name });
  const tenant = { name, id: body.id, path: `/tenants/${name}/audit` };
  await addEvents(tenant.id, count, actor, ago);
  return tenant;
}

/** Adds events a second apart, the last of them `ago` milliseconds before now. */
async function addEvents(tenantId: string, count: number, actor: string, ago: number): Promise<void> {
  await server.dataSource.query(
    `INSERT INTO audit_events (tenant_id, at, actor, request_id, operation, resource_type, resource_id)
     SELECT $1, $2::timestamptz - make_interval(secs => $3 - n), $4, 'request-' || n, 'create', 'User', 'user-' || n
     FROM generate_series(1, $3::integer) AS n`,
    [tenantId, new Date(now.getTime() - ago), count, actor],
  );
}

const ids = (events: readonly AuditEvent[]): string[] => events.map(({ resourceId }) => resourceId);
const countOf = async (tenantId: string): Promise<number> =>
  (await server.dataSource.query<unknown[]>('SELECT 1 FROM audit_events WHERE tenant_id = $1', [tenantId])).length;

describe('the audit trail', () => {
  it('comes in pages, the newest event first, each event once', async () => {
    const { path } = await tenantWith(25);
    const pages = await allPages<AuditEvent>(server.admin, `${path}?count=10`);
    expect(ids(pages)).toEqual(Array.from({ length: 25 }, (_, index) => `user-${25 - index}`));
    const { body } = await server.admin.get<AdminList<AuditEvent>>(`${path}?count=25`);
    expect([body.items.length, body.nextCursor]).toEqual([25, undefined]);
  });

  it('keeps events of the same instant apart', async () => {
    const { id, path } = await tenantWith(0);
    await server.dataSource.query(
      `INSERT INTO audit_events (tenant_id, at, actor, request_id, operation, resource_type, resource_id)
       SELECT $1, $2, 'admin', 'same', 'create', 'User', 'user-' || n FROM generate_series(1, 7) AS n`,
      [id, now],
    );
    const events = await allPages<AuditEvent>(server.admin, `${path}?count=2`);
    expect(ids(events)).toEqual([7, 6, 5, 4, 3, 2, 1].map((n) => `user-${n}`));
  });

  it.each([
    ['actor=admin', 4],
    ['actor=nobody', 0],
    ['operation=create', 4],
    ['operation=delete', 0],
    ['resourceType=User', 4],
    ['resourceType=Group', 0],
    ['resourceId=user-2', 1],
    ['requestId=request-3', 1],
    ['requestId=request-3&resourceId=user-2', 0],
    ['from=2026-06-01T11:59:58Z', 3],
    ['to=2026-06-01T11:59:58Z', 2],
    ['from=2026-06-01T13:59:58%2B02:00&to=2026-06-01T11:59:58.000Z', 1],
  ])('is filtered by %s', async (query, count) => {
    const { path } = await tenantWith(4);
    expect((await allPages<AuditEvent>(server.admin, `${path}?${query}`)).length).toBe(count);
  });

  it('looks for a rare event a bounded number of events at a time, and finds it', async () => {
    const { id, path } = await tenantWith(1, { actor: 'rare', ago: 10 * day });
    await addEvents(id, 20_001, 'admin', 0);
    const { body: first } = await server.admin.get<AdminList<AuditEvent>>(`${path}?actor=rare`);
    expect([first.items, typeof first.nextCursor]).toEqual([[], 'string']);
    expect((await allPages<AuditEvent>(server.admin, `${path}?actor=rare`)).length).toBe(1);
  });

  it.each([
    ['count=0', 'count must be a whole number from 1 to 200.'],
    ['count=201', 'count must be a whole number from 1 to 200.'],
    ['cursor=x', 'cursor must be the nextCursor of the page before.'],
    ['cursor=1-99999999999999999999', 'cursor must be the nextCursor of the page before.'],
    ['from=yesterday', 'from must be a date and time with its zone, such as 2027-01-31T00:00:00Z.'],
    ['to=2026-06-01', 'to must be a date and time with its zone, such as 2027-01-31T00:00:00Z.'],
    ['actor=%0A', 'actor must have 1 to 256 characters, and no control characters.'],
  ])('refuses %s', async (query, detail) => {
    const answers = [
      await server.admin.get(`/tenants/default/audit?${query}`),
      await server.admin.get(`/audit?${query}`),
    ];
    for (const { status, body } of answers) {
      expect([status, body]).toEqual([400, scimError(400, 'invalidValue', detail)]);
    }
  });

  it('is 404 for a tenant that is not there, and 401 without the operators’ token', async () => {
    for (const path of ['audit', 'audit/export', 'requests']) {
      expect((await server.admin.get(`/tenants/nobody/${path}`)).status).toBe(404);
      const answer = await server.admin.get(`/tenants/default/${path}`, { token: server.scim.token });
      expect([path, answer.status]).toEqual([path, 401]);
    }
  });
});

describe('an export', () => {
  it('has every event as a line of JSON, as the pages have it, also beyond a batch', async () => {
    const { path } = await tenantWith(450);
    const { status, headers, text } = await server.admin.get(`${path}/export`);
    expect([status, headers.get('Content-Type')]).toEqual([200, expect.stringMatching(/^application\/x-ndjson/)]);
    const lines = text.split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(await allPages(server.admin, `${path}?count=200`));
    expect(lines.length).toBe(450);
  });

  it('is filtered like the pages, and is empty where there is nothing', async () => {
    const { path } = await tenantWith(3);
    const { text } = await server.admin.get(`${path}/export?resourceId=user-2`);
    expect(text.trimEnd().split('\n').length).toBe(1);
    const nothing = await server.admin.get(`${path}/export?actor=nobody`);
    expect([nothing.status, nothing.text]).toEqual([200, '']);
    const head = await server.admin.send('HEAD', `${path}/export`, undefined);
    expect([head.status, head.text]).toEqual([200, '']);
  });

  it.each(['count=5', 'cursor=1-1'])('has no pages: %s is refused', async (query) => {
    expect((await server.admin.get(`/audit/export?${query}`)).status).toBe(400);
  });

  it('goes as fast as it is taken, and ends when its reader leaves', async () => {
    const { id, path } = await tenantWith(0);
    await server.dataSource.query(
      `INSERT INTO audit_events (tenant_id, at, actor, request_id, operation, resource_type, resource_id, after)
       SELECT $1, $2, 'admin', 'large', 'create', 'User', 'user-' || n, json_build_object('text', repeat('x', 20000))
       FROM generate_series(1, 2000) AS n`,
      [id, now],
    );
    const reader = new AbortController();
    const response = await fetch(`${server.admin.baseUrl}${path}/export`, {
      headers: { Authorization: `Bearer ${server.admin.token}` },
      signal: reader.signal,
    });
    const chunk = (await response.body?.getReader().read()) as { value?: Uint8Array } | undefined;
    expect(chunk?.value?.length).toBeGreaterThan(0);
    reader.abort();
    expect((await server.admin.get<AdminList<AuditEvent>>(`${path}?count=1`)).body.items.length).toBe(1);
  });
});

describe('retention', () => {
  const remove = (): Promise<number> => server.app.get(AuditRetention).remove(now);

  it('removes what is older than AUDIT_RETENTION_DAYS, in batches, and keeps the rest', async () => {
    const old = await tenantWith(2_500, { ago: 31 * day });
    const recent = await tenantWith(5, { ago: 29 * day });
    await remove();
    expect([await countOf(old.id), await countOf(recent.id)]).toEqual([0, 5]);
  });

  it('is as long as the tenant’s setting says', async () => {
    const [short, long] = [await tenantWith(5, { ago: 8 * day }), await tenantWith(5, { ago: 100 * day })];
    await server.admin.patch(`/tenants/${short.name}/settings`, { auditRetentionDays: 7 });
    await server.admin.patch(`/tenants/${long.name}/settings`, { auditRetentionDays: 101 });
    await remove();
    const left = await Promise.all(
      [short, long].map(({ path }) => allPages<AuditEvent>(server.admin, `${path}?resourceType=User`)),
    );
    expect(left.map(({ length }) => length)).toEqual([0, 5]);
  });

  it('has no end where AUDIT_RETENTION_DAYS is 0', async () => {
    const own = await startAdministered({ AUDIT_RETENTION_DAYS: '0' });
    const far = new Date(now.getTime() + 40_000 * day);
    const before = await own.dataSource.query<unknown[]>('SELECT 1 FROM audit_events');
    expect([before.length > 0, await own.app.get(AuditRetention).remove(far)]).toEqual([true, 0]);
    await own.close();
  });
});
