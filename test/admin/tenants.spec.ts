import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { JsonValue } from '../../src/scim/index.js';
import { startAdministered, type AdministeredServer, type AdminTenant, type AdminList } from '../support/admin.js';
import { scimError } from '../support/errors.js';
import { publicUrl } from '../support/server.js';
import { standardSettings as standard } from '../support/settings.js';

const nameRule = 'name must be 1 to 63 lower-case letters, digits and hyphens, and not begin with a hyphen.';

let server: AdministeredServer;
beforeAll(async () => {
  server = await startAdministered();
});
afterAll(() => server.close());

const containing = (text: string): unknown => expect.stringContaining(text);
const create = (name: string, settings: JsonValue = {}) =>
  server.admin.post<AdminTenant>('/tenants', { name, settings });
const read = async (name: string): Promise<AdminTenant> =>
  (await server.admin.get<AdminTenant>(`/tenants/${name}`)).body;

describe('POST /tenants', () => {
  it('creates a tenant with the standard settings', async () => {
    const { status, headers, body } = await server.admin.post<AdminTenant>('/tenants', { name: 'acme' });
    expect([status, headers.get('content-type'), headers.get('location')]).toEqual([
      201,
      containing('application/json'),
      `${publicUrl}/admin/v1/tenants/acme`,
    ]);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'acme',
      state: 'active',
      scimUrl: `${publicUrl}/tenants/acme/scim/v2`,
      settings: standard,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    expect(await read('acme')).toEqual(body);
  });

  it('creates a tenant with settings of its own', async () => {
    const chosen = { profile: 'strict', maxPageSize: 50, requestLog: false, replaceOmitted: 'clear' };
    const { status, body } = await create('chosen', chosen);
    expect([status, body.settings]).toEqual([201, { ...standard, ...chosen }]);
    expect((await read('chosen')).settings).toEqual({ ...standard, ...chosen });
  });

  it('refuses a name that is taken, and leaves the tenant that has it', async () => {
    const { body: first } = await create('taken');
    const { status, body } = await create('taken', { profile: 'strict' });
    expect([status, body]).toEqual([409, scimError(409, 'uniqueness', 'Another tenant has the name "taken".')]);
    expect(await read('taken')).toEqual(first);
  });

  it('gives a name to one of those who ask for it together', async () => {
    const statuses = (await Promise.all(Array.from({ length: 5 }, () => create('raced')))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([201, 409, 409, 409, 409]);
  });

  it.each(['a', '0', 'a-', 'a--b', 'a'.repeat(63)])('takes the name %s', async (name) => {
    expect((await create(name)).status).toBe(201);
  });

  it.each<[JsonValue, string, string]>([
    ['', 'invalidValue', nameRule],
    ['-a', 'invalidValue', nameRule],
    ['Acme', 'invalidValue', nameRule],
    ['a.b', 'invalidValue', nameRule],
    ['a/b', 'invalidValue', nameRule],
    ['a\nb', 'invalidValue', nameRule],
    ['a\n', 'invalidValue', nameRule],
    ['ä', 'invalidValue', nameRule],
    ['a'.repeat(64), 'invalidValue', nameRule],
    [7, 'invalidValue', nameRule],
    [null, 'invalidValue', nameRule],
    [['acme'], 'invalidValue', nameRule],
    [{ a: 'acme' }, 'invalidValue', nameRule],
  ])('refuses the name %j', async (name, scimType, detail) => {
    const { status, body } = await server.admin.post('/tenants', { name });
    expect([status, body]).toEqual([400, scimError(400, scimType, detail)]);
  });

  it.each<[text: string, scimType: string, detail: unknown]>([
    ['{}', 'invalidValue', nameRule],
    ['[]', 'invalidSyntax', 'The body must be a JSON object.'],
    ['"acme"', 'invalidSyntax', 'The body must be a JSON object.'],
    ['null', 'invalidSyntax', 'The body must be a JSON object.'],
    ['{"name":"x1","owner":"me"}', 'invalidSyntax', '"owner" is not known here; known are name, settings.'],
    ['{"name":"x1","__proto__":{"admin":true}}', 'invalidSyntax', containing('"__proto__"')],
    ['{"name":"x1","constructor":1}', 'invalidSyntax', containing('"constructor"')],
    ['{"name":"x1","settings":{"constructor":1}}', 'invalidSyntax', containing('"settings.constructor"')],
    ['{"name":{"constructor":{}}}', 'invalidSyntax', containing('"name.constructor"')],
    ['{"name":[{"a":{"constructor":null}}]}', 'invalidSyntax', containing('"name.0.a.constructor"')],
    ['{"name":"x1","name":"x2"}', 'invalidSyntax', containing('name')],
    ['{"name":', 'invalidSyntax', containing('not valid JSON')],
    ['{"name":"x1","settings":null}', 'invalidValue', 'settings must be an object.'],
    ['{"name":"x1","settings":[]}', 'invalidValue', containing('settings must be an object')],
    ['{"name":"x1","settings":"strict"}', 'invalidValue', containing('settings must be an object')],
    [
      '{"name":"x1","settings":{"colour":"red"}}',
      'invalidSyntax',
      containing('"settings.colour" is not known here; known are profile, uniqueExternalId'),
    ],
    [
      '{"name":"x1","settings":{"profile":"lax"}}',
      'invalidValue',
      'settings.profile must be one of strict, default, entra-legacy.',
    ],
  ])('refuses the body %s and makes nothing', async (text, scimType, detail) => {
    const { status, body } = await server.admin.send('POST', '/tenants', text);
    expect([status, body]).toEqual([400, scimError(400, scimType, detail)]);
    expect((await server.admin.get('/tenants/x1')).status).toBe(404);
  });
});

describe('GET /tenants', () => {
  const names = ['page-a', 'page-b', 'page-c', 'page-d', 'page-e'];
  beforeAll(async () => {
    for (const name of [...names].reverse()) await create(name);
  });

  const list = (query: string) => server.admin.get<AdminList<AdminTenant>>(`/tenants${query}`);

  it('lists every tenant, the default one among them, in the order of their names', async () => {
    const found = (await list('')).body.items.map(({ name }) => name);
    expect(found).toEqual(expect.arrayContaining(['default', ...names]));
    expect(found.filter((name) => name.startsWith('page-'))).toEqual(names);
  });

  it('lists those whose names start with a prefix, page by page, each once', async () => {
    const pages: string[][] = [];
    let query: string | undefined = '?prefix=page-&count=2';
    while (query !== undefined) {
      const { body }: { body: AdminList<AdminTenant> } = await list(query);
      pages.push(body.items.map(({ name }) => name));
      query = body.nextCursor === undefined ? undefined : `?prefix=page-&count=2&cursor=${body.nextCursor}`;
    }
    expect(pages).toEqual([['page-a', 'page-b'], ['page-c', 'page-d'], ['page-e']]);
  });

  it('has no next page where a page is the last exactly', async () => {
    expect((await list('?prefix=page-&count=5')).body).not.toHaveProperty('nextCursor');
  });

  it('finds nothing by what LIKE would take for a pattern', async () => {
    expect((await list('?prefix=page%25')).body).toEqual({ items: [] });
    expect((await list('?prefix=page_')).body).toEqual({ items: [] });
  });

  it.each([
    ['?count=0', 'invalidValue', 'count must be a whole number from 1 to 200.'],
    ['?count=201', 'invalidValue', 'count must be a whole number from 1 to 200.'],
    ['?count=ten', 'invalidValue', 'count must be a whole number from 1 to 200.'],
    ['?count=1.5', 'invalidValue', 'count must be a whole number from 1 to 200.'],
    ['?count=1&count=2', 'invalidValue', '"count" is given twice.'],
    ['?filter=x', 'invalidSyntax', containing('"filter" is not known here')],
    [
      `?prefix=${'a'.repeat(64)}`,
      'invalidValue',
      'prefix must be at most 63 characters, none of them a control character.',
    ],
    ['?prefix=%00', 'invalidValue', containing('prefix must be')],
    ['?cursor=%00', 'invalidValue', 'cursor must be the nextCursor of the page before.'],
  ])('refuses %s', async (query, scimType, detail) => {
    const { status, body } = await list(query);
    expect([status, body]).toEqual([400, scimError(400, scimType, detail)]);
  });
});

describe('an address with a tenant that is not there', () => {
  it.each<[string, string, JsonValue | undefined]>([
    ['GET', '', undefined],
    ['PATCH', '', { settings: {} }],
    ['DELETE', '?name=nobody', undefined],
    ['POST', '/suspend', undefined],
    ['POST', '/resume', undefined],
    ['GET', '/settings', undefined],
    ['PATCH', '/settings', {}],
    ['GET', '/tokens', undefined],
    ['POST', '/tokens', { name: 'x' }],
    ['DELETE', `/tokens/${randomUUID()}`, undefined],
    ['POST', `/tokens/${randomUUID()}/rotate`, {}],
  ])('is 404: %s %s', async (method, path, body) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await server.admin.send(method, `/tenants/nobody${path}`, text);
    expect([answer.status, answer.body]).toEqual([404, scimError(404, undefined, 'There is no tenant "nobody".')]);
  });
});

