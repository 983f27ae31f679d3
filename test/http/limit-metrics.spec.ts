import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { BytesInFlight } from '../../src/limits/bytes-in-flight.js';
import { Metrics } from '../../src/ops/metrics.js';
import { StoredAmounts } from '../../src/tenants/stored-amounts.js';
import { TenantBytes } from '../../src/tenants/tenant-bytes.js';
import { readExposition, total, withLabels, type Sample } from '../support/exposition.js';
import { startServer, type TestServer } from '../support/server.js';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

afterEach(() => void jest.restoreAllMocks());
afterAll(() => server.close());

const scrape = async (): Promise<Sample[]> => readExposition(await server.app.get(Metrics).text());

describe('what tenants keep', () => {
  it('is shown beside how much they may, of as many as have labels', async () => {
    const limited = await startServer({ METRICS_TENANTS: '2', MAX_USERS_PER_TENANT: '1' });
    const own = async (): Promise<Sample[]> => readExposition(await limited.app.get(Metrics).text());
    const scim = await limited.addTenant('second', { maxGroups: 5 });
    await limited.addTenant('third');
    await scim.post('/Users', { userName: 'one' });
    expect(total(await own(), 'rollcall_refusals_total', { limit: 'users' })).toBe(0);
    expect((await scim.post('/Users', { userName: 'two' })).status).toBe(403);
    await limited.app.get(TenantBytes).flush();
    await limited.app.get(StoredAmounts).refresh();
    const samples = await own();
    const of = (name: string, kind: string) => total(samples, name, { tenant: 'second', kind });
    expect(['users', 'groups'].map((kind) => of('rollcall_tenant_stored', kind))).toEqual([1, 0]);
    expect(of('rollcall_tenant_stored', 'bytes')).toBeGreaterThan(500);
    const most = withLabels(samples, 'rollcall_tenant_stored_max', { tenant: 'second' });
    expect(most.map(({ labels, value }) => [labels['kind'], value])).toEqual([
      ['users', 1],
      ['groups', 5],
    ]);
    const tenants = withLabels(samples, 'rollcall_tenant_stored', { kind: 'users' });
    expect(tenants.map(({ labels }) => labels['tenant']).sort()).toEqual(['default', 'second']);
    expect(total(samples, 'rollcall_refusals_total', { limit: 'users' })).toBe(1);
    await limited.close();
  });

  it('stays as it was read last while the database is away', async () => {
    const amounts = server.app.get(StoredAmounts);
    await amounts.refresh();
    const before = withLabels(await scrape(), 'rollcall_tenant_stored', {});
    jest.spyOn(server.dataSource, 'query').mockRejectedValue(new Error('away'));
    await expect(amounts.refresh()).rejects.toThrow('away');
    expect(withLabels(await scrape(), 'rollcall_tenant_stored', {})).toEqual(before);
  });
});

describe('bytes in flight', () => {
  it('are shown beside how many there may be, and what was refused', async () => {
    const bytes = server.app.get(BytesInFlight);
    const held = bytes.hold('somebody', 1_000);
    expect(() => held.resize(bytes.limit * 2)).not.toThrow();
    expect(total(await scrape(), 'rollcall_bytes_in_flight')).toBe(bytes.limit * 2);
    expect(() => bytes.hold('another', 1_000_000)).toThrow();
    held.release();
    const samples = await scrape();
    expect(total(samples, 'rollcall_bytes_in_flight')).toBe(0);
    expect(total(samples, 'rollcall_bytes_in_flight_max')).toBe(bytes.limit);
    expect(total(samples, 'rollcall_refusals_total', { limit: 'bytes_in_flight_of_process' })).toBe(1);
  });
});

describe('the metrics', () => {
  it('shows any number of any of its parts, as a gauge or a counter', async () => {
    const metrics = server.app.get(Metrics);
    const read = () => [{ labels: { part: 'one' }, value: 7 }];
    metrics.watch({ name: 'rollcall_example', help: 'An example.', labels: ['part'], read });
    metrics.watch({ name: 'rollcall_example_total', help: 'An example.', labels: ['part'], read });
    metrics.watchGate('example', () => ({ running: 1, waiting: 2 }));
    metrics.watchRefusals(() => ({ example: 5 }));
    const samples = [await scrape(), await scrape()].at(-1) as Sample[];
    const shown = ['example', 'example_total'].map((name) => total(samples, `rollcall_${name}`, { part: 'one' }));
    expect(shown).toEqual([7, 7]);
    const ofGate = ['running', 'waiting'].map((what) => total(samples, `rollcall_gate_${what}`, { gate: 'example' }));
    expect([...ofGate, total(samples, 'rollcall_refusals_total', { limit: 'example' })]).toEqual([1, 2, 5]);
  });
});
