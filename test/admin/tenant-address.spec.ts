import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../src/scim/index.js';
import { startAdministered, type AdministeredServer } from '../support/admin.js';
import { ScimClient, type Answer, type Resource } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { urn } from '../support/expected.js';
import { exchange, head } from '../support/raw-http.js';
import { publicUrl } from '../support/server.js';

const base = `${publicUrl}/tenants/acme/scim/v2`;
const plainBase = `${publicUrl}/scim/v2`;

/** A client without credentials. */
class Anonymous extends ScimClient {
  override send<B>(method: string, path: string, body: string | undefined): Promise<Answer<B>> {
    return super.send<B>(method, path, body, { token: null });
  }
}

let server: AdministeredServer;
/** A client that names its tenant in the address, the same tenant's at the plain address, and another tenant's. */
let acme: ScimClient;
let plain: ScimClient;
let globex: ScimClient;
let user: Resource;
let group: Resource;

beforeAll(async () => {
  server = await startAdministered();
  acme = await server.admin.connect('acme');
  globex = await server.admin.connect('globex');
  plain = new ScimClient(`${server.origin}/scim/v2`, acme.token);
  user = (await acme.post('/Users', { userName: 'ann' })).body;
  group = (await acme.post('/Groups', { displayName: 'staff', members: [{ value: user.id }] })).body;
});
afterAll(() => server.close());