describe('PATCH /tenants/{name}', () => {
  it('renames a tenant: its tokens and resources stay, and its old address is gone', async () => {
    const client = await server.admin.connect('before');
    const { body: user } = await client.post('/Users', { userName: 'ann' });
    const { status, body } = await server.admin.patch<AdminTenant>('/tenants/before', { name: 'after' });
    expect([status, body.name, body.scimUrl]).toEqual([200, 'after', `${publicUrl}/tenants/after/scim/v2`]);
    expect((await client.get(`/Users/${user.id}`)).status).toBe(404);
    const renamed = await client.get(`${server.origin}/tenants/after/scim/v2/Users/${user.id}`);
    expect([renamed.status, renamed.body.id]).toEqual([200, user.id]);
    expect((await server.admin.get('/tenants/before')).status).toBe(404);
    expect((await create('before')).status).toBe(201);
  });

  it('does not rename to a name that is taken, and changes nothing then', async () => {
    await create('first');
    await create('second');
    const { status, body } = await server.admin.patch('/tenants/first', {
      name: 'second',
      settings: { profile: 'strict' },
    });
    expect([status, body]).toEqual([409, scimError(409, 'uniqueness', 'Another tenant has this name.')]);
    expect((await read('first')).settings).toEqual(standard);
  });

  it('changes name and settings at once, and nothing when nothing is asked', async () => {
    await create('both');
    const { body } = await server.admin.patch<AdminTenant>('/tenants/both', {
      name: 'both-new',
      settings: { maxPageSize: 7 },
    });
    expect([body.name, body.settings]).toEqual(['both-new', { ...standard, maxPageSize: 7 }]);
    expect((await server.admin.patch<AdminTenant>('/tenants/both-new', {})).body).toEqual(body);
  });
});
