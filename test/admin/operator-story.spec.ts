import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { startAdministered, type AdministeredServer, type AdminTenant, type AdminToken } from '../support/admin.js';
import { allPages, eventually, type AuditEvent, type LoggedRequest } from '../support/audit.js';
import { ScimClient, type Answer } from '../support/client.js';
import { urn } from '../support/expected.js';
import { accessToken, createClient, type Client } from '../support/oauth.js';

let server: AdministeredServer;
beforeAll(async () => {
  // Limits as in production: rotating and suspending need none of them lifted.
  server = await startAdministered({ RATE_LIMIT: 'on' });
});
afterAll(() => server.close());

const tenantUrl = (name: string): string => `${server.origin}/tenants/${name}/scim/v2`;

const loads = new Set<Load>();
afterEach(async () => {
  await Promise.all([...loads].map((load) => load.stop()));
  loads.clear();
});

/** Requests of a customer that go on, one after the other, until they are stopped. */
class Load {
  readonly answers: Answer<unknown>[] = [];
  private isStopped = false;
  private readonly done: Promise<void>[];

  /** @param scim the client of each request, asked for anew */
  constructor(scim: () => ScimClient, workers = 2) {
    loads.add(this);
    this.done = Array.from({ length: workers }, () => this.work(scim));
  }

  private async work(scim: () => ScimClient): Promise<void> {
    for (let n = 0; !this.isStopped; n++) {
      const isWrite = n % 4 === 0;
      const userName = randomUUID();
      this.answers.push(await (isWrite ? scim().post('/Users', { userName }) : scim().get('/Users?count=1')));
    }
  }

  /** Waits until so many more requests are answered. */
  async goOn(count = 8): Promise<void> {
    const until = this.answers.length + count;
    await eventually(
      () => Promise.resolve(this.answers.length),
      (answered) => answered >= until,
    );
  }

  async stop(): Promise<Answer<unknown>[]> {
    this.isStopped = true;
    await Promise.all(this.done);
    return this.answers;
  }
}

const statuses = (answers: readonly Answer<unknown>[]): number[] =>
  [...new Set(answers.map(({ status }) => status))].sort((a, b) => a - b);

