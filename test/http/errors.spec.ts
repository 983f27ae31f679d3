import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerClientError } from '../../src/http/client-error.js';
import { limits, scimErrorNames, type ErrorMessage, type ScimErrorName } from '../../src/scim/index.js';
import { ReservedConnections } from '../../src/persistence/reserved-connections.js';
import { Searches } from '../../src/persistence/searches.js';
import { TenantsService } from '../../src/tenants/tenants.service.js';
import { UsersRepository } from '../../src/users/users.repository.js';
import { UsersService } from '../../src/users/users.service.js';
import type { ScimClient } from '../support/client.js';
import { exchange, head, open, parseAnswer, readAll } from '../support/raw-http.js';
import { author, startServer, type TestServer } from '../support/server.js';

/** What a client sees of an error. */
interface Seen {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** A request that the server refuses, and how. */
interface Refusal {
  readonly request: (scim: ScimClient, server: TestServer) => Promise<Seen>;
  readonly scimType?: string;
  readonly status: number;
  readonly detail: string;
  /** Headers that belong to the error. */
  readonly headers?: Readonly<Record<string, string>>;
}

let server: TestServer;
let userId: string;
let groupId: string;

beforeAll(async () => {
  server = await startServer({ RATE_LIMIT: 'on' });
  userId = (await server.scim.post('/Users', { userName: 'errors@example.com' })).body.id;
  await server.scim.post('/Users', { userName: 'another@example.com' });
  groupId = (await server.scim.post('/Groups', { displayName: 'Errors' })).body.id;
});

afterEach(() => void jest.restoreAllMocks());
afterAll(() => server.close());

const patch = (path: string): ((scim: ScimClient) => Promise<Seen>) => {
  return (scim) => scim.operations(`/Users/${userId}`, [{ op: 'replace', path, value: 'x' }]);
};

async function overTheWire(...parts: readonly string[]): Promise<Seen> {
  const { status, headers, body } = await exchange(server.origin, ...parts);
  return { status, headers: new Headers({ ...headers }), body: JSON.parse(body) };
}

/** The path of a second page, without its count. */
async function secondPage(scim: ScimClient): Promise<string> {
  const { body } = await scim.get<{ nextCursor: string }>('/Users?cursor&count=1');
  return `/Users?cursor=${body.nextCursor}`;
}

/** Lets a request time out on a server like ours, but for the time it has. */
async function slowRequest(): Promise<Seen> {
  const impatient: Server = createServer({ connectionsCheckingInterval: 5, headersTimeout: 5, requestTimeout: 5 });
  impatient.on('clientError', answerClientError);
  await new Promise<void>((resolve) => impatient.listen(0, '127.0.0.1', resolve));
  const socket = open(`http://127.0.0.1:${(impatient.address() as AddressInfo).port}`);
  socket.write('GET /scim/v2/Users HTTP/1.1\r\n');
  const { status, headers, body } = parseAnswer(await readAll(socket));
  impatient.close();
  return { status, headers: new Headers({ ...headers }), body: JSON.parse(body) };
}

const refusals: Readonly<Partial<Record<ScimErrorName, Refusal>>> = {
  invalidFilter: {
    request: (scim) => scim.get('/Users?filter=userName%20regex%20%22x%22'),
    status: 400,
    scimType: 'invalidFilter',
    detail: 'The filter has "regex" at character 10; expected "pr" or one of eq, ne, co, sw, ew, gt, lt, ge, le.',
  },
  tooMany: {
    request: (scim, { app }) => {
      const ended = { code: '57014', message: 'canceling statement due to statement timeout', severity: 'ERROR' };
      const searches = app.get<{ runOn(): Promise<unknown> }>(Searches);
      jest.spyOn(searches, 'runOn').mockRejectedValueOnce(ended);
      return scim.get('/Users?filter=title co "a"');
    },
    scimType: 'tooMany',
    status: 400,
    detail:
      'The search took longer than 5 s, which is the limit of this server: narrow the filter, for example by "eq" on id, ' +
      'userName, externalId or emails.value, or sort by one of these.',
  },
  mutability: {
    request: patch('id'),
    status: 400,
    scimType: 'mutability',
    detail: '"id" is readOnly.',
  },
  invalidSyntax: {
    request: (scim) => scim.send('POST', '/Users', '{"userName":'),
    status: 400,
    scimType: 'invalidSyntax',
    detail: 'The body is not valid JSON at character 13: expected a value, but the body ends.',
  },
  invalidPath: {
    request: patch('shoeSize'),
    status: 400,
    scimType: 'invalidPath',
    detail: '"shoeSize" does not name an attribute of User.',
  },
  noTarget: {
    request: (scim) => scim.operations(`/Users/${userId}`, [{ op: 'remove' }]),
    status: 400,
    scimType: 'noTarget',
    detail: 'remove needs a path.',
  },
  invalidValue: {
    request: (scim) => scim.post('/Users', { displayName: 'Nobody' }),
    status: 400,
    scimType: 'invalidValue',
    detail: 'userName is required.',
  },
  invalidVers: {
    request: (scim) => scim.get(`${server.origin}/scim/v1/Users`),
    status: 400,
    scimType: 'invalidVers',
    detail: 'The protocol version "v1" is not supported; use /scim/v2.',
  },
  invalidCursor: {
    request: (scim) => scim.get('/Users?cursor=forged&count=1'),
    status: 400,
    scimType: 'invalidCursor',
    detail: 'The cursor is not valid for this query.',
  },
  expiredCursor: {
    request: async (scim) => {
      const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.UTC(2020, 0, 1));
      const path = await secondPage(scim);
      clock.mockRestore();
      return scim.get(`${path}&count=1`);
    },
    status: 400,
    scimType: 'expiredCursor',
    detail: 'The cursor has expired; start the query again.',
  },
  invalidCount: {
    request: async (scim) => scim.get(`${await secondPage(scim)}&count=2`),
    status: 400,
    scimType: 'invalidCount',
    detail: 'The first page had count=1; every page must have the same.',
  },
  unauthorized: {
    request: (scim) => scim.get('/Users', { token: null }),
    status: 401,
    detail: 'A valid bearer token is required: send "Authorization: Bearer <token>".',
    headers: { 'WWW-Authenticate': 'Bearer realm="rollcall"' },
  },
  forbidden: {
    request: (scim) => scim.get('/Schemas?filter=name%20eq%20%22User%22'),
    status: 403,
    detail: 'filter cannot be used here: this endpoint always returns all there is.',
  },
  notFound: {
    request: (scim) => scim.get('/Users/00919288221112222'),
    status: 404,
    detail: 'There is no User with the id "00919288221112222".',
  },
  methodNotAllowed: {
    request: (scim) => scim.delete('/Users'),
    status: 405,
    detail: 'DELETE is not allowed here; use GET, HEAD, POST.',
    headers: { Allow: 'GET, HEAD, POST, OPTIONS' },
  },
  notAcceptable: {
    request: (scim) => scim.get('/Users', { headers: { Accept: 'text/html' } }),
    status: 406,
    detail: 'Only application/scim+json and application/json can be produced.',
  },
  requestTimeout: {
    request: slowRequest,
    status: 408,
    detail: 'The request was not received in time.',
    headers: { Connection: 'close' },
  },
  conflict: {
    // Somebody else always comes first, even when the row is locked.
    request: (scim, { app }) => {
      const update = jest.spyOn(app.get(UsersRepository), 'update');
      for (let attempt = 0; attempt < 4; attempt++) update.mockResolvedValueOnce(undefined);
      return scim.operations(`/Users/${userId}`, [{ op: 'replace', path: 'title', value: 'Lead' }]);
    },
    status: 409,
    detail: 'The resource was changed by another request; read it and try again.',
  },
  uniqueness: {
    request: (scim) => scim.post('/Users', { userName: 'ERRORS@example.com' }),
    status: 409,
    scimType: 'uniqueness',
    detail: 'Another user has this userName.',
  },
  preconditionFailed: {
    request: (scim) => scim.delete(`/Users/${userId}`, { headers: { 'If-Match': 'W/"99"' } }),
    status: 412,
    detail: 'The resource has changed: its version does not match If-Match.',
  },
  payloadTooLarge: {
    request: (scim) => scim.send('POST', '/Users', ' '.repeat(limits.bodyBytes + 1)),
    status: 413,
    detail: 'The body is larger than 1048576 bytes.',
    headers: { Connection: 'close' },
  },
  unsupportedMediaType: {
    request: (scim) => scim.send('POST', '/Users', '{}', { headers: { 'Content-Type': 'text/plain' } }),
    status: 415,
    detail: 'Content-Type "text/plain" is not supported; use application/scim+json in UTF-8.',
  },
  sensitive: {
    request: async (_scim, { addTenant }) => {
      const careful = await addTenant('careful', { sensitiveFilters: 'refuse' });
      return careful.get('/Users?filter=userName eq "ann"');
    },
    status: 403,
    scimType: 'sensitive',
    detail: 'A personal value may not be part of a URL; use POST with /.search.',
  },
  preconditionRequired: {
    request: async (_scim, { addTenant }) => {
      const exact = await addTenant('exact', { requireIfMatch: true });
      const { body } = await exact.post('/Users', { userName: 'exact' });
      return exact.put(`/Users/${body.id}`, { userName: 'exact' });
    },
    status: 428,
    detail: 'Send the version that is to be changed in If-Match.',
  },
  tooManyRequests: {
    request: async (_scim, { app, addTenant }) => {
      const hasty = await addTenant('hasty');
      await app.get(TenantsService).change(author, 'hasty', { settings: { requestsPerSecond: 1 } });
      const answers = await Promise.all(Array.from({ length: 20 }, () => hasty.get('/Users')));
      return answers.find(({ status }) => status === 429) ?? hasty.get('/Users');
    },
    status: 429,
    detail: 'The limit of requests per second, 1, is reached; try again later.',
  },
  headersTooLarge: {
    request: () => overTheWire(head('GET', '/scim/v2/Users', `X-Padding: ${'x'.repeat(20_000)}`)),
    status: 431,
    detail: 'The request headers are too large.',
    headers: { Connection: 'close' },
  },
  internal: {
    request: (scim, { app }) => {
      jest.spyOn(app.get(UsersService), 'read').mockRejectedValueOnce(new TypeError('relation "users" of 10.0.0.7'));
      return scim.get(`/Users/${userId}`, { headers: { 'X-Request-Id': 'request-1' } });
    },
    status: 500,
    detail: 'The server met an unexpected condition; its log has the details under request-1.',
  },
  notImplemented: {
    request: () => overTheWire(head('FOO', '/scim/v2/Users')),
    status: 501,
    detail: 'This method is not supported.',
    headers: { Connection: 'close' },
  },
  unavailable: {
    request: (scim, { app }) => {
      const refused = Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' });
      jest.spyOn(app.get(ReservedConnections), 'query').mockRejectedValueOnce(refused);
      return scim.get(`${server.origin}/readyz`);
    },
    status: 503,
    detail: 'The directory cannot be reached now; try again later.',
    headers: { 'Retry-After': '5' },
  },
};

