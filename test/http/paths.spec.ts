import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Resource } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { exchange, head } from '../support/raw-http.js';
import { publicUrl, startServer, type TestServer } from '../support/server.js';

let server: TestServer;
let user: Resource;
let group: Resource;

beforeAll(async () => {
  server = await startServer();
  group = (await server.scim.post('/Groups', { displayName: 'Paths' })).body;
  user = (await server.scim.post('/Users', { userName: 'paths@example.com' })).body;
});

afterAll(() => server.close());

/** Requests a target as it is: URL libraries would take the dots out. */
async function request(target: string, method = 'GET', body = ''): Promise<{ status: number; body: unknown }> {
  const lines = [`Authorization: Bearer ${server.scim.token}`, `Content-Length: ${body.length}`];
  const type = 'Content-Type: application/scim+json';
  const answer = await exchange(server.origin, head(method, target, ...lines, type) + body);
  return { status: answer.status, body: answer.body === '' ? '' : (JSON.parse(answer.body) as unknown) };
}

const notFound = { status: 404, body: scimError(404) };

describe('the id in a path (RFC 7643 section 3.1)', () => {
  const strangers = [
    'not-a-uuid',
    '00919288221112222',
    '0',
    '-1',
    'null',
    '%20',
    '%00',
    '%0d%0aSet-Cookie:%20a=b',
    '..%5c',
    '%2e%2e%2fadmin',
    '%2e%2e',
    '*',
    '%25',
    "'%20OR%201=1--",
    '019aaf3c-6b5e-7cc1-a4ad-0f8d8e5f0a11',
    '019aaf3c6b5e7cc1a4ad0f8d8e5f0a11',
    '%F0%9F%98%80',
    'a'.repeat(8192),
  ];
  const methods: [method: string, body: string][] = [
    ['GET', ''],
    ['PUT', '{"userName":"x","displayName":"x"}'],
    ['PATCH', '{"Operations":[{"op":"add","path":"externalId","value":"x"}]}'],
    ['DELETE', ''],
  ];

  it.each(methods)('that names nothing is 404, whatever it looks like: %s', async (method, body) => {
    for (const id of strangers) {
      expect([id, await request(`/scim/v2/Users/${id}`, method, body)]).toEqual([id, notFound]);
      expect([id, await request(`/scim/v2/Groups/${id}`, method, body)]).toEqual([id, notFound]);
    }
  });

  it.each(methods)('that is of another type is 404: %s', async (method, body) => {
    expect(await request(`/scim/v2/Users/${group.id}`, method, body)).toEqual(notFound);
    expect(await request(`/scim/v2/Groups/${user.id}`, method, body)).toEqual(notFound);
  });

  it.each(methods)('is compared case-sensitively: %s', async (method, body) => {
    expect(await request(`/scim/v2/Users/${user.id.toUpperCase()}`, method, body)).toEqual(notFound);
  });

  it('may be percent-encoded', async () => {
    expect((await request(`/scim/v2/Users/${user.id.replaceAll('-', '%2D')}`)).body).toEqual(user);
  });

  it('has no suffix that chooses a format', async () => {
    expect(await request(`/scim/v2/Users/${user.id}.scim`)).toEqual(notFound);
  });

  it('is told in the detail as JSON, cut short', async () => {
    const detail = (shown: string): string => `There is no User with the id ${shown}.`;
    const newline = await request('/scim/v2/Users/a%0d%0ab%1b[31m');
    expect(newline.body).toEqual(scimError(404, undefined, detail('"a\\r\\nb\\u001b[31m"')));
    const long = await request(`/scim/v2/Users/${'a'.repeat(8192)}`);
    expect(long.body).toEqual(scimError(404, undefined, detail(`"${'a'.repeat(80)}…"`)));
  });
});

