import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { Counter, Gauge, Registry } from 'prom-client';
import { Pools } from '../persistence/pools.js';
import { Transaction } from '../persistence/transaction.js';
import { Durations, type DurationSeries } from './metrics-durations.js';

const queryBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 20];

/** What statements do; whatever else is "other". */
const operations = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'START', 'BEGIN', 'COMMIT', 'ROLLBACK'] as const;
const firstWord = /^\s*([a-z]+)/i;
const writeInside = /\b(?:(INSERT) INTO|(DELETE) FROM|(UPDATE) "?\w+"?(?: (?:AS )?\w+)? SET)\b/;

// Failures of one transaction because of another: it is tried again. Shown from the start, so that their rate is known.
const conflictStates = ['40001', '40P01'];
const sqlState = /^[0-9A-Z]{5}$/;
const mostPrepared = 1_000;

type Query = (...args: unknown[]) => unknown;
type Callback = (error: unknown, ...rest: unknown[]) => unknown;

/** Watches the database from the pools' side: their connections, and how long statements take on them. */
@Injectable()
export class DatabaseMetrics {
  private readonly series = new Map<string, DurationSeries>();
  /** Of statements that are prepared, by name: they are many, and their texts long. */
  private readonly prepared = new Map<string, DurationSeries>();
  private readonly other: DurationSeries;
  private readonly errors: Counter<'sqlstate'>;
  private readonly watched = new WeakSet<pg.PoolClient>();

  constructor(registry: Registry, { conflicts }: Transaction, { byName: pools }: Pools) {
    const duration = new Durations(
      registry,
      'rollcall_database_query_duration_seconds',
      'How long statements took, by what they do, from being handed to a connection to their result.',
      queryBuckets,
    );
    for (const operation of operations) this.series.set(operation, duration.series({ operation }));
    this.other = duration.series({ operation: 'other' });
    this.errors = new Counter({
      name: 'rollcall_database_errors_total',
      help: 'Statements that failed, by SQLSTATE; "none" is a connection that broke. 40001 and 40P01 are tried again.',
      labelNames: ['sqlstate'],
      registers: [registry],
    });
    for (const sqlstate of conflictStates) this.errors.inc({ sqlstate }, 0);
    watchConflicts(conflicts, registry);
    watchPools(pools, registry);
    // Of each connection when it is first lent, for some were opened before this.
    for (const pool of Object.values(pools)) pool.on('acquire', (client) => this.watch(client));
  }

  private watch(client: pg.PoolClient): void {
    if (this.watched.has(client)) return;
    this.watched.add(client);
    const query = client.query.bind(client) as Query;
    client.query = ((...args: unknown[]) => this.timed(query, args)) as typeof client.query;
  }

  /** Runs a statement, given with a callback or answered with a promise; anything else, such as a cursor, is not timed. */
  private timed(query: Query, args: unknown[]): unknown {
    const started = performance.now();
    const finished = (error: unknown): void => {
      this.seriesOf(args[0]).observe((performance.now() - started) / 1000);
      if (error) this.errors.inc({ sqlstate: sqlStateOf(error) });
    };
    const last = args.length - 1;
    const callback = args[last];
    if (typeof callback === 'function') {
      args[last] = ((error, ...rest) => {
        finished(error);
        return (callback as Callback)(error, ...rest);
      }) satisfies Callback;
      return query(...args);
    }
    const result = query(...args);
    if (result instanceof Promise) result.then(() => finished(undefined), finished);
    return result;
  }

  private seriesOf(query: unknown): DurationSeries {
    if (typeof query === 'string') return this.series.get(operationOf(query)) ?? this.other;
    const { name, text } = query as { name?: unknown; text?: unknown };
    const known = typeof name === 'string' ? this.prepared.get(name) : undefined;
    if (known || typeof text !== 'string') return known ?? this.other;
    const series = this.series.get(operationOf(text)) ?? this.other;
    if (typeof name === 'string' && this.prepared.size < mostPrepared) this.prepared.set(name, series);
    return series;
  }
}

/** What a statement does: what it begins with, or what is written inside where that is WITH. */
function operationOf(text: string): string {
  const word = firstWord.exec(text)?.[1]?.toUpperCase() ?? '';
  if (word !== 'WITH') return word;
  const [, insert, remove, update] = writeInside.exec(text) ?? [];
  return insert ?? remove ?? update ?? 'SELECT';
}

/** Shows the pools' connections and who waits for one. */
function watchPools(pools: Pools['byName'], registry: Registry): void {
  const registers = [registry];
  const each = Object.entries(pools);
  new Gauge({
    name: 'rollcall_database_connections',
    help: 'Connections that are open, by what they are for and state.',
    labelNames: ['pool', 'state'] as const,
    registers,
    collect() {
      for (const [pool, { totalCount, idleCount }] of each) {
        this.set({ pool, state: 'active' }, totalCount - idleCount);
        this.set({ pool, state: 'idle' }, idleCount);
      }
    },
  });
  new Gauge({
    name: 'rollcall_database_connections_max',
    help: 'The most connections that may be open, by what they are for.',
    labelNames: ['pool'] as const,
    registers,
    collect() {
      for (const [pool, { options }] of each) this.set({ pool }, options.max);
    },
  });
  new Gauge({
    name: 'rollcall_database_waiting',
    help: 'How many wait for a connection now, by what it is for.',
    labelNames: ['pool'] as const,
    registers,
    collect() {
      for (const [pool, { waitingCount }] of each) this.set({ pool }, waitingCount);
    },
  });
}

/** Shows what became of transactions that others got in the way of. */
function watchConflicts(conflicts: Readonly<Transaction['conflicts']>, registry: Registry): void {
  const counter = (name: string, help: string, count: () => number): Counter =>
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(count());
      },
    });
  counter(
    'rollcall_transaction_retries_total',
    'How often a transaction was tried once more, because another got in its way.',
    () => conflicts.retries,
  );
  counter(
    'rollcall_transaction_failures_total',
    'Transactions that were given up after the last try: their requests were answered 503.',
    () => conflicts.givenUp,
  );
}

function sqlStateOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  // Names of system errors, such as EPIPE, look alike; SQLSTATE has a digit among its characters.
  return typeof code === 'string' && sqlState.test(code) && /\d/.test(code) ? code : 'none';
}
