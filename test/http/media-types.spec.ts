import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { limits } from '../../src/scim/index.js';
import type { Answer, Resource, ScimClient } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { exchange, head, open, readAll, parseAnswer } from '../support/raw-http.js';
import { startServer, type TestServer } from '../support/server.js';

const scimType = 'application/scim+json; charset=utf-8';
const jsonType = 'application/json; charset=utf-8';

let server: TestServer;
let strict: ScimClient;
let user: Resource;

beforeAll(async () => {
  server = await startServer();
  strict = await server.addTenant('strict', { profile: 'strict' });
  user = (await server.scim.post('/Users', { userName: 'media@example.com' })).body;
});

afterAll(() => server.close());

const accepting = (accept: string): Promise<Answer<unknown>> =>
  server.scim.get(`/Users/${user.id}`, { headers: { Accept: accept } });

describe('the answer (RFC 7644 section 3.8)', () => {
  it.each([
    ['application/scim+json', scimType],
    ['application/scim+json; charset=utf-8', scimType],
    ['application/scim+json;charset=iso-8859-1', scimType],
    ['APPLICATION/SCIM+JSON', scimType],
    ['application/json', jsonType],
    ['application/json, application/scim+json', scimType],
    ['application/json, text/plain, */*', scimType],
    ['application/json, text/plain, */*;q=0.9', jsonType],
    ['application/json;q=0.5, application/scim+json;q=0.4', jsonType],
    ['application/scim+json;q=0, application/json', jsonType],
    ['application/scim+json;q=0, */*', jsonType],
    ['application/json;q=0.4, application/scim+json;q=0.40', scimType],
    ['application/*;q=0.2, application/json;q=0.1, */*', scimType],
    ['application/*', scimType],
    ['*/*', scimType],
    ['text/html, */*;q=0.1', scimType],
    ['', scimType],
    ['json', scimType],
    [';;;', scimType],
    ['application/scim+json;q=high', scimType],
  ])('to Accept: %s is %s', async (accept, contentType) => {
    const { status, headers, body } = await accepting(accept);
    expect([status, headers.get('Content-Type'), body]).toEqual([200, contentType, user]);
  });

  it('is SCIM without an Accept header', async () => {
    const { status, headers, body } = await exchange(
      server.origin,
      head('GET', `/scim/v2/Users/${user.id}`, `Authorization: Bearer ${server.scim.token}`),
    );
    expect([status, headers['content-type'], JSON.parse(body)]).toEqual([200, scimType, user]);
  });

  it.each([
    'text/html',
    'application/xml;q=1',
    'application/scim+json;q=0',
    'application/scim+json;q=0, application/json;q=0',
    '*/*;q=0',
    'text/*, image/png',
    'application/json-patch+json',
  ])('to Accept: %s is 406, as a SCIM error all the same', async (accept) => {
    const { status, headers, body } = await accepting(accept);
    expect([status, headers.get('Content-Type'), body]).toEqual([406, scimType, scimError(406)]);
  });

  it('of an error follows Accept', async () => {
    const { status, headers, body } = await server.scim.get('/Users/none', { headers: { Accept: 'application/json' } });
    expect([status, headers.get('Content-Type'), body]).toEqual([404, jsonType, scimError(404)]);
  });

  it('to an Accept header of 8 KB is chosen from it', async () => {
    const { status, headers } = await accepting(`${'text/plain, '.repeat(650)}application/json`);
    expect([status, headers.get('Content-Type')]).toEqual([200, jsonType]);
  });

  it('is refused before anything is created', async () => {
    const answer = await server.scim.post('/Users', { userName: 'never' }, { headers: { Accept: 'text/html' } });
    expect([answer.status, answer.body]).toEqual([406, scimError(406)]);
    expect((await server.scim.list('/Users')).body.totalResults).toBe(1);
  });
});

describe('the request body (RFC 7644 section 3.8)', () => {
  const replace = (contentType: string): Promise<Answer<unknown>> =>
    server.scim.send('PUT', `/Users/${user.id}`, '{"userName":"media@example.com"}', {
      headers: { 'Content-Type': contentType },
    });

  it.each([
    'application/scim+json',
    'application/json',
    'application/scim+json; charset=utf-8',
    'application/scim+json;charset="UTF-8"',
    'Application/SCIM+JSON; Charset=UTF-8',
    'application/json; charset=utf-8; profile=x',
  ])('may be %s', async (contentType) => {
    expect((await replace(contentType)).status).toBe(200);
  });

  it.each([
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/jsonp',
    'application/scim+json; charset=utf-16',
    'application/scim+json; charset=iso-8859-1',
    'application/scim+json, text/plain',
    'scim',
    ';',
  ])('may not be %s', async (contentType) => {
    const { status, body } = await replace(contentType);
    expect([status, body]).toEqual([415, scimError(415)]);
  });

  const withoutType = (client: ScimClient): Promise<{ status: number; body: string }> => {
    const body = '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Untyped"}';
    const lines = [`Authorization: Bearer ${client.token}`, `Content-Length: ${body.length}`];
    return exchange(server.origin, head('POST', '/scim/v2/Groups', ...lines) + body);
  };

  it("may come without a Content-Type, as in Okta's documentation", async () => {
    expect((await withoutType(server.scim)).status).toBe(201);
  });

  it('needs a Content-Type in the strict profile', async () => {
    const { status, body } = await withoutType(strict);
    expect([status, JSON.parse(body)]).toEqual([415, scimError(415)]);
    expect((await strict.list('/Groups')).body.totalResults).toBe(0);
  });

  it.each([[[]], [['Content-Length: 0']]])('that is missing itself has no type to miss: %j', async (framing) => {
    const lines = [`Authorization: Bearer ${strict.token}`, ...framing];
    const answer = await exchange(server.origin, head('POST', '/scim/v2/Groups', ...lines));
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      400,
      scimError(400, 'invalidSyntax', 'The body is empty; send a JSON object.'),
    ]);
  });

  it('is ignored on GET and DELETE, whatever it is', async () => {
    const doomed = (await server.scim.post('/Users', { userName: 'doomed' })).body.id;
    for (const [method, target, status] of [
      ['GET', `/scim/v2/Users/${doomed}`, 200],
      ['DELETE', `/scim/v2/Users/${doomed}`, 204],
    ] as const) {
      const lines = [`Authorization: Bearer ${server.scim.token}`, 'Content-Type: text/plain', 'Content-Length: 9'];
      expect((await exchange(server.origin, `${head(method, target, ...lines)}{not json`)).status).toBe(status);
    }
  });
});