describe('a path with malformed percent-encoding', () => {
  it.each(['%zz', '%', '%c3%28', '%c0%80', '%ed%a0%80', 'a%2'])('is refused: %s', async (id) => {
    for (const start of ['/scim/v2/Users', '/scim/v2/Schemas', '/scim/v2/Nothing', '/docs', '/scim/v1']) {
      expect(await request(`${start}/${id}`)).toEqual({ status: 400, body: scimError(400, 'invalidSyntax') });
    }
  });
});

describe('a path that leads nowhere', () => {
  it.each([
    '/scim/v2/Nothing',
    '/scim/v2/Users.scim',
    '/scim/v2/ServiceProviderConfigs',
    '/scim/v2/Users/a/b',
    '/scim/v2//Users',
    '//scim/v2/Users',
    '/scim/v2/v2/Users',
    '/scim/Users',
    '/Users',
    '/v2/Users',
    '/scim/v2/Users/../Groups/x',
    '/scim/v2/Users/x/../../etc/passwd',
    '/scim/v2/Users/../../../package.json',
    '/scim/v2/..%2f..%2fpackage.json',
    '/docs/../package.json',
    '/docs/..%2f..%2fpackage.json',
    '/docs/%2e%2e/%2e%2e/etc/passwd',
    '/package.json',
    '/.env',
    '/admin',
    '/scim/v2/\\Users',
    '/scim/v2/Users;jsessionid=1',
    '/scim/v2/ResourceTypes/Device',
    '/scim/v2/ResourceTypes/%00',
    '/scim/v2/Schemas/urn:nothing',
    '/scim/v2/Schemas/__proto__',
    '/scim/v2/ResourceTypes/constructor',
  ])('is 404: %s', async (path) => {
    expect(await request(path)).toEqual(notFound);
  });

  it('is 404 for every method', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'TRACE']) {
      expect([method, await request('/scim/v2/Nothing', method, 'not JSON')]).toEqual([method, notFound]);
    }
  });
});

describe('a target with a scheme and an authority (RFC 9112 section 3.2.2)', () => {
  it.each([
    ['of this server', 'https://scim.example.com'],
    ['of another one', 'http://evil.example'],
    ['with a port that is none', 'http://rollcall.test:99999'],
    ['with credentials', 'http://user:secret@rollcall.test'],
    ['of another scheme', 'ftp://rollcall.test'],
    ['with a bracket that stays open', 'http://[::1'],
    ['with a bracket that was never open', 'http://a]b'],
    ['with a name that is no name', 'http://xn--0'],
    ['with two ports', 'http://a:b:c'],
  ])('leads where its path leads, whatever the authority: %s', async (_what, origin) => {
    expect(await request(`${origin}/scim/v2/Users/${user.id}?attributes=userName`)).toEqual({
      status: 200,
      body: { schemas: user['schemas'], id: user.id, userName: 'paths@example.com' },
    });
    expect(await request(`${origin}/scim/v2/Users/x`)).toEqual(notFound);
    expect(await request(`${origin}/`)).toEqual(notFound);
    expect(await request(origin)).toEqual(notFound);
    expect(await request(`${origin}?filter=x`)).toEqual(notFound);
  });

  it('needs credentials like any other', async () => {
    const answer = await exchange(server.origin, head('GET', 'http://[::1/scim/v2/Users'));
    expect([answer.status, JSON.parse(answer.body)]).toEqual([401, scimError(401)]);
  });
});

describe('the protocol version (RFC 7644 section 3.13)', () => {
  it.each(['v1', 'v3', 'V1', 'v2.0', 'v', 'v20', 'v2beta'])('other than v2 is refused: %s', async (version) => {
    for (const rest of ['/Users', `/Users/${user.id}`, '', '/ServiceProviderConfig']) {
      const { status, body } = await request(`/scim/${version}${rest}`);
      const detail = `The protocol version "${version}" is not supported; use /scim/v2.`;
      expect([status, body]).toEqual([400, scimError(400, 'invalidVers', detail)]);
    }
  });

  it('other than v2 is refused on writes too', async () => {
    const { status, body } = await request('/scim/v1/Users', 'POST', '{"userName":"x"}');
    expect([status, body]).toEqual([400, scimError(400, 'invalidVers')]);
  });
});

