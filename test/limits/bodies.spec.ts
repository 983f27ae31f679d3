import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Socket } from 'node:net';
import { RequestBodies } from '../../src/http/request-bodies.js';
import { BytesInFlight } from '../../src/limits/bytes-in-flight.js';
import { limits, type JsonValue } from '../../src/scim/index.js';
import { ScimClient } from '../support/client.js';
import { dropHomes, newHome, prepareHomes } from '../support/home.js';
import { whileNeighbourReads } from '../support/neighbour.js';
import { endProcesses, startProcess } from '../support/process.js';
import { exchange, open, parseAnswer, readAll } from '../support/raw-http.js';
import { startServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

// A machine that has much else to do takes its time to start a process.
jest.setTimeout(300_000);

const mebibyte = 2 ** 20;

const head = (token: string, path: string, ...headers: string[]): string =>
  [
    `POST /scim/v2${path} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/scim+json',
    ...headers,
    '',
    '',
  ].join('\r\n');

/** Begins a body that is not finished. */
function begin(origin: string, start: string, bytes: Buffer): Socket {
  const socket = open(origin);
  socket.on('error', () => undefined);
  socket.write(start);
  socket.write(bytes);
  return socket;
}

describe('bodies that are not finished, in a process with a heap of 512 MB', () => {
  beforeAll(prepareHomes);
  afterEach(endProcesses);
  afterAll(dropHomes);

  it('are ended, 64 of 15 MB each, and cost no other tenant an answer', async () => {
    const ADMIN_TOKEN = 'operators-token-of-this-test-alone';
    const SCIM_TOKEN = 'token-of-the-default-tenant-of-this-test';
    const NODE_OPTIONS = '--max-old-space-size=512';
    const tokens = { ADMIN_TOKEN, SCIM_TOKEN };
    const { origin, scim } = await startProcess({ ...(await newHome()), ...tokens, NODE_OPTIONS });
    const operators = new ScimClient(`${origin}/admin/v1`, ADMIN_TOKEN);
    await operators.post('/tenants', { name: 'quiet' });
    const { body } = await operators.post('/tenants/quiet/tokens', { name: 'quiet' });
    const quiet = new ScimClient(`${origin}/scim/v2`, String((body as unknown as { secret: string }).secret));
    const user = (await quiet.post('/Users', { userName: 'quiet' })).body;
    const part = Buffer.alloc(15 * mebibyte, ' ');
    const attack = () =>
      Promise.all(
        Array.from({ length: 64 }, () =>
          readAll(begin(origin, head(scim.token, '/Groups', 'Content-Length: 16000000'), part)),
        ),
      );
    const { result, failures } = await whileNeighbourReads(quiet, `/Users/${user.id}`, attack);
    expect(failures).toEqual([]);
    const answers = result.filter((text) => text !== '').map((text) => parseAnswer(text).status);
    // A client that still sends may see a reset instead of its answer.
    expect(answers.filter((status) => status !== 408 && status !== 429)).toEqual([]);
    expect(answers).toContain(408);
    // What was held is there again for a body that is finished.
    const members = Array.from({ length: 90_000 }, () => ({ value: 'nobody', display: 'x'.repeat(100) }));
    expect((await scim.post('/Groups', { displayName: 'g', members })).status).toBe(400);
  });
});

describe('bytes of bodies', () => {
  let server: TestServer;
  let account: BytesInFlight;

  beforeAll(async () => {
    server = await startServer({ REQUEST_MEMORY_MB: '16' });
    account = server.app.get(BytesInFlight);
  });
  afterAll(() => server.close());

  it('are refused beyond the tenant’s bound, whether declared or not, and given back when the clients are gone', async () => {
    const quiet = await server.addTenant('quiet');
    const user = (await quiet.post('/Users', { userName: 'quiet' })).body;
    const { token } = server.scim;
    const declared = begin.bind(null, server.origin, head(token, '/Users', 'Content-Length: 1000000'));
    const chunked = begin.bind(null, server.origin, head(token, '/Users', 'Transfer-Encoding: chunked'));
    const part = Buffer.alloc(900_000, ' ');
    const size = `${part.length.toString(16)}\r\n`;
    const attack = async () => {
      const sockets = [declared(part), chunked(Buffer.concat([Buffer.from(size), part]))];
      await until(() => Promise.resolve(account.held >= 2 * part.length));
      const refused = Array.from({ length: 4 }, () => readAll(chunked(Buffer.concat([Buffer.from(size), part]))));
      const first = parseAnswer(await Promise.race(refused));
      expect({ status: first.status, retry: first.headers['retry-after'] }).toEqual({ status: 429, retry: '1' });
      expect(JSON.parse(first.body)).toMatchObject({ status: '429' });
      expect(first.headers['connection']).toBe('close');
      expect(account.held).toBeLessThanOrEqual(account.tenantLimit);
      // It would have to be held before it could be refused.
      const late = await exchange(server.origin, head(token, '/Users', 'Content-Length: 1048576', 'Connection: close'));
      expect(late.status).toBe(429);
      return sockets;
    };
    const { result: sockets, failures } = await whileNeighbourReads(quiet, `/Users/${user.id}`, attack);
    expect(failures).toEqual([]);
    server.app.getHttpServer().closeAllConnections();
    for (const socket of sockets) socket.destroy();
    await until(() => Promise.resolve(account.held === 0));
  });

  it('are held until the answer is there, and then no more', async () => {
    expect((await server.scim.post('/Users', { userName: 'held' })).status).toBe(201);
    expect((await server.scim.post('/Users', { userName: 'x'.repeat(2_000_000) })).status).toBe(413);
    expect((await server.scim.post('/Users', 'nonsense')).status).toBe(400);
    await until(() => Promise.resolve(account.held === 0));
  });

  it('come in whatever pieces, to the last one', async () => {
    const text = JSON.stringify({ userName: 'pieces', displayName: 'é'.repeat(500) });
    const pieces = Array.from(Buffer.from(text), (byte) =>
      Buffer.from(`1\r\n${String.fromCharCode(byte)}\r\n`, 'latin1'),
    );
    const start = head(server.scim.token, '/Users', 'Transfer-Encoding: chunked', 'Connection: close');
    const answer = await exchange(server.origin, start, ...pieces, '0\r\n\r\n');
    expect({ status: answer.status, body: JSON.parse(answer.body) as unknown }).toMatchObject({
      status: 201,
      body: { displayName: 'é'.repeat(500) },
    });
  });
});

describe('large bodies', () => {
  let server: TestServer;

  beforeAll(async () => (server = await startServer()));
  afterAll(() => server.close());

  it('take turns, one of a tenant and four in all, and wait for them before they are read', async () => {
    const { large } = server.app.get(RequestBodies);
    const others = await Promise.all(['a', 'b', 'c', 'd'].map((name) => server.addTenant(name)));
    const length = `Content-Length: ${limits.bodyBytes + 1}`;
    const sockets = [server.scim, ...others].map(({ token }) =>
      begin(server.origin, head(token, '/Groups', length), Buffer.from('{')),
    );
    await until(() => Promise.resolve(large.inUse === 4));
    const again = exchange(server.origin, head(others[0]?.token ?? '', '/Groups', length, 'Connection: close'));
    const answer = await again;
    expect([429, 503]).toContain(answer.status);
    expect(answer.headers['retry-after']).toBe('2');
    for (const socket of sockets) socket.destroy();
    await until(() => Promise.resolve(large.inUse === 0));
  });

  it('have a bound of their own for what is not the list of members', async () => {
    const answer = await server.scim.post('/Groups', { displayName: 'g', members: [], other: 'x'.repeat(1_100_000) });
    expect({ status: answer.status, body: answer.body }).toMatchObject({
      status: 413,
      body: { detail: 'The body without its members is larger than 1048576 bytes.' },
    });
  });

  it('are read as small ones are, to the same errors', async () => {
    const members = Array.from({ length: 6_000 }, (): JsonValue => ({
      value: server.scim.token.slice(0, 8),
      display: 'y'.repeat(40),
    }));
    const post = async (last: JsonValue) => {
      const { status, body } = await server.scim.post('/Groups', { displayName: 'g', members: [...members, last] });
      return [status, (body as unknown as { detail: string }).detail];
    };
    expect(await post({ value: 5 })).toEqual([400, 'members[6000].value must be a string, not "5".']);
    expect(await post(null)).toEqual([400, 'members[6000] names no resource.']);
    expect(await post({ value: 'a', type: 'Robot' })).toEqual([
      400,
      'members: "type" must be User or Group, not "Robot".',
    ]);
    expect(await post({ value: 'a', $ref: '../Users/b' })).toEqual([
      400,
      'members[6000]: "value" and "$ref" name different resources ("../Users/b").',
    ]);
    expect(await post('x\ud800')).toEqual([400, expect.stringMatching(/^The string at character \d+ holds U\+0000/)]);
  });

  it('make groups with the members that are there', async () => {
    const user = (await server.scim.post('/Users', { userName: 'member' })).body;
    const nested = (await server.scim.post('/Groups', { displayName: 'nested' })).body;
    const members = [
      ...Array.from({ length: 3_000 }, () => ({ value: user.id, display: 'd'.repeat(100), type: 'user' })),
      { VALUE: nested.id, Type: 'Group' },
    ];
    const created = await server.scim.post('/Groups', { displayName: 'large', Members: members });
    expect(created.status).toBe(201);
    expect((created.body['members'] as { value: string }[]).map(({ value }) => value).sort()).toEqual(
      [user.id, nested.id].sort(),
    );
    const replaced = await server.scim.put(`/Groups/${created.body.id}`, {
      displayName: 'large',
      members: members.slice(0, -1),
    });
    expect((replaced.body['members'] as unknown[]).length).toBe(1);
  });
});
