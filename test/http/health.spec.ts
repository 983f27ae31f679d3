import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Lifecycle } from '../../src/ops/lifecycle.js';
import type { Answer } from '../support/client.js';
import { ReservedConnections } from '../../src/persistence/reserved-connections.js';
import { scimError } from '../support/errors.js';
import { startServer, type TestServer } from '../support/server.js';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

afterEach(() => void jest.restoreAllMocks());
afterAll(() => server.close());

const probe = (path: string): Promise<Answer<unknown>> => server.scim.get(server.origin + path, { token: null });
const ok = { status: 200, body: { status: 'ok' } };
const seen = ({ status, body }: Answer<unknown>): object => ({ status, body });

describe('/livez', () => {
  it('is ok while the process runs, without credentials', async () => {
    const answer = await probe('/livez');
    expect(seen(answer)).toEqual(ok);
    expect(answer.headers.get('Content-Type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('Cache-Control')).toBe('no-store');
  });

  it('does not ask the database, which a restart of this process would not help', async () => {
    const query = jest.spyOn(server.app.get(ReservedConnections), 'query').mockRejectedValue(new Error('down'));
    expect(seen(await probe('/livez'))).toEqual(ok);
    expect(query).not.toHaveBeenCalled();
  });
});

describe('/readyz', () => {
  it('is ok while the database answers, without credentials', async () => {
    const query = jest.spyOn(server.app.get(ReservedConnections), 'query');
    const answer = await probe('/readyz');
    expect(seen(answer)).toEqual(ok);
    expect(answer.headers.get('Cache-Control')).toBe('no-store');
    expect(query).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['refuses connections', { code: 'ECONNREFUSED' }],
    ['shuts down', { code: '57P01' }],
    ['has no connection left', { code: '53300' }],
    ['takes no more the password that it took', { code: '28P01' }],
    ['is gone', { code: '3D000' }],
    ['has a certificate that has expired', { code: 'CERT_HAS_EXPIRED' }],
    ['has a certificate of an unknown authority', { code: 'SELF_SIGNED_CERT_IN_CHAIN' }],
    ['has a certificate of another host', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }],
    ['has no certificate', { message: 'The server does not support SSL connections' }],
    ['does not answer in time', { message: 'timeout exceeded when trying to connect' }],
  ])('is 503 with Retry-After while the database %s, and ok again after', async (_what, failure) => {
    const error = Object.assign(new Error('at 10.0.0.7:5432'), failure);
    jest.spyOn(server.app.get(ReservedConnections), 'query').mockRejectedValueOnce(error);
    const answer = await probe('/readyz');
    expect(seen(answer)).toEqual({
      status: 503,
      body: scimError(503, undefined, 'The directory cannot be reached now; try again later.'),
    });
    expect(answer.headers.get('Retry-After')).toBe('5');
    expect(seen(await probe('/readyz'))).toEqual(ok);
  });

  it('says in the log why, which it does not tell', async () => {
    const error = Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' });
    jest.spyOn(server.app.get(ReservedConnections), 'query').mockRejectedValueOnce(error);
    const answer = await probe('/readyz');
    expect(answer.text).not.toContain('10.0.0.7');
    const id = answer.headers.get('X-Request-Id');
    const [line] = server.logged().filter(({ requestId, level }) => requestId === id && level === 50);
    expect(line).toEqual(
      expect.objectContaining({ msg: 'request failed', err: expect.objectContaining({ code: 'ECONNREFUSED' }) }),
    );
  });
});

describe('a shutdown', () => {
  it('makes /readyz 503 while requests are still served', async () => {
    jest.spyOn(server.app.get(Lifecycle), 'isStopping', 'get').mockReturnValue(true);
    const answer = await probe('/readyz');
    expect(seen(answer)).toEqual({ status: 503, body: scimError(503, undefined, 'The server is shutting down.') });
    expect(answer.headers.get('Retry-After')).toBe('5');
    expect(seen(await probe('/livez'))).toEqual(ok);
    expect((await server.scim.list('/Users')).status).toBe(200);
  });

  it('begins once, and is not taken back', () => {
    const lifecycle = new Lifecycle();
    expect(lifecycle.isStopping).toBe(false);
    lifecycle.stop();
    lifecycle.stop();
    expect(lifecycle.isStopping).toBe(true);
  });
});

describe('other methods', () => {
  it.each(['POST', 'PUT', 'DELETE'])('are refused with Allow, once it is known who asks: %s', async (method) => {
    const answer = await server.scim.send(method, `${server.origin}/readyz`, undefined);
    expect([answer.status, answer.headers.get('Allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
    expect((await server.scim.send(method, `${server.origin}/readyz`, undefined, { token: null })).status).toBe(401);
  });
});
