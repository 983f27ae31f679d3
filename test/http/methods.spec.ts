import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Resource } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { exchange, head } from '../support/raw-http.js';
import { startServer, type TestServer } from '../support/server.js';

let server: TestServer;
let user: Resource;
let group: Resource;

beforeAll(async () => {
  server = await startServer();
  user = (await server.scim.post('/Users', { userName: 'methods@example.com' })).body;
  group = (await server.scim.post('/Groups', { displayName: 'Methods', members: [{ value: user.id }] })).body;
});

afterAll(() => server.close());

const collection = 'GET, HEAD, POST, OPTIONS';
const item = 'DELETE, GET, HEAD, PATCH, PUT, OPTIONS';
const readable = 'GET, HEAD, OPTIONS';
const posted = 'POST, OPTIONS';

/** Every path with the methods it allows, and some that it does not. */
const paths: [path: string, allow: string, refused: string[]][] = [
  ['/Users', collection, ['PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND']],
  ['/Groups', collection, ['PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND']],
  ['/Users/{id}', item, ['POST', 'TRACE', 'PROPFIND']],
  ['/Groups/{id}', item, ['POST', 'TRACE', 'PROPFIND']],
  ['/Users/no-such-user', item, ['POST']],
  ['/', readable, ['POST', 'PUT', 'PATCH', 'DELETE']],
  ['/.search', posted, ['GET', 'PUT', 'PATCH', 'DELETE', 'TRACE']],
  ['/Users/.search', posted, ['GET', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND']],
  ['/Groups/.search', posted, ['GET', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND']],
  ['/Users/.SEARCH/', posted, ['GET', 'DELETE']],
  ['/Bulk', posted, ['GET', 'PUT', 'PATCH', 'DELETE', 'TRACE']],
  ['/ServiceProviderConfig', readable, ['POST', 'PUT', 'PATCH', 'DELETE']],
  ['/ResourceTypes', readable, ['POST', 'PUT', 'PATCH', 'DELETE']],
  ['/ResourceTypes/User', readable, ['POST', 'PUT', 'PATCH', 'DELETE']],
  ['/Schemas', readable, ['POST', 'PUT', 'PATCH', 'DELETE']],
  ['/Schemas/urn:ietf:params:scim:schemas:core:2.0:User', readable, ['POST', 'PUT', 'PATCH', 'DELETE']],
];

const at = (path: string): string => path.replace('{id}', path.startsWith('/Users') ? user.id : group.id);
const authorized = (...lines: string[]): string[] => [`Authorization: Bearer ${server.scim.token}`, ...lines];

describe('a method that a path does not have (RFC 9110 section 15.5.6)', () => {
  const cases = paths.flatMap(([path, allow, refused]) => refused.map((method) => [method, path, allow] as const));

  it.each(cases)('is 405 with Allow: %s %s', async (method, path, allow) => {
    const answer = await exchange(server.origin, head(method, `/scim/v2${at(path)}`, ...authorized()));
    expect([answer.status, answer.headers['allow'], JSON.parse(answer.body)]).toEqual([
      405,
      allow,
      scimError(405, undefined, expect.stringMatching(new RegExp(`^${method} is not allowed here; use `))),
    ]);
  });

  it.each([
    ['POST', '/Users/{id}'],
    ['PUT', '/Users'],
    ['PATCH', '/Users'],
    ['DELETE', '/Users'],
    ['PUT', '/Users/.search'],
    ['PATCH', '/Groups/.search'],
  ])('is 405 whatever the body is: %s %s', async (method, path) => {
    for (const [type, body] of [
      ['application/scim+json', '{"userName"'],
      ['text/plain', 'not JSON'],
      ['multipart/form-data', '--'],
    ] as const) {
      const answer = await server.scim.send(method, at(path), body, { headers: { 'Content-Type': type } });
      expect([answer.status, answer.body]).toEqual([405, scimError(405)]);
    }
  });

  it('changes nothing: DELETE /Users deletes nobody', async () => {
    expect((await server.scim.delete('/Users')).status).toBe(405);
    expect((await server.scim.list('/Users')).body.totalResults).toBe(1);
    expect((await server.scim.get(`/Groups/${group.id}`)).body).toEqual(group);
  });
});

describe('a method that nobody knows (RFC 9110 section 15.6.2)', () => {
  it.each(['FOO', 'get', 'DELETE-ALL', 'Post'])('is 501, and the connection is closed: %s', async (method) => {
    const answer = await exchange(server.origin, head(method, '/scim/v2/Users', ...authorized('X-Echo: echo')));
    expect([answer.status, answer.headers['connection'], JSON.parse(answer.body)]).toEqual([
      501,
      'close',
      scimError(501, undefined, 'This method is not supported.'),
    ]);
  });

  it('is told from bytes that are not HTTP', async () => {
    for (const bytes of ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'hello\r\n\r\n', 'GET\r\n\r\n']) {
      const answer = await exchange(server.origin, bytes);
      expect([answer.status, JSON.parse(answer.body)]).toEqual([
        400,
        scimError(400, 'invalidSyntax', 'The request is not valid HTTP.'),
      ]);
    }
  });
});

describe('TRACE and CONNECT', () => {
  it('do not send anything back', async () => {
    const trace = await exchange(server.origin, head('TRACE', '/scim/v2/Users', ...authorized('X-Echo: echoed')));
    expect([trace.status, trace.text.includes('echoed')]).toEqual([405, false]);
    const connect = await exchange(server.origin, 'CONNECT internal:443 HTTP/1.1\r\nHost: internal:443\r\n\r\n');
    expect([connect.status, JSON.parse(connect.body)]).toEqual([
      501,
      scimError(501, undefined, 'CONNECT is not supported.'),
    ]);
  });
});

describe('HEAD (RFC 9110 section 9.3.2)', () => {
  it.each(paths.filter(([path, allow]) => allow.includes('HEAD') && path !== '/Users/no-such-user'))(
    'answers as GET, without the body: %s',
    async (path) => {
      const [get, headed] = await Promise.all([
        server.scim.get(at(path)),
        server.scim.send('HEAD', at(path), undefined),
      ]);
      const compared = ['Content-Type', 'Content-Length', 'ETag', 'Location', 'Cache-Control'];
      const seen = (headers: Headers): (string | null)[] => compared.map((name) => headers.get(name));
      expect([headed.status, headed.text, seen(headed.headers)]).toEqual([200, '', seen(get.headers)]);
    },
  );

  it.each(paths.filter(([, allow]) => !allow.includes('HEAD')))('is 405 where GET is: %s', async (path, allow) => {
    const headed = await server.scim.send('HEAD', path, undefined);
    expect([headed.status, headed.text, headed.headers.get('Allow')]).toEqual([405, '', allow]);
  });

  it('of what is not there is 404 without a body', async () => {
    const headed = await server.scim.send('HEAD', '/Users/no-such-user', undefined);
    expect([headed.status, headed.text]).toEqual([404, '']);
  });
});

describe('OPTIONS (RFC 9110 section 9.3.7)', () => {
  it.each(paths)('of %s says what is allowed', async (path, allow) => {
    const { status, headers, text } = await server.scim.send('OPTIONS', at(path), undefined);
    expect([status, headers.get('Allow'), headers.get('Content-Type'), text]).toEqual([204, allow, null, '']);
  });

  it('of what is not there is 404', async () => {
    const answer = await server.scim.send('OPTIONS', '/Nothing', undefined);
    expect([answer.status, answer.body]).toEqual([404, scimError(404)]);
  });

  it('grants no origin anything (CORS is closed)', async () => {
    const { headers } = await server.scim.send('OPTIONS', '/Users', undefined, {
      headers: {
        Origin: 'https://evil.example',
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'Authorization',
      },
    });
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('a method override', () => {
  it.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'])('in %s is ignored', async (name) => {
    const answer = await server.scim.post(
      '/Users',
      { userName: 'methods@example.com' },
      { headers: { [name]: 'DELETE' } },
    );
    expect(answer.status).toBe(409);
    const read = await server.scim.get(`/Users/${user.id}`, { headers: { [name]: 'DELETE' } });
    expect([read.status, read.body]).toEqual([200, { ...user, groups: expect.any(Array) as unknown }]);
  });

  it('in the query or the body is ignored', async () => {
    const answer = await server.scim.post('/Users?_method=DELETE', {
      userName: 'methods@example.com',
      _method: 'DELETE',
    });
    expect(answer.status).toBe(409);
  });
});

describe('an expectation (RFC 9110 section 10.1.1)', () => {
  it.each(['100-continue', 'miracles'])('of %s leaves the answer as it is', async (expectation) => {
    const body = '{"userName":"methods@example.com"}';
    const lines = authorized(
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      `Expect: ${expectation}`,
    );
    const { text } = await exchange(server.origin, head('POST', '/scim/v2/Users', ...lines) + body);
    expect(text).toContain('HTTP/1.1 409 Conflict');
    expect(text).toContain('"scimType":"uniqueness"');
  });
});