describe('the Error message (RFC 7644 section 3.12)', () => {
  it.each(Object.entries(refusals))('answers %s', async (_row, { request, status, scimType, detail, headers = {} }) => {
    const answer = await request(server.scim, server);
    const expected: ErrorMessage = {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: String(status),
      ...(scimType === undefined ? {} : { scimType }),
      detail,
    };
    expect({ status: answer.status, body: answer.body }).toEqual({ status, body: expected });
    expect(answer.headers.get('Content-Type')).toBe('application/scim+json; charset=utf-8');
    for (const [name, value] of Object.entries(headers))
      expect([name, answer.headers.get(name)]).toEqual([name, value]);
  });

  it('is reachable in every row of the error table', () => {
    expect(Object.keys(refusals).sort()).toEqual([...scimErrorNames].sort());
  });

  it('changes nothing', async () => {
    const [user, group] = await Promise.all([
      server.scim.get(`/Users/${userId}`),
      server.scim.get(`/Groups/${groupId}`),
    ]);
    expect([user.body.meta.version, group.body.meta.version]).toEqual(['W/"1"', 'W/"1"']);
    expect((await server.scim.list('/Users')).body.totalResults).toBe(2);
  });
});

describe('an unexpected exception', () => {
  const secret = 'SELECT * FROM tokens -- hunter2';

  it.each<[string, unknown]>([
    ['an Error', new Error(secret)],
    ['a string', secret],
    ['nothing', undefined],
    ['an object with a status that is no status', { status: 'broken', message: secret }],
  ])('is a 500 that says nothing of it, whether it is %s', async (_what, thrown) => {
    jest.spyOn(server.app.get(UsersService), 'read').mockRejectedValueOnce(thrown);
    const { status, body, text } = await server.scim.get(`/Users/${userId}`, {
      headers: { 'X-Request-Id': 'request-2' },
    });
    expect({ status, body }).toEqual({
      status: 500,
      body: {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
        status: '500',
        detail: 'The server met an unexpected condition; its log has the details under request-2.',
      },
    });
    expect(text).not.toContain('SELECT');
  });

  it('is logged with its stack under the request id that the client learns', async () => {
    jest.spyOn(server.app.get(UsersService), 'read').mockRejectedValueOnce(new TypeError('a defect'));
    await server.scim.get(`/Users/${userId}`, { headers: { 'X-Request-Id': 'request-3' } });
    const lines = server.logged().filter((line) => line['requestId'] === 'request-3' && line['level'] === 50);
    expect(lines).toEqual([
      {
        level: 50,
        time: expect.any(Number),
        service: 'rollcall',
        requestId: 'request-3',
        msg: 'unexpected error',
        err: { type: 'TypeError', message: 'a defect', stack: expect.stringMatching(/^ +at .*errors\.spec\.ts/) },
      },
    ]);
  });

  it('leaves the server running', async () => {
    expect((await server.scim.get(`/Users/${userId}`)).status).toBe(200);
  });
});
