import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parse } from 'yaml';
import { Metrics } from '../../src/ops/metrics.js';
import { UsersService } from '../../src/users/users.service.js';
import { readExposition, type Sample } from '../support/exposition.js';
import { readQuery, selects, type Selector } from '../support/promql.js';
import { startServer } from '../support/server.js';

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const dashboard = JSON.parse(readFileSync('deploy/grafana/rollcall.json', 'utf8')) as Dashboard;
const { spec } = parse(readFileSync('deploy/kubernetes/components/monitoring/prometheusrule.yaml', 'utf8')) as {
  spec: { groups: { rules: Rule[] }[] };
};
const rules = spec.groups.flatMap((group) => group.rules);
const page = readFileSync('docs/metrics.md', 'utf8');

/** Labels that Prometheus adds to what it scrapes from a pod. */
const targetLabels = ['namespace', 'pod', 'job', 'instance', 'service', 'container'];

/** What a server says after everything has happened once that there is to be seen. */
async function scrapeAfterTraffic(): Promise<Sample[]> {
  const limits = { MAX_USERS_PER_TENANT: '9', MAX_GROUPS_PER_TENANT: '9', MAX_MEGABYTES_PER_TENANT: '9' };
  const server = await startServer(limits);
  const { scim, app } = server;
  const { body } = await scim.post('/Users', { userName: 'monitoring@example.com' });
  await scim.post('/Users', { userName: 'monitoring@example.com' });
  await scim.get(`/Users/${body.id}`);
  await scim.get('/Users', { token: 'unknown' });
  const search = jest.spyOn(app.get(UsersService), 'search').mockRejectedValueOnce(new Error('a defect'));
  expect((await scim.list('/Users')).status).toBe(500);
  let leave = (): void => undefined;
  const asked = new Promise<void>((called) =>
    search.mockImplementationOnce(() => {
      called();
      return new Promise((_, reject) => (leave = () => reject(new Error('gone'))));
    }),
  );
  const client = connect(Number(new URL(server.origin).port), '127.0.0.1');
  client.write(`GET /scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${scim.token}\r\n\r\n`);
  await asked;
  client.destroy();
  await expect(server.dataSource.query('SELECT 1 / 0')).rejects.toThrow();
  const scrape = async (): Promise<Sample[]> => readExposition(await app.get(Metrics).text());
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const has = (samples: Sample[], metric: string, status?: string): boolean =>
    samples.some(({ name, labels }) => name === metric && (status === undefined || labels['status'] === status));
  for (;;) {
    const samples = await scrape();
    const isComplete =
      has(samples, 'nodejs_gc_duration_seconds_sum') &&
      has(samples, 'rollcall_tenant_stored') &&
      has(samples, 'rollcall_http_request_duration_seconds_count', 'aborted');
    if (isComplete) {
      leave();
      await server.close();
      return samples;
    }
    collectGarbage();
    await nextTurn();
  }
}

let samples: Sample[];

beforeAll(async () => {
  samples = await scrapeAfterTraffic();
});

afterAll(() => void jest.restoreAllMocks());

/** What is wrong with a query: a metric or label that there is not, or a selector that chooses nothing. */
function faults(text: string): string[] {
  const { selectors, groupedBy } = readQuery(text);
  const read = samples.filter(({ name }) => selectors.some(({ metric }) => metric === name));
  const labels = new Set([...targetLabels, ...read.flatMap((sample) => Object.keys(sample.labels))]);
  const withoutTarget = (selector: Selector): Selector => ({
    ...selector,
    matchers: selector.matchers.filter(({ label }) => !targetLabels.includes(label)),
  });
  return [
    ...(selectors.length === 0 ? ['it reads no metric'] : []),
    ...selectors
      .filter((selector) => !samples.some((sample) => selects(withoutTarget(selector), sample)))
      .map((selector) => `it selects nothing: ${JSON.stringify(selector)}`),
    ...groupedBy.filter((label) => !labels.has(label)).map((label) => `no label ${label}`),
  ];
}

