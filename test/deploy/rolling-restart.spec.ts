import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ScimClient } from '../support/client.js';
import { inconsistencies } from '../support/consistency.js';
import { scimError } from '../support/errors.js';
import { freePort } from '../support/free-port.js';
import { documented, haproxy, startHaproxy, type Balancer } from '../support/haproxy.js';
import { dropHomes, newHome, prepareHomes, queryHome, type Home } from '../support/home.js';
import { endProcesses, startProcess, stopProcess, type RollcallProcess } from '../support/process.js';
import { describeWith } from '../support/programs.js';
import { exchange, head, open, parseAnswer, readAll } from '../support/raw-http.js';
import { Progress, Writers } from '../support/writers.js';

/** How often all servers are replaced. */
const rounds = 2 * Number(process.env['FAULT_ROUNDS'] || 1);

jest.setTimeout(90_000 + rounds * 60_000);

const token = 'rolling-test-token-of-32-characters-or-more';
const ends: (() => Promise<unknown>)[] = [];

beforeAll(prepareHomes);
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await endProcesses();
});
afterAll(dropHomes);

const start = (home: Home, more: Home = {}) => startProcess({ ...home, SCIM_TOKEN: token, ...more });

describe('A connection that is kept open when SIGTERM comes', () => {
  const request = (method: string, path: string, ...lines: readonly string[]): string =>
    [`${method} ${path} HTTP/1.1`, 'Host: rollcall.test', `Authorization: Bearer ${token}`, ...lines, '', ''].join(
      '\r\n',
    );
  const terminate = async (server: RollcallProcess): Promise<void> => {
    server.signal('SIGTERM');
    await server.printed(/"msg":"stopping"/);
  };
  const startLogging = async () => start(await newHome(), { LOG_LEVEL: 'info' });

  it('with a request on its way is told with the answer that it ends, so that nobody sends another on it', async () => {
    const server = await startLogging();
    const socket = open(server.origin);
    const received = readAll(socket);
    const body = JSON.stringify({ userName: 'on-its-way' });
    const headers = [`Content-Length: ${body.length}`, 'Content-Type: application/scim+json'];
    socket.write(request('POST', '/scim/v2/Users', ...headers) + body.slice(0, 5));
    // The answer to another request says that this one has reached the server too.
    await server.scim.list('/Users');
    await terminate(server);
    socket.write(body.slice(5));
    const { status, headers: answered } = parseAnswer(await received);
    expect([status, answered['connection']]).toEqual([201, 'close']);
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });

  it('without a request serves one more, and is told with the answer that it ends', async () => {
    const server = await startLogging();
    const socket = open(server.origin);
    const received = readAll(socket);
    const first = new Promise((resolve) => void socket.once('data', resolve));
    socket.write(request('GET', '/scim/v2/Users?count=0'));
    await first;
    await terminate(server);
    socket.write(request('GET', '/scim/v2/Users?count=1'));
    const answers = (await received).split(/(?=HTTP\/1\.1 )/).map(parseAnswer);
    expect(answers.map(({ status, headers }) => [status, headers['connection']])).toEqual([
      [200, 'keep-alive'],
      [200, 'close'],
    ]);
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });

  it('is no hindrance to new ones: they are served, and /readyz says that there should be none', async () => {
    const server = await startLogging();
    await terminate(server);
    const ready = await exchange(server.origin, head('GET', '/readyz'));
    expect([ready.status, JSON.parse(ready.body)]).toEqual([503, scimError(503)]);
    const list = await exchange(server.origin, head('GET', '/scim/v2/Users', `Authorization: Bearer ${token}`));
    expect([list.status, list.headers['connection']]).toEqual([200, 'close']);
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });
});

/** A balancer as docs/high-availability.md has it, that keeps connections, and never sends a request a second time. */
const balancing = [
  ...['mode http', 'timeout connect 5s', 'timeout client 75s', 'timeout http-keep-alive 60s'],
  ...['http-reuse always', 'retries 0'],
  ...documented('backend rollcall'),
];

/** Reads until it is stopped. */
class Readers {
  private isStopped = false;
  private readonly ended: Promise<unknown>;
  /** What was not answered as expected. */
  readonly failures: string[] = [];
  count = 0;

  constructor(scim: ScimClient, paths: readonly string[]) {
    this.ended = Promise.all(paths.map((path) => this.read(scim, path)));
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.ended;
  }

  private async read(scim: ScimClient, path: string): Promise<void> {
    while (!this.isStopped) {
      const answer = await scim.list(path).catch((error: unknown) => String((error as Error).cause));
      if (typeof answer === 'string') this.failures.push(answer);
      else if (answer.status !== 200) this.failures.push(`${answer.status} ${answer.text}`);
      this.count++;
    }
  }
}

describeWith([haproxy], 'Two servers behind HAProxy, replaced one after the other under load', () => {
  it('answer every request, and every acknowledged write is there', async () => {
    const home = await newHome();
    const ports = [await freePort(), await freePort()];
    const startAt = (port = 0) => start(home, { PORT: String(port) });
    const servers = await Promise.all(ports.map(startAt));
    const balancer = await startHaproxy(balancing, ports);
    ends.push(balancer.stop);
    await bothUp(balancer);
    const scim = new ScimClient(`http://127.0.0.1:${balancer.port}/scim/v2`, token);
    const progress = new Progress();
    const writers = new Writers([scim], progress);
    const readers = new Readers(scim, ['/Users?count=50', '/Groups?count=20', '/Users?filter=userName sw "name-1"']);
    ends.push(
      () => writers.stop(),
      () => readers.stop(),
    );
    for (let round = 0; round < rounds; round++) {
      for (const [index, port] of ports.entries()) {
        await writers.acknowledged.more(60);
        expect(await stopProcess(servers[index] as RollcallProcess)).toEqual({ code: 0, signal: null });
        servers[index] = await startAt(port);
        await bothUp(balancer);
      }
    }
    await writers.acknowledged.more(60);
    await Promise.all([writers.stop(), readers.stop()]);
    expect({ refused: [...writers.refusals.values()], lost: [...writers.lost], reading: readers.failures }).toEqual({
      refused: [],
      lost: [],
      reading: [],
    });
    expect(readers.count).toBeGreaterThan(rounds * 10);
    expect(await progress.contradictions(scim)).toEqual([]);
    expect(await inconsistencies((sql) => queryHome(home, sql))).toEqual([]);
  });

  /** Whoever replaces a server waits until the balancer sends requests to the one before. */
  async function bothUp(balancer: Balancer): Promise<void> {
    for (const server of [0, 1]) await balancer.sees(server, 'UP');
  }
});
