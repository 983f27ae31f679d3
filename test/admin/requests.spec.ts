import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { RequestRecorder } from '../../src/request-log/request-recorder.js';
import { RequestRetention } from '../../src/request-log/request-retention.js';
import { startAdministered, type AdministeredServer } from '../support/admin.js';
import { allPages, eventually, loggedRequests, type LoggedRequest } from '../support/audit.js';
import type { ScimClient } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { urn } from '../support/expected.js';

let server: AdministeredServer;
beforeAll(async () => {
  server = await startAdministered();
});
afterAll(() => server.close());
afterEach(() => void jest.restoreAllMocks());

async function newTenant(): Promise<{ name: string; scim: ScimClient }> {
  const name = `tenant-${randomUUID()}`;
  return { name, scim: await server.admin.connect(name) };
}

const logOf = (tenant: string, count: number, query = ''): Promise<LoggedRequest[]> =>
  loggedRequests(server.admin, tenant, count, query);

const requestIdOf = ({ headers }: { headers: Headers }): string | null => headers.get('X-Request-Id');

describe('a failed request', () => {
  it('is found with what was wrong, and with the shape of what was sent but no value of it', async () => {
    const { name, scim } = await newTenant();
    await scim.post('/Users', { userName: 'barbara' });
    const user = { schemas: [urn.user], userName: 'barbara', name: { familyName: 'Jensen' }, active: true };
    const failed = await scim.post('/Users', user);
    expect(failed.status).toBe(409);
    const [logged, ...others] = await logOf(name, 1, '?status=4xx');
    expect(others).toEqual([]);
    expect(logged).toEqual({
      id: expect.any(String),
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      requestId: requestIdOf(failed),
      method: 'POST',
      path: `/tenants/${name}/scim/v2/Users`,
      status: 409,
      scimType: 'uniqueness',
      detail: expect.any(String),
      durationMs: expect.any(Number),
      actor: expect.stringMatching(/^token:/),
      requestBody: { schemas: [urn.user], userName: '***', name: { familyName: '***' }, active: true },
      responseBody: { ...scimError(409, 'uniqueness'), detail: logged?.detail },
    });
    expect(JSON.stringify(logged)).not.toMatch(/barbara|jensen/i);
  });

  it.each<[string, (scim: ScimClient) => Promise<unknown>, Partial<LoggedRequest>]>([
    [
      'a filter that is none',
      (scim) => scim.list('/Users?filter=userName%20eq%20barbara&count=5'),
      { status: 400, scimType: 'invalidFilter', method: 'GET', requestBody: null },
    ],
    [
      'a body that is no JSON',
      (scim) => scim.send('POST', '/Users', '{"userName":"barbara"'),
      { status: 400, scimType: 'invalidSyntax', method: 'POST', requestBody: null },
    ],
    [
      'an id that nobody has',
      (scim) => scim.get('/Users/barbara@example.com'),
      { status: 404, scimType: null, method: 'GET' },
    ],
    ['a path that nothing is at', (scim) => scim.get('/Userz/barbara@example.com'), { status: 404, scimType: null }],
    ['a method that is not allowed', (scim) => scim.delete('/Users'), { status: 405, method: 'DELETE' }],
    [
      'a media type that is none',
      (scim) => scim.send('POST', '/Users', 'barbara', { headers: { 'Content-Type': 'text/plain' } }),
      { status: 415, requestBody: null },
    ],
  ])('is logged for %s', async (_what, request, expected) => {
    const { name, scim } = await newTenant();
    await request(scim);
    const [logged] = await logOf(name, 1);
    expect(logged).toMatchObject(expected);
    expect(JSON.stringify(logged)).not.toMatch(/barbara/);
  });

  it('is logged also where the guard refuses it: for its scopes, its address, or a suspension', async () => {
    const { name, scim } = await newTenant();
    const issued = await server.admin.post<{ secret: string }>(`/tenants/${name}/tokens`, {
      name: 'reader',
      scopes: ['read'],
    });
    const answers = [
      await scim.post('/Users', { userName: 'barbara' }, { token: issued.body.secret }),
      await scim.get(`${server.origin}/tenants/another/scim/v2/Users`),
    ];
    await server.admin.send('POST', `/tenants/${name}/suspend`, undefined);
    answers.push(await scim.get('/Users'));
    const logged = await logOf(name, 3);
    expect(logged.map(({ status, requestId }) => [status, requestId]).reverse()).toEqual([
      [403, requestIdOf(answers[0] as { headers: Headers })],
      [404, requestIdOf(answers[1] as { headers: Headers })],
      [503, requestIdOf(answers[2] as { headers: Headers })],
    ]);
  });
});