describe('An operator with ADMIN_TOKEN alone', () => {
  let okta: AdminToken;
  let entra: Client;
  /** What each customer's requests are sent with now. */
  let acme: ScimClient;
  let globex: ScimClient;

  it('creates two customers', async () => {
    for (const name of ['acme', 'globex']) {
      const { status, body } = await server.admin.post<AdminTenant>('/tenants', { name });
      expect([status, body.name, body.state]).toEqual([201, name, 'active']);
    }
  });

  it('connects one with a bearer token and one with client credentials (RFC 6749 section 4.4)', async () => {
    okta = (await server.admin.post<AdminToken>('/tenants/acme/tokens', { name: 'Okta' })).body;
    acme = new ScimClient(tenantUrl('acme'), okta.secret);
    entra = await createClient(server, { name: 'Entra ID' }, 'globex');
    globex = new ScimClient(tenantUrl('globex'), await accessToken(server, entra));
    for (const [customer, userName] of [
      [acme, 'barbara@acme.example'],
      [globex, 'gustav@globex.example'],
    ] as const) {
      expect((await customer.post('/Users', { userName })).status).toBe(201);
      const { body } = await customer.list('/Users');
      expect(body.Resources.map((user) => user['userName'])).toEqual([userName]);
    }
    const crossed = [await acme.get(`${tenantUrl('globex')}/Users`), await globex.get(`${tenantUrl('acme')}/Users`)];
    expect(statuses(crossed)).toEqual([404]);
  });

  it('rotates both while requests run, and none fails', async () => {
    const rotating = [new Load(() => acme), new Load(() => globex)] as const;
    for (const load of rotating) await load.goOn();

    const token = await server.admin.post<AdminToken>(`/tenants/acme/tokens/${okta.id}/rotate`, {
      overlapSeconds: 600,
    });
    const client = await server.admin.post<Client>(`/tenants/globex/clients/${entra.id}/rotate`, {
      overlapSeconds: 600,
    });
    expect([token.status, client.status]).toEqual([201, 201]);
    // The customers still have the old secrets, and use them.
    for (const load of rotating) await load.goOn();
    globex = new ScimClient(tenantUrl('globex'), await accessToken(server, entra));
    for (const load of rotating) await load.goOn();

    acme = new ScimClient(tenantUrl('acme'), token.body.secret);
    globex = new ScimClient(tenantUrl('globex'), await accessToken(server, client.body));
    for (const load of rotating) await load.goOn();
    const answers = await Promise.all(rotating.map((load) => load.stop()));
    expect(answers.map(statuses)).toEqual([
      [200, 201],
      [200, 201],
    ]);
    expect([client.body.secret === entra.secret, token.body.secret === okta.secret]).toEqual([false, false]);

    // With the customer changed over, the old one is ended before its time.
    expect((await server.admin.delete(`/tenants/acme/tokens/${okta.id}`)).status).toBe(204);
    expect((await acme.get('/Users', { token: okta.secret })).status).toBe(401);
    expect((await acme.get('/Users')).status).toBe(200);
  });

  it('suspends and resumes one under load: 503 with Retry-After only meanwhile, and nothing for the other', async () => {
    const [suspended, other] = [new Load(() => acme), new Load(() => globex)];
    await suspended.goOn();
    const before = suspended.answers.length;
    expect((await server.admin.send('POST', '/tenants/acme/suspend', undefined)).status).toBe(200);
    // Those that were on their way may still be answered; each that is sent from now on is refused.
    await suspended.goOn();
    const meanwhile = suspended.answers.length;
    await suspended.goOn();
    const resuming = suspended.answers.length;
    expect((await server.admin.send('POST', '/tenants/acme/resume', undefined)).status).toBe(200);
    await suspended.goOn();
    const after = suspended.answers.length;
    await suspended.goOn();
    const answers = await suspended.stop();
    expect(statuses(answers.slice(0, before))).toEqual([200, 201]);
    expect(statuses(answers.slice(meanwhile, resuming))).toEqual([503]);
    expect(statuses(answers.slice(after))).toEqual([200, 201]);
    expect(statuses(answers)).toEqual([200, 201, 503]);
    const refused = answers.filter(({ status }) => status === 503);
    expect(new Set(refused.map(({ headers }) => headers.get('Retry-After')))).toEqual(new Set(['300']));
    expect(statuses(await other.stop())).toEqual([200, 201]);
  });

  it('finds out why a request failed', async () => {
    const user = { schemas: [urn.user], userName: 'gustav@globex.example', name: { familyName: 'Gans' } };
    const failed = await globex.post('/Users', user);
    expect(failed.status).toBe(409);
    const [logged, ...others] = await eventually(
      () => allPages<LoggedRequest>(server.admin, '/tenants/globex/requests?status=409'),
      ({ length }) => length > 0,
    );
    expect(others).toEqual([]);
    expect(logged).toMatchObject({
      requestId: failed.headers.get('X-Request-Id'),
      method: 'POST',
      status: 409,
      scimType: 'uniqueness',
      actor: `client:${entra.id}`,
      requestBody: { userName: '***', name: { familyName: '***' } },
    });
    expect(JSON.stringify(logged)).not.toMatch(/gustav|gans/i);
  });

  it('reads in the audit trail who did what', async () => {
    const events = await allPages<AuditEvent>(server.admin, '/tenants/acme/audit?actor=admin');
    expect(events.map(({ operation, resourceType }) => `${operation} ${resourceType}`).reverse()).toEqual([
      'create Token',
      'rotate Token',
      'revoke Token',
      'suspend Tenant',
      'resume Tenant',
    ]);
    const [user] = await allPages<AuditEvent>(
      server.admin,
      '/tenants/globex/audit?resourceType=User&to=2999-01-01T00:00:00Z',
    );
    expect([user?.operation, user?.actor]).toEqual(['create', `client:${entra.id}`]);
    const { text } = await server.admin.get('/tenants/globex/audit/export?resourceType=Client');
    const lines = text.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as AuditEvent).operation)).toEqual(['rotate', 'create']);
    expect(text).not.toContain(entra.secret);
  });

  it('erases a customer, of whom only the trail of the installation knows then', async () => {
    const { body: tenant } = await server.admin.get<AdminTenant>('/tenants/acme');
    expect((await server.admin.delete('/tenants/acme?name=acme')).status).toBe(204);
    expect((await acme.get('/Users')).status).toBe(401);
    expect((await server.admin.get('/tenants/acme')).status).toBe(404);
    for (const table of ['users', 'audit_events', 'request_log', 'tokens']) {
      const rows = await server.dataSource.query<unknown[]>(`SELECT 1 FROM ${table} WHERE tenant_id = $1`, [tenant.id]);
      expect([table, rows]).toEqual([table, []]);
    }
    const events = await allPages<AuditEvent>(server.admin, `/audit?resourceId=${tenant.id}`);
    expect(events.map(({ operation, before }) => [operation, before?.['name']])).toEqual([
      ['delete', 'acme'],
      ['create', undefined],
    ]);
    expect((await globex.get('/Users')).status).toBe(200);
  });
});