describe('the address with the tenant (RFC 7644 section 6)', () => {
  it('is where resources say they are when it was used, and the plain address otherwise', async () => {
    const created = await acme.post('/Users', { userName: 'located' });
    const location = `${base}/Users/${created.body.id}`;
    expect([created.status, created.headers.get('location'), created.body.meta.location]).toEqual([
      201,
      location,
      location,
    ]);
    const read = await plain.get(`/Users/${created.body.id}`);
    expect([read.headers.get('location'), read.body.meta.location]).toEqual([
      `${plainBase}/Users/${created.body.id}`,
      `${plainBase}/Users/${created.body.id}`,
    ]);
    expect((await acme.delete(`/Users/${created.body.id}`)).status).toBe(204);
    expect((await plain.get(`/Users/${created.body.id}`)).status).toBe(404);
  });

  it('is in references: members, groups and managers', async () => {
    const enterprise = { [urn.enterprise]: { manager: { value: user.id } } };
    const { body: report } = await acme.post('/Users', { userName: 'report', ...enterprise });
    expect(group['members']).toEqual([expect.objectContaining({ $ref: `${base}/Users/${user.id}` })]);
    const { body: member } = await acme.get(`/Users/${user.id}`);
    expect(member['groups']).toEqual([expect.objectContaining({ $ref: `${base}/Groups/${group.id}` })]);
    expect(report[urn.enterprise]).toMatchObject({ manager: { $ref: `${base}/Users/${user.id}` } });
    const { body: elsewhere } = await plain.get(`/Groups/${group.id}`);
    expect(elsewhere['members']).toEqual([expect.objectContaining({ $ref: `${plainBase}/Users/${user.id}` })]);
  });

  it('is what filters compare locations and references with', async () => {
    for (const [client, form] of [
      [acme, base],
      [plain, plainBase],
    ] as const) {
      const filter = encodeURIComponent(`meta.location eq "${form}/Users/${user.id}"`);
      expect((await client.list(`/Users?filter=${filter}`)).body.Resources.map(({ id }) => id)).toEqual([user.id]);
      const byReference = encodeURIComponent(`members.$ref eq "${form}/Users/${user.id}"`);
      expect((await client.list(`/Groups?filter=${byReference}`)).body.Resources.map(({ id }) => id)).toEqual([
        group.id,
      ]);
    }
  });

  it('serves lists and searches, with their query, of one type and of all', async () => {
    const filter = 'userName eq "ann"';
    const query = `?filter=${encodeURIComponent(filter)}`;
    const searched = { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'], filter };
    const answers: Answer<{ Resources: Resource[] }>[] = [
      await acme.list(`/Users${query}`),
      await acme.list(query),
      await acme.post('/Users/.search', searched),
      await acme.post('/.search', searched),
    ];
    for (const { status, body } of answers) {
      expect([status, body.Resources.map(({ meta }) => meta.location)]).toEqual([200, [`${base}/Users/${user.id}`]]);
    }
  });

  it('serves changes: PUT and PATCH', async () => {
    const put = await acme.put(`/Groups/${group.id}`, { displayName: 'all', members: [{ value: user.id }] });
    expect([put.status, put.body.meta.location]).toEqual([200, `${base}/Groups/${group.id}`]);
    const patched = await acme.operations(`/Users/${user.id}`, [{ op: 'add', path: 'title', value: 'Dr' }]);
    expect([patched.status, patched.body.meta.location]).toEqual([200, `${base}/Users/${user.id}`]);
  });

  it('serves bulk requests, with its form in their locations', async () => {
    const Operations = [{ method: 'POST', path: '/Users', bulkId: 'b', data: { userName: 'bulk' } }];
    const { status, body } = await acme.post<JsonObject>('/Bulk', { Operations });
    expect([status, body['Operations']]).toEqual([
      200,
      [expect.objectContaining({ status: '201', location: expect.stringMatching(new RegExp(`^${base}/Users/`)) })],
    ]);
  });

  it.each(['/Schemas', '/ResourceTypes'])('serves discovery with its form: %s', async (path) => {
    const { body } = await acme.list(path);
    expect(body.Resources.length).toBeGreaterThan(1);
    for (const { meta } of body.Resources) {
      expect(meta.location.startsWith(`${base}${path}/`)).toBe(true);
      const one = await acme.get(meta.location.replace(publicUrl, server.origin));
      expect([one.status, one.body.meta.location]).toEqual([200, meta.location]);
    }
  });

  it.each([
    ['with credentials', (): string => acme.token],
    ['without', () => null],
    ['with bad ones', () => 'bad'],
  ])('serves the ServiceProviderConfig %s', async (_how, token) => {
    const { status, body } = await acme.get('/ServiceProviderConfig', { token: token() });
    expect([status, body.meta.location]).toEqual([200, `${base}/ServiceProviderConfig`]);
  });

  it('says of /Me what the plain address says', async () => {
    const answers = [await acme.get('/Me'), await plain.get('/Me')];
    expect(answers.map(({ status, text }) => [status, text])).toEqual(answers.map(() => [501, answers[0]?.text]));
  });

  it('is 405 with Allow for a method that is not there, and 204 for OPTIONS', async () => {
    for (const [method, status] of [
      ['DELETE', 405],
      ['OPTIONS', 204],
    ] as const) {
      const answer = await acme.send(method, '/Users', undefined);
      expect([answer.status, answer.headers.get('allow')]).toEqual([status, 'GET, HEAD, POST, OPTIONS']);
    }
  });

  it('is 404 where nothing is, and says where the base is in its own form', async () => {
    const { status, body } = await acme.get('/Nothing');
    const detail = 'There is nothing at "/tenants/acme/scim/v2/Nothing"; the SCIM base is /tenants/acme/scim/v2.';
    expect([status, body]).toEqual([404, scimError(404, undefined, detail)]);
  });

  it('refuses another protocol version (RFC 7644 section 3.13)', async () => {
    const { status, body } = await acme.get(`${server.origin}/tenants/acme/scim/v1/Users`);
    const detail = 'The protocol version "v1" is not supported; use /tenants/acme/scim/v2.';
    expect([status, body]).toEqual([400, scimError(400, 'invalidVers', detail)]);
  });

  it.each([
    ['a slash at the end', '/tenants/acme/scim/v2/Users/'],
    ['other case', '/Tenants/acme/SCIM/V2/users'],
    ['a whole URL as the target', 'http://evil.example/tenants/acme/scim/v2/Users'],
  ])('is found with %s', async (_what, target) => {
    const answer = await exchange(server.origin, head('GET', target, `Authorization: Bearer ${acme.token}`));
    const list = JSON.parse(answer.body) as { Resources: Resource[] };
    expect([answer.status, list.Resources[0]?.meta.location]).toEqual([200, `${base}/Users/${user.id}`]);
  });

  it('is logged as it was asked for', async () => {
    await acme.get(`/Users/${user.id}?attributes=userName`);
    expect(server.logged()).toContainEqual(
      expect.objectContaining({ path: `/tenants/acme/scim/v2/Users/${user.id}`, tenant: 'acme', status: 200 }),
    );
  });
});

describe("another tenant's address", () => {
  const at = (tenant: string): string => `${server.origin}/tenants/${tenant}/scim/v2`;

  const calls: [name: string, call: (form: string, scim: ScimClient) => Promise<Answer<unknown>>][] = [
    ['GET /Users', (form, scim) => scim.get(`${form}/Users`)],
    ['GET /Users/{id}', (form, scim) => scim.get(`${form}/Users/${user.id}`)],
    ['PUT /Users/{id}', (form, scim) => scim.put(`${form}/Users/${user.id}`, { userName: 'mine' })],
    [
      'PATCH /Users/{id}',
      (form, scim) => scim.operations(`${form}/Users/${user.id}`, [{ op: 'remove', path: 'title' }]),
    ],
    ['DELETE /Users/{id}', (form, scim) => scim.delete(`${form}/Users/${user.id}`)],
    ['POST /Users', (form, scim) => scim.post(`${form}/Users`, { userName: 'intruder' })],
    ['POST /Groups', (form, scim) => scim.post(`${form}/Groups`, { displayName: 'intruders' })],
    ['POST /.search', (form, scim) => scim.post(`${form}/.search`, {})],
    ['POST /Bulk', (form, scim) => scim.post(`${form}/Bulk`, { Operations: [{ method: 'DELETE', path: '/Users/x' }] })],
    ['GET /', (form, scim) => scim.get(form)],
    ['GET /Schemas', (form, scim) => scim.get(`${form}/Schemas`)],
    ['GET /ServiceProviderConfig', (form, scim) => scim.get(`${form}/ServiceProviderConfig`)],
    ['GET /Me', (form, scim) => scim.get(`${form}/Me`)],
    ['GET /Nothing', (form, scim) => scim.get(`${form}/Nothing`)],
    ['OPTIONS /Users', (form, scim) => scim.send('OPTIONS', `${form}/Users`, undefined)],
    ['DELETE /Users', (form, scim) => scim.delete(`${form}/Users`)],
  ];

  /** Everything of an answer that could tell two tenants apart, with the name itself blotted out. */
  function comparable({ status, headers, text }: Answer<unknown>, tenant: string): unknown {
    const { date: _date, 'x-request-id': _requestId, 'content-length': _length, ...rest } = Object.fromEntries(headers);
    return { status, headers: rest, text: text.replaceAll(tenant, '<tenant>') };
  }

  it.each(calls)('is 404 exactly as that of a tenant which is not there: %s', async (_name, call) => {
    const [theirs, nobodys] = [await call(at('acme'), globex), await call(at('nobody'), globex)];
    expect(theirs.status).toBe(404);
    expect(theirs.body).toEqual(scimError(404, undefined, 'There is no tenant "acme" for these credentials.'));
    expect(comparable(theirs, 'acme')).toEqual(comparable(nobodys, 'nobody'));
  });

  it.each(calls.filter(([name]) => name !== 'GET /ServiceProviderConfig'))(
    'is 401 without credentials, whether the tenant is there or not: %s',
    async (_name, call) => {
      const anonymous = new Anonymous('', '');
      const answers = [await call(at('acme'), anonymous), await call(at('nobody'), anonymous)];
      expect(answers.map(({ status }) => status)).toEqual([401, 401]);
      expect(answers[0]?.text).toBe(answers[1]?.text);
    },
  );

  it('is 404 while that tenant is suspended, too', async () => {
    const own = await server.admin.connect('sleeping');
    await server.admin.send('POST', '/tenants/sleeping/suspend', undefined);
    expect((await globex.get(`${at('sleeping')}/Users`)).status).toBe(404);
    expect((await own.get(`${at('sleeping')}/Users`)).status).toBe(503);
    expect((await own.get(`${at('acme')}/Users`)).status).toBe(404);
  });

  it.each(['%61cme', 'ACME', 'acme%2f', 'acme/..', '-acme', 'acme;x', '%00', '%zz', ''])(
    'is not reached by another spelling: %s',
    async (name) => {
      for (const token of [acme.token, globex.token]) {
        const target = `/tenants/${name}/scim/v2/Users`;
        const answer = await exchange(server.origin, head('GET', target, `Authorization: Bearer ${token}`));
        expect([400, 404]).toContain(answer.status);
        expect(answer.body).not.toContain(user.id);
      }
    },
  );

  it('changed nothing by any of this', async () => {
    expect((await acme.get(`/Users/${user.id}`)).body['title']).toBe('Dr');
    expect((await globex.list('')).body.totalResults).toBe(0);
  });
});