describe('a content coding', () => {
  const bomb = new Uint8Array(gzipSync(Buffer.alloc(64 * limits.bodyBytes, ' ')));

  it.each([
    ['gzip', bomb],
    ['deflate', bomb],
    ['br', bomb],
    ['x-unknown', bomb],
    ['identity, gzip', bomb],
  ])('of a request is not undone: %s is refused', async (coding, body) => {
    const answer = await server.scim.send('POST', '/Users', body, { headers: { 'Content-Encoding': coding } });
    expect([answer.status, answer.body]).toEqual([
      415,
      scimError(415, undefined, `Content-Encoding "${coding}" is not supported; send the body as it is.`),
    ]);
  });

  it('of identity is none', async () => {
    const answer = await server.scim.send('PUT', `/Users/${user.id}`, '{"userName":"media@example.com"}', {
      headers: { 'Content-Encoding': 'identity' },
    });
    expect(answer.status).toBe(200);
  });
});

describe('the length of a body (RFC 9112 section 6)', () => {
  const body = '{"userName":"framed@example.com"}';
  const lines = (): string[] => [`Authorization: Bearer ${server.scim.token}`, 'Content-Type: application/scim+json'];
  const post = (...more: string[]): string => head('POST', '/scim/v2/Users', ...lines(), ...more);
  const padded = (length: number): string => body.padEnd(length, ' ');

  afterAll(async () => {
    expect((await server.scim.list('/Users?filter=userName%20sw%20%22framed%22')).body.totalResults).toBe(1);
  });

  it('may be exactly the limit', async () => {
    const answer = await exchange(server.origin, post(`Content-Length: ${limits.bodyBytes}`), padded(limits.bodyBytes));
    expect(answer.status).toBe(201);
  });

  it('may not be announced as more than the limit', async () => {
    const answer = await exchange(server.origin, post(`Content-Length: ${limits.bodyBytes + 1}`));
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      413,
      scimError(413, undefined, 'The body is larger than 1048576 bytes.'),
    ]);
  });

  it('may not grow over the limit in chunks; then the connection is closed although more would come', async () => {
    const tooMuch = limits.bodyBytes + 1;
    const answer = await exchange(
      server.origin,
      post('Transfer-Encoding: chunked'),
      `${tooMuch.toString(16)}\r\n${padded(tooMuch)}\r\n`,
    );
    expect([answer.status, answer.headers['connection'], JSON.parse(answer.body)]).toEqual([
      413,
      'close',
      scimError(413, undefined, 'The body is larger than 1048576 bytes.'),
    ]);
  });

  it.each([
    ['two that differ', ['Content-Length: 33', 'Content-Length: 34'], body],
    ['two that agree', ['Content-Length: 33', 'Content-Length: 33'], body],
    ['a length beside chunks', ['Content-Length: 33', 'Transfer-Encoding: chunked'], body],
    ['a length that is no number', ['Content-Length: many'], body],
    ['a negative length', ['Content-Length: -1'], body],
    ['a chunk without a size', ['Transfer-Encoding: chunked'], `zz\r\n${body}\r\n0\r\n\r\n`],
    ['a length that is too short', ['Content-Length: 5'], body],
  ])('must be clear: %s is refused, and the connection closed', async (_what, more, sent) => {
    const answer = await exchange(server.origin, post(...more) + sent);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([400, scimError(400, 'invalidSyntax')]);
  });

  it.each([
    ['a length', 'Content-Length: 100', body],
    ['chunks', 'Transfer-Encoding: chunked', `${body.length.toString(16)}\r\n${body}\r\n`],
  ])('must be reached: a client that stops sending before is refused, with %s', async (_what, length, sent) => {
    const socket = open(server.origin);
    const received = readAll(socket);
    socket.end(post(length) + sent);
    const answer = parseAnswer(await received);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([400, scimError(400, 'invalidSyntax')]);
  });

  it('must be reached: a client that goes away in the middle is logged as such, not as a failure', async () => {
    const before = server.logged().length;
    const socket = open(server.origin);
    socket.write(post('Content-Length: 100', 'X-Request-Id: gone') + body, () => socket.resetAndDestroy());
    const lines = (): Record<string, unknown>[] => server.logged().slice(before);
    while (!lines().some((line) => line['requestId'] === 'gone')) await server.scim.get('/ServiceProviderConfig');
    expect(lines().filter((line) => line['level'] === 50)).toEqual([]);
    const [line] = lines().filter(({ requestId }) => requestId === 'gone');
    expect([line?.['complete'], line && 'status' in line]).toEqual([false, false]);
  });
});