describe('an endpoint (RFC 7644 section 3.2)', () => {
  it.each([
    ['a slash at the end', '/scim/v2/Users/'],
    ['lower case', '/scim/v2/users'],
    ['upper case', '/SCIM/V2/USERS'],
    ['a whole URL as the target', 'http://evil.example/scim/v2/Users'],
  ])('is found with %s', async (_what, path) => {
    const answer = await exchange(server.origin, head('GET', path, `Authorization: Bearer ${server.scim.token}`));
    expect([answer.status, JSON.parse(answer.body), answer.headers['cache-control']]).toEqual([
      200,
      (await server.scim.list('/Users')).body,
      'no-store',
    ]);
  });

  it('of one resource is found with a slash at the end', async () => {
    expect(await request(`/scim/v2/Users/${user.id}/`)).toEqual({ status: 200, body: user });
  });
});

describe('the URLs in answers (RFC 7643 section 3.1)', () => {
  it.each([
    ['Host', ['Host: evil.example']],
    ['X-Forwarded-Host', ['X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: http']],
    ['Forwarded', ['Forwarded: host=evil.example;proto=http']],
    ['X-Forwarded-Prefix', ['X-Forwarded-Prefix: /evil', 'X-Original-URL: /evil']],
  ])('come from the configuration, never from %s', async (_header, lines) => {
    const body = '{"displayName":"Located"}';
    const start = ['POST /scim/v2/Groups HTTP/1.1', ...(lines[0]?.startsWith('Host') ? [] : ['Host: rollcall.test'])];
    const rest = [
      'Connection: close',
      `Authorization: Bearer ${server.scim.token}`,
      'Content-Type: application/scim+json',
      `Content-Length: ${body.length}`,
    ];
    const answer = await exchange(server.origin, [...start, ...lines, ...rest, '', body].join('\r\n'));
    const created = JSON.parse(answer.body) as Resource;
    const location = `${publicUrl}/scim/v2/Groups/${created.id}`;
    expect([answer.status, answer.headers['location'], created.meta.location]).toEqual([201, location, location]);
    expect(answer.text).not.toContain('evil');
    expect((await server.scim.delete(`/Groups/${created.id}`)).status).toBe(204);
  });
});

describe('line breaks', () => {
  it('in an id, a name or a header never start a header of the answer', async () => {
    const externalId = 'a\r\nX-Injected: yes';
    const created = await server.scim.post('/Groups', { displayName: 'a\r\nX-Injected: yes', externalId });
    expect([created.status, created.headers.get('X-Injected')]).toEqual([201, null]);
    expect(created.body['externalId']).toBe(externalId);
    expect((await server.scim.delete(`/Groups/${created.body.id}`)).status).toBe(204);
    for (const line of ['If-Match: a\rX-Injected: yes', 'X-Request-Id: a\x01b', 'If-None-Match: a\0b']) {
      const answer = await exchange(server.origin, head('GET', '/scim/v2/Users', line));
      expect([answer.status, answer.headers['x-injected']]).toEqual([400, undefined]);
    }
  });

  it('that split a request in two give an answer to each, and the second needs credentials of its own', async () => {
    const smuggled = 'DELETE /scim/v2/Users HTTP/1.1\r\nHost: rollcall.test\r\nConnection: close\r\n\r\n';
    const first = `GET /scim/v2/Users/x HTTP/1.1\r\nHost: rollcall.test\r\nAuthorization: Bearer ${server.scim.token}\r\n\r\n`;
    const { text } = await exchange(server.origin, first + smuggled);
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 404', 'HTTP/1.1 401']);
  });
});

describe('all of the above', () => {
  it('leave the user and the group as they were', async () => {
    expect((await server.scim.list('/Users')).body.Resources).toEqual([user]);
    expect((await server.scim.list('/Groups')).body.Resources).toEqual([group]);
  });
});