describe('the request log', () => {
  it('has what went well, too, without bodies', async () => {
    const { name, scim } = await newTenant();
    const { body: user } = await scim.post('/Users', { userName: 'barbara' });
    await scim.get(`/Users/${user.id}`);
    const logged = await logOf(name, 2);
    const base = `/tenants/${name}/scim/v2/Users`;
    expect(
      logged.map(({ method, path, status, requestBody, responseBody }) => ({
        method,
        path,
        status,
        requestBody,
        responseBody,
      })),
    ).toEqual([
      { method: 'GET', path: `${base}/${user.id}`, status: 200, requestBody: null, responseBody: null },
      { method: 'POST', path: base, status: 201, requestBody: null, responseBody: null },
    ]);
  });

  it('is filtered, and comes in pages from the newest request on', async () => {
    const { name, scim } = await newTenant();
    for (const userName of ['a', 'b', 'b', 'c']) await scim.post('/Users', { userName });
    const missing = await scim.delete(`/Users/${randomUUID()}`);
    const all = await logOf(name, 5);
    expect(await logOf(name, 5, '?count=2')).toEqual(all);
    const counts: [string, number][] = [
      ['status=201', 3],
      ['status=4xx', 2],
      ['status=409', 1],
      ['status=5xx', 0],
      ['method=DELETE', 1],
      ['scimType=uniqueness', 1],
      ['scimType=noTarget', 0],
      [`requestId=${requestIdOf(missing)}`, 1],
      [`from=${all[1]?.at}`, all.filter(({ at }) => at >= String(all[1]?.at)).length],
      [`to=${all[1]?.at}`, all.filter(({ at }) => at <= String(all[1]?.at)).length],
      ['to=2020-01-01T00:00:00Z', 0],
      ['failed=true', 2],
      ['failed=false', 3],
    ];
    for (const [query, count] of counts) {
      expect([query, (await logOf(name, count, `?${query}`)).length]).toEqual([query, count]);
    }
  });

  it.each([
    ['status=600', 'status must be a status such as 409, or a class of them such as 4xx.'],
    ['method=patch', 'method must be an HTTP method, such as PATCH.'],
    ['failed=yes', 'failed must be true or false.'],
    ['scimType=%00', 'scimType must have 1 to 256 characters, and no control characters.'],
    ['cursor=', 'cursor must be the nextCursor of the page before.'],
  ])('refuses %s', async (query, detail) => {
    const { status, body } = await server.admin.get(`/tenants/default/requests?${query}`);
    expect([status, body]).toEqual([400, scimError(400, 'invalidValue', detail)]);
  });

  it('is off for a tenant that wants it so, from then on', async () => {
    const { name, scim } = await newTenant();
    await server.admin.patch(`/tenants/${name}/settings`, { requestLog: false });
    await scim.delete('/Users');
    await server.admin.patch(`/tenants/${name}/settings`, { requestLog: true });
    await scim.delete('/Groups');
    const logged = await logOf(name, 1);
    expect(logged.map(({ path }) => path)).toEqual([`/tenants/${name}/scim/v2/Groups`]);
  });

  it('has nothing of requests without good credentials, nor of the administration', async () => {
    const { name, scim } = await newTenant();
    await scim.get('/Users', { token: 'wrong' });
    await server.admin.get(`/tenants/${name}`);
    await scim.delete('/Users');
    expect((await logOf(name, 1)).map(({ status }) => status)).toEqual([405]);
  });

  it('keeps some of many reads, and all that failed', async () => {
    const { name, scim } = await newTenant();
    const reads = 120;
    const failures = Array.from({ length: 30 }, () => scim.delete('/Users'));
    await Promise.all([...Array.from({ length: reads }, () => scim.get('/ServiceProviderConfig')), ...failures]);
    const failed = await logOf(name, 30, '?status=4xx');
    expect(failed.length).toBe(30);
    const read = await logOf(name, 1, '?method=GET');
    expect(read.length).toBeLessThan(reads);
  });
});

describe('a log that cannot be written', () => {
  const recorder = (): RequestRecorder => server.app.get(RequestRecorder);
  const warnings = (): unknown[] =>
    server
      .logged()
      .filter(({ level }) => level === 40)
      .map(({ msg }) => msg);

  it('fails no request, is told, and is written when the database is back', async () => {
    const { name, scim } = await newTenant();
    const away = Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
    jest.spyOn(server.dataSource, 'query').mockRejectedValueOnce(away);
    expect((await scim.delete('/Users')).status).toBe(405);
    await eventually(
      () => recorder().flush().then(warnings),
      (told) => told.includes('the request log was not written: Error'),
    );
    expect((await logOf(name, 1)).map(({ status }) => status)).toEqual([405]);
  });

  it('loses what can never be written, and says how much', async () => {
    const { name, scim } = await newTenant();
    await server.dataSource.query("ALTER TABLE request_log ADD CONSTRAINT refuse CHECK (method <> 'DELETE') NOT VALID");
    expect((await scim.delete('/Users')).status).toBe(405);
    await eventually(
      () => recorder().flush().then(warnings),
      (told) => told.includes('1 requests are missing from the request log'),
    );
    await server.dataSource.query('ALTER TABLE request_log DROP CONSTRAINT refuse');
    await scim.post('/Users', {});
    expect((await logOf(name, 1)).map(({ method }) => method)).toEqual(['POST']);
  });

  it('passes over tenants that are gone, and writes those of the others', async () => {
    const [gone, there] = [await newTenant(), await newTenant()];
    const flush = jest.spyOn(recorder(), 'flush').mockResolvedValue();
    await Promise.all([gone, there].map(({ scim }) => scim.delete('/Users')));
    await server.admin.delete(`/tenants/${gone.name}?name=${gone.name}`);
    flush.mockRestore();
    expect((await logOf(there.name, 1)).length).toBe(1);
  });

  it('stores what is no text for PostgreSQL', async () => {
    const { name, scim } = await newTenant();
    const body = { schemas: [urn.patch], Operations: [{ op: 'a\u0000\ud800', path: 'x\u0000', value: 1 }] };
    expect((await scim.patch(`/Users/${randomUUID()}`, body)).status).toBeGreaterThanOrEqual(400);
    expect((await logOf(name, 1)).length).toBe(1);
  });
});

