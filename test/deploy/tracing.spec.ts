import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { dropHomes, newDirectory, newHome, prepareHomes, type Home } from '../support/home.js';
import { startCollector, type Collector, type Span } from '../support/otlp.js';
import { endProcesses, startProcess, stopProcess, type RollcallProcess } from '../support/process.js';

jest.setTimeout(120_000);

const server = 2; // SpanKind
const failed = 2; // StatusCode

let home: Home;
let collector: Collector;

beforeAll(prepareHomes);

beforeEach(async () => {
  collector = await startCollector();
  home = await newHome();
});

afterEach(async () => {
  await endProcesses();
  await collector.close();
  await dropHomes();
});

const start = (environment: Record<string, string> = {}): Promise<RollcallProcess> =>
  startProcess({
    ...home,
    SCIM_TOKEN: 'tracing-test-token-of-32-characters-or-more',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    ...environment,
  });

/** What is received of a process by the time it has ended. */
async function traced(started: RollcallProcess, work: () => Promise<unknown>): Promise<readonly Span[]> {
  await work();
  expect(await stopProcess(started)).toEqual({ code: 0, signal: null });
  return collector.spans();
}

const requestsOf = (spans: readonly Span[]): Span[] => spans.filter(({ kind }) => kind === server);

describe('traces', () => {
  it('have a span for each request by its route, and in it one for each statement', async () => {
    const rollcall = await start();
    const spans = await traced(rollcall, async () => {
      const { body } = await rollcall.scim.post('/Users', { userName: 'traced@example.com' });
      await rollcall.scim.get(`/Users/${body.id}`, { headers: { 'X-Request-Id': 'read-it' } });
    });
    const [created, read] = requestsOf(spans);
    expect([created?.name, read?.name]).toEqual(['POST /scim/v2/Users', 'GET /scim/v2/Users/:id']);
    expect(read?.attributes).toEqual(
      expect.objectContaining({
        'http.request.method': 'GET',
        'http.route': '/scim/v2/Users/:id',
        'http.response.status_code': 200,
        'rollcall.request_id': 'read-it',
        'rollcall.tenant': 'default',
      }),
    );
    const statements = spans.filter(({ parentSpanId }) => parentSpanId === created?.spanId);
    expect(statements.length).toBeGreaterThan(0);
    expect(new Set(statements.map(({ traceId }) => traceId))).toEqual(new Set([created?.traceId]));
    const texts = statements.map(({ attributes }) => String(attributes['db.query.text']));
    expect(texts).toEqual(expect.arrayContaining([expect.stringMatching(/INSERT INTO "?users\b/)]));
    expect(spans.filter(({ kind, parentSpanId }) => kind !== server && !parentSpanId)).toEqual([]);
  });

  it('go on with the trace of whoever asks (W3C Trace Context)', async () => {
    const rollcall = await start();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const spans = await traced(rollcall, () => rollcall.scim.list('/Users', { headers: { traceparent } }));
    const [request] = requestsOf(spans);
    expect(Buffer.from(request?.traceId ?? '', 'base64').toString('hex')).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(Buffer.from(request?.parentSpanId ?? '', 'base64').toString('hex')).toBe('b7ad6b7169203331');
  });

  it('hold no personal data: no query, path, address, client or value of a statement (RFC 7644 section 7.5)', async () => {
    const rollcall = await start();
    const person = { userName: 'grace.hopper@navy.example', password: 'Nanoseconds-11.8-inches' };
    const headers = { 'User-Agent': 'graces-browser', 'X-Forwarded-For': '203.0.113.7' };
    const spans = await traced(rollcall, async () => {
      const { body } = await rollcall.scim.post('/Users', person, { headers });
      // Without a password, which would have the name looked up first: this is refused by the database.
      const { userName } = person;
      expect((await rollcall.scim.post('/Users', { userName }, { headers })).status).toBe(409);
      const filter = encodeURIComponent('userName eq "grace.hopper@navy.example"');
      await rollcall.scim.list(`/Users?filter=${filter}`, { headers });
      await rollcall.scim.list(`/Users?filter=${encodeURIComponent('name.familyName co "hopper"')}`, { headers });
      await rollcall.scim.get('/Users/grace.hopper', { headers });
      await rollcall.scim.get(`${rollcall.origin}/grace/hopper`, { headers });
      await rollcall.scim.operations(`/Users/${body.id}`, [{ op: 'add', path: 'nickName', value: 'Hopper' }], {
        headers,
      });
    });
    expect(requestsOf(spans)).toHaveLength(7);
    const bytes = collector.bytes().toString('latin1');
    expect(bytes.match(/grace|hopper|navy|nanoseconds|203\.0\.113|127\.0\.0\.1|scrypt|tracing-test/gi)).toBeNull();
    const refused = spans.filter(({ status }) => status?.code === failed);
    expect(refused.map(({ attributes }) => attributes['db.query.text'])).toEqual([
      expect.stringMatching(/INSERT INTO "?users\b/),
    ]);
    expect(refused.map(({ status }) => status)).toEqual([{ code: failed }]);
  });

  it('are not made of probes', async () => {
    const rollcall = await start();
    const spans = await traced(rollcall, async () => {
      for (const path of ['/livez', '/readyz', '/readyz?verbose', '/metrics'])
        await rollcall.scim.get(rollcall.origin + path, { token: null });
      await rollcall.scim.list('/Users');
    });
    expect(requestsOf(spans).map(({ name }) => name)).toEqual(['GET /scim/v2/Users']);
  });

  it('take their resource and sampling from OpenTelemetry’s own variables', async () => {
    const rollcall = await start({
      OTEL_SERVICE_NAME: 'directory',
      OTEL_RESOURCE_ATTRIBUTES: 'k8s.pod.name=rollcall-0,deployment.environment.name=test',
    });
    const [span] = await traced(rollcall, () => rollcall.scim.list('/Users'));
    expect(span?.resource).toEqual(
      expect.objectContaining({
        'service.name': 'directory',
        'service.version': expect.stringMatching(/^\d+\./),
        'k8s.pod.name': 'rollcall-0',
        'deployment.environment.name': 'test',
      }),
    );
    const silent = await start({ OTEL_TRACES_SAMPLER: 'always_off' });
    const before = collector.spans().length;
    expect(await traced(silent, () => silent.scim.list('/Users'))).toHaveLength(before);
  });

  it('do not keep the process, nor fail a request, when nobody takes them', async () => {
    const connections: Socket[] = [];
    const deaf = createServer((connection) => void connections.push(connection));
    await new Promise<void>((listening) => void deaf.listen(0, '127.0.0.1', listening));
    const { port } = deaf.address() as AddressInfo;
    const rollcall = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });
    expect((await rollcall.scim.list('/Users')).status).toBe(200);
    expect(await stopProcess(rollcall)).toEqual({ code: 0, signal: null });
    expect(connections).not.toEqual([]);
    for (const connection of connections) connection.destroy();
    deaf.close();
  });
});

describe('without an endpoint', () => {
  /** The packages of OpenTelemetry that a process has loaded by its end. */
  async function loaded(environment: Record<string, string>): Promise<string[]> {
    const directory = await newDirectory();
    const [preload, list] = [join(directory, 'preload.cjs'), join(directory, 'list.json')];
    await writeFile(
      preload,
      `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(list)},
        JSON.stringify(Object.keys(require('node:module')._cache))));`,
    );
    const rollcall = await start({ NODE_OPTIONS: `--require ${preload}`, ...environment });
    await rollcall.scim.list('/Users');
    expect(await stopProcess(rollcall)).toEqual({ code: 0, signal: null });
    const files = JSON.parse(await readFile(list, 'utf8')) as string[];
    return [...new Set(files.map((file) => /node_modules\/(@opentelemetry\/[^/]+)/.exec(file)?.[1] ?? ''))].filter(
      Boolean,
    );
  }

  it('nothing is sent, and nothing of OpenTelemetry is loaded but the interface that prom-client asks for', async () => {
    expect(await loaded({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toEqual(['@opentelemetry/api']);
    expect(collector.spans()).toEqual([]);
  });

  it('which is seen, for with one more is loaded', async () => {
    expect(await loaded({})).toEqual(
      expect.arrayContaining(['@opentelemetry/sdk-trace-node', '@opentelemetry/instrumentation-pg']),
    );
  });
});