/** A query as Grafana sends it. */
const sent = (text: string): string => text.replaceAll('$__rate_interval', '2m').replaceAll('$namespace', '.*');

const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })),
);

describe('the dashboard', () => {
  it.each(queries)('asks in "$title" for what there is: $expr', ({ expr, legendFormat }) => {
    expect(faults(sent(expr))).toEqual([]);
    const { groupedBy } = readQuery(sent(expr));
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
    const perSeries = groupedBy.length === 0 ? targetLabels : groupedBy;
    expect(shown.filter((label) => !perSeries.includes(label))).toEqual([]);
  });

  it('finds its namespaces by a metric that is always there', () => {
    const namespace = dashboard.templating.list.find(({ name }) => name === 'namespace');
    const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(namespace?.definition ?? '') ?? [];
    expect([samples.filter(({ name }) => name === metric).length, targetLabels.includes(label ?? '')]).toEqual([
      1,
      true,
    ]);
  });

  it('has a panel in every place, and no two in one', () => {
    const places = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(new Set(places).size).toBe(places.length);
    for (const { title, type, targets } of dashboard.panels)
      expect([title, (targets?.length ?? 0) > 0]).toEqual([title, type !== 'row']);
  });

  it('shows every metric of ours', () => {
    const shown = new Set(
      queries.flatMap(({ expr }) => readQuery(sent(expr)).selectors.map(({ metric }) => family(metric))),
    );
    const ours = samples.map(({ name }) => family(name)).filter((name) => name.startsWith('rollcall_'));
    expect([...new Set(ours)].filter((name) => !shown.has(name))).toEqual([]);
  });
});

const family = (name: string): string => name.replace(/_(?:bucket|sum|count)$/, '');

describe('the alerts', () => {
  it.each(rules)('ask for what there is: $alert', ({ expr }) => {
    expect(faults(expr)).toEqual([]);
  });

  it.each(rules)('say what is wrong, with labels that they have: $alert', ({ expr, labels, annotations, ...rule }) => {
    expect(rule.for).toMatch(/^\d+[mh]$/);
    expect(['critical', 'warning']).toContain(labels.severity);
    const { groupedBy } = readQuery(expr);
    const used = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
    expect(used.filter((label) => !groupedBy.includes(label))).toEqual([]);
    expect([annotations.summary, annotations.description].filter((text) => text.length < 20)).toEqual([]);
  });

  it('are of different names', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });
});

describe('docs/metrics.md', () => {
  it('has every metric of ours with its labels, and no other', () => {
    const documented = [...page.matchAll(/^\| `(rollcall_\w+)` +\| (.*?) +\|/gm)].map(([, name, labels = '']) => [
      name,
      [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label).sort(),
    ]);
    const labelsOf = new Map<string, Set<string>>();
    for (const { name, labels } of samples.filter((sample) => sample.name.startsWith('rollcall_'))) {
      const known = labelsOf.get(family(name)) ?? new Set();
      for (const label of Object.keys(labels).filter((each) => each !== 'le')) known.add(label);
      labelsOf.set(family(name), known);
    }
    const there = [...labelsOf].map(([name, labels]) => [name, [...labels].sort()]);
    expect(documented.sort()).toEqual(there.sort());
  });
});

describe('the checks themselves', () => {
  it.each([
    ['rate(rollcall_http_requests[5m])', 'it selects nothing'],
    ['rollcall_build_info{release="1"}', 'it selects nothing'],
    ['rollcall_scim_errors_total{status="999"}', 'it selects nothing'],
    ['sum by (colour) (rollcall_build_info)', 'no label colour'],
    ['1 + 1', 'it reads no metric'],
  ])('see what is wrong with %s', (text, fault) => {
    expect(faults(text)).toEqual([expect.stringContaining(fault)]);
  });

  it.each(['sum(', 'rate(x[5m)', 'x{a=b}', 'sum by x'])('see that this is no PromQL: %s', (text) => {
    expect(() => readQuery(text)).toThrow('not PromQL');
  });
});