describe('the size of the log', () => {
  /** Adds rows a second apart that end at an instant. */
  const add = (tenantId: string, count: number, end: Date): Promise<unknown> =>
    server.dataSource.query(
      `INSERT INTO request_log (tenant_id, at, request_id, method, path, status, duration_ms, actor)
       SELECT $1, $2::timestamptz - make_interval(secs => $3 - n), 'old', 'GET', '/', 200, 1, 'token:1'
       FROM generate_series(1, $3::integer) AS n`,
      [tenantId, end, count],
    );
  const idOf = async (name: string): Promise<string> =>
    (await server.admin.get<{ id: string }>(`/tenants/${name}`)).body.id;
  const count = async (tenantId: string): Promise<number> => {
    const rows = await server.dataSource.query<{ n: number }[]>(
      'SELECT count(*)::integer AS n FROM request_log WHERE tenant_id = $1',
      [tenantId],
    );
    return rows[0]?.n ?? 0;
  };

  it('is bounded by days', async () => {
    const { name } = await newTenant();
    const id = await idOf(name);
    const now = new Date();
    await add(id, 1_500, new Date(now.getTime() - 8 * 86_400_000));
    await add(id, 3, new Date(now.getTime() - 6 * 86_400_000));
    expect(await server.app.get(RequestRetention).remove(now)).toBe(1_500);
    expect(await count(id)).toBe(3);
  });

  it('is bounded by rows of a tenant: the oldest go', async () => {
    const { name, scim } = await newTenant();
    const id = await idOf(name);
    await add(id, 100_010, new Date(Date.now() - 60_000));
    await scim.delete('/Users');
    const newest = await logOf(name, 1, '?status=405');
    expect(newest.length).toBe(1);
    expect(
      await eventually(
        () => count(id),
        (rows) => rows <= 100_000,
      ),
    ).toBe(100_000);
  });

  it('is bounded by bytes of a tenant: the oldest go', async () => {
    const { name } = await newTenant();
    const { name: other } = await newTenant();
    const [id, otherId] = [await idOf(name), await idOf(other)];
    for (const each of [id, otherId]) {
      await add(each, 100, new Date());
      await server.dataSource.query(
        `UPDATE request_log SET request_body = to_json(repeat(md5(id::text), 31)) WHERE tenant_id = $1`,
        [each],
      );
    }
    const recorder = server.app.get(RequestRecorder);
    await recorder.trimBytes(id);
    expect(await count(id)).toBe(100);
    await recorder.trimBytes(id, 20_000);
    const left = await count(id);
    expect([left > 0, left < 70]).toEqual([true, true]);
    const [newest, oldest] = await server.dataSource.query<{ at: Date }[]>(
      `SELECT max(at) AS at FROM request_log WHERE tenant_id = $1 UNION ALL
       SELECT min(at) FROM request_log WHERE tenant_id = $1`,
      [id],
    );
    expect(newest?.at.getTime()).toBe((oldest?.at.getTime() ?? 0) + (left - 1) * 1_000);
    expect(await count(otherId)).toBe(100);
  });
});

// Last, for Nest's logger is that of the last application that was made.
describe('another server', () => {
  it('writes what waits before it stops', async () => {
    const own = await startAdministered();
    const query = jest.spyOn(own.dataSource, 'query');
    await own.scim.delete('/Users');
    await own.close();
    const call = query.mock.calls.findIndex(([sql]) => sql.includes('INSERT INTO request_log'));
    expect(query.mock.calls[call]).toEqual([expect.any(String), [expect.stringContaining('"method":"DELETE"')]]);
    await expect(query.mock.results[call]?.value).resolves.toEqual([]);
  });

  it('keeps no requests with REQUEST_LOG=off', async () => {
    const own = await startAdministered({ REQUEST_LOG: 'off' });
    await own.scim.delete('/Users');
    await own.close();
    const on = await startAdministered();
    await on.scim.delete('/Users');
    const logged = await eventually(
      () => allPages<LoggedRequest>(on.admin, '/tenants/default/requests'),
      ({ length }) => length > 0,
    );
    expect(logged.length).toBe(1);
    await on.close();
  });
});
