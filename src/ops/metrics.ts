import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { version } from './version.js';

/** What a cache has answered since the start. */
export interface CacheUse {
  readonly hits: number;
  readonly misses: number;
}

/** What a gate lets through a few at a time: how many are through now, and how many wait before it. */
export interface GateUse {
  readonly running: number;
  readonly waiting: number;
}

/** A value of a metric, for one set of labels. */
export interface Measured {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric whose values are asked for at each scrape. */
export interface WatchedMetric {
  /** As Prometheus has it, `rollcall_` before it; a counter's ends with `_total`, and its values only grow. */
  readonly name: string;
  readonly help: string;
  /** The names of its labels. Each must have a bound. */
  readonly labels?: readonly string[];
  readonly read: () => readonly Measured[];
}

/** What is measured of the process itself, whichever applications run in it; made when first asked for. */
let ofProcess: Registry | undefined;

function processMetrics(): Registry {
  if (!ofProcess) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}

/** Everything that is measured, as Prometheus reads it. */
@Injectable()
export class Metrics {
  /** The media type of `text()`. */
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  private readonly caches = new Map<string, () => CacheUse>();
  private readonly gates = new Map<string, () => GateUse>();
  private readonly refusals: (() => Readonly<Record<string, number>>)[] = [];

  constructor(private readonly registry: Registry) {
    new Gauge({
      name: 'rollcall_build_info',
      help: 'Always 1; the labels say what runs.',
      labelNames: ['version', 'node_version'] as const,
      registers: [registry],
    }).set({ version: version(), node_version: process.version }, 1);
    this.watchRegistered();
  }

  /** What parts of the application register by a name of their own. */
  private watchRegistered(): void {
    this.watch({
      name: 'rollcall_cache_requests_total',
      help: 'Look-ups in the caches of this process, by cache and result.',
      labels: ['cache', 'result'],
      read: () => [...this.caches].flatMap(([cache, use]) => ofCache(cache, use())),
    });
    const ofGates = (what: keyof GateUse) => (): Measured[] =>
      [...this.gates].map(([gate, use]) => ({ labels: { gate }, value: use()[what] }));
    this.watch({
      name: 'rollcall_gate_running',
      help: 'What is through a gate now that lets a few at a time through.',
      labels: ['gate'],
      read: ofGates('running'),
    });
    this.watch({
      name: 'rollcall_gate_waiting',
      help: 'What waits before a gate now.',
      labels: ['gate'],
      read: ofGates('waiting'),
    });
    const ofLimits = (counts: () => Readonly<Record<string, number>>): Measured[] =>
      Object.entries(counts()).map(([limit, value]) => ({ labels: { limit }, value }));
    this.watch({
      name: 'rollcall_refusals_total',
      help: 'Requests that were refused because of a limit, by limit.',
      labels: ['limit'],
      read: () => this.refusals.flatMap(ofLimits),
    });
  }

  /** Shows a metric: a counter where its name ends with `_total`, else a gauge. */
  watch({ name, help, labels = [], read }: WatchedMetric): void {
    const common = { name, help, labelNames: [...labels], registers: [this.registry] };
    if (name.endsWith('_total')) {
      new Counter({
        ...common,
        collect() {
          this.reset();
          for (const measured of read()) this.inc({ ...measured.labels }, measured.value);
        },
      });
      return;
    }
    new Gauge({
      ...common,
      collect() {
        this.reset();
        for (const measured of read()) this.set({ ...measured.labels }, measured.value);
      },
    });
  }

  /**
   * Shows how a cache is used.
   * @param use is asked at each scrape; its numbers only grow
   */
  watchCache(name: string, use: () => CacheUse): void {
    this.caches.set(name, use);
  }

  /** Shows how many are through a gate and how many wait before it. @param use is asked at each scrape */
  watchGate(name: string, use: () => GateUse): void {
    this.gates.set(name, use);
  }

  /** Shows how many requests limits refused. @param counts by limit, asked at each scrape; they only grow */
  watchRefusals(counts: () => Readonly<Record<string, number>>): void {
    this.refusals.push(counts);
  }

  /** The exposition (text format 0.0.4). */
  async text(): Promise<string> {
    const [own, ofTheProcess] = await Promise.all([this.registry.metrics(), processMetrics().metrics()]);
    return `${own}\n${ofTheProcess}`;
  }
}

const ofCache = (cache: string, { hits, misses }: CacheUse): Measured[] => [
  { labels: { cache, result: 'hit' }, value: hits },
  { labels: { cache, result: 'miss' }, value: misses },
];
