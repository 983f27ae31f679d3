import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Answer, Resource } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { startServer, type TestServer } from '../support/server.js';

const unknown = '019aaf3c-6b5e-7cc1-a4ad-0f8d8e5f0a11';

let server: TestServer;
/** A user at its second version. */
let user: Resource;
let path: string;
let made = 0;

beforeAll(async () => {
  server = await startServer();
});

beforeEach(async () => {
  const created = await server.scim.post('/Users', { userName: `conditional-${(made += 1)}@example.com` });
  path = `/Users/${created.body.id}`;
  user = (await server.scim.operations(path, [{ op: 'add', path: 'title', value: 'Lead' }])).body;
});

afterAll(() => server.close());

const replacement = (): { userName: string; title: string } => ({
  userName: user['userName'] as string,
  title: 'Head',
});

const writes: [method: string, send: (ifMatch: string, at?: string) => Promise<Answer<unknown>>, success: number][] = [
  ['PUT', (ifMatch, at = path) => server.scim.put(at, replacement(), { headers: { 'If-Match': ifMatch } }), 200],
  [
    'PATCH',
    (ifMatch, at = path) =>
      server.scim.operations(at, [{ op: 'replace', path: 'title', value: 'Head' }], {
        headers: { 'If-Match': ifMatch },
      }),
    200,
  ],
  ['DELETE', (ifMatch, at = path) => server.scim.delete(at, { headers: { 'If-Match': ifMatch } }), 204],
];

const matching = [
  'W/"2"',
  '"2"',
  '*',
  ' * ',
  'W/"1", W/"2"',
  '"x" , W/"2"',
  'W/2',
  '2',
  `${'W/"0", '.repeat(1000)}W/"2"`,
];
const other = [
  'W/"1"',
  'W/"3"',
  '""',
  'W/""',
  'W/"22"',
  'W/"x"',
  '"*"',
  'W/"1", W/"3"',
  'garbage',
  ',',
  'w/"02"',
  `"${'x'.repeat(8000)}"`,
];

describe('the entity tag (RFC 7644 section 3.14)', () => {
  it('of every answer that shows a resource equals its meta.version', async () => {
    const created = await server.scim.post('/Users', { userName: 'tagged@example.com' });
    const at = `/Users/${created.body.id}`;
    const answers = [
      created,
      await server.scim.get(at),
      await server.scim.put(at, { userName: 'tagged@example.com', title: 'Lead' }),
      await server.scim.operations(at, [{ op: 'replace', path: 'title', value: 'Head' }]),
      await server.scim.get(at),
    ];
    const seen = answers.map(({ status, headers, body }) => [status, headers.get('ETag'), body.meta.version]);
    expect(seen).toEqual([
      [201, 'W/"1"', 'W/"1"'],
      [200, 'W/"1"', 'W/"1"'],
      [200, 'W/"2"', 'W/"2"'],
      [200, 'W/"3"', 'W/"3"'],
      [200, 'W/"3"', 'W/"3"'],
    ]);
    const location = created.body.meta.location;
    expect(answers.map(({ headers, body }) => [headers.get('Location'), body.meta.location])).toEqual(
      answers.map(() => [location, location]),
    );
  });

  it('comes with a Group PATCH that answers 204', async () => {
    const group = (await server.scim.post('/Groups', { displayName: 'Tagged' })).body;
    const answer = await server.scim.operations(`/Groups/${group.id}`, [
      { op: 'add', path: 'members', value: [{ value: user.id }] },
    ]);
    const { status, headers, text } = answer;
    expect([status, headers.get('ETag'), headers.get('Location'), text]).toEqual([
      204,
      'W/"2"',
      group.meta.location,
      '',
    ]);
  });

  it('stays when a write changes nothing', async () => {
    const put = await server.scim.put(path, user);
    const patched = await server.scim.operations(path, [{ op: 'replace', path: 'title', value: 'Lead' }]);
    expect([put.body, patched.body]).toEqual([user, user]);
  });

  it('is of the resource, not of the attributes that are shown', async () => {
    const shown = await server.scim.get(`${path}?attributes=userName`, { headers: { 'If-None-Match': 'W/"2"' } });
    expect([shown.status, shown.text]).toEqual([304, '']);
    const { headers } = await server.scim.get(`${path}?attributes=userName`);
    expect(headers.get('ETag')).toBe('W/"2"');
  });

  it('is on no list, no error and no discovery resource', async () => {
    const answers = await Promise.all(['/Users', '/Users/none', '/Schemas'].map((at) => server.scim.get(at)));
    expect(answers.map(({ headers }) => headers.get('ETag'))).toEqual([null, null, null]);
    const failed = await server.scim.operations(path, [{ op: 'replace', path: 'id', value: 'x' }]);
    expect([failed.status, failed.headers.get('ETag')]).toEqual([400, null]);
  });
});

describe('If-None-Match (RFC 9110 section 13.1.2)', () => {
  it.each(matching)('that names the version answers 304 without a body: %s', async (tag) => {
    for (const method of ['GET', 'HEAD']) {
      const { status, headers, text } = await server.scim.send(method, path, undefined, {
        headers: { 'If-None-Match': tag },
      });
      expect([method, status, headers.get('ETag'), text]).toEqual([method, 304, 'W/"2"', '']);
    }
  });

  it.each(other)('that names another answers with the resource: %s', async (tag) => {
    const { status, body } = await server.scim.get(path, { headers: { 'If-None-Match': tag } });
    expect([status, body]).toEqual([200, user]);
  });

  it('says nothing of lists, of writes, and of what is not there', async () => {
    const headers = { 'If-None-Match': '*' };
    expect((await server.scim.list('/Users', { headers })).status).toBe(200);
    expect((await server.scim.put(path, replacement(), { headers })).status).toBe(200);
    expect((await server.scim.get(`/Users/${unknown}`, { headers })).status).toBe(404);
  });
});

describe.each(writes)('If-Match on %s (RFC 7644 section 3.14)', (_method, send, success) => {
  it.each(matching)('that names the version lets it pass, weak or not: %s', async (tag) => {
    expect((await send(tag)).status).toBe(success);
  });

  it.each(other)('that names another is 412, and nothing changes: %s', async (tag) => {
    const { status, body } = await send(tag);
    expect([status, body]).toEqual([
      412,
      scimError(412, undefined, 'The resource has changed: its version does not match If-Match.'),
    ]);
    expect((await server.scim.get(path)).body).toEqual(user);
  });

  it.each(['*', 'W/"1"'])('is 404 before it is 412 where there is nothing: %s', async (tag) => {
    const { status, body } = await send(tag, `/Users/${unknown}`);
    expect([status, body]).toEqual([404, scimError(404)]);
  });

  it('lets one of two writers pass that read the same version', async () => {
    const answers = await Promise.all([send('W/"2"'), send('W/"2"')]);
    // Whoever comes second finds another version, or nobody.
    const late = success === 204 ? 404 : 412;
    expect(answers.map(({ status }) => status).sort()).toEqual([success, late]);
  });
});

describe('If-Match on a new resource', () => {
  it('is not looked at', async () => {
    const headers = { 'If-Match': 'W/"9"' };
    expect((await server.scim.post('/Users', { userName: 'brand-new@example.com' }, { headers })).status).toBe(201);
  });
});
