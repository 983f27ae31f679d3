import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { rowBytes } from '../persistence/stored-bytes.js';
import { TenantBytes } from './tenant-bytes.js';

const interval = 10 * 60 * 1000;
/** How old a measurement may be before it is made again, in minutes. */
const fresh = 60;
/** Few enough that other statements come between, also where the database has one connection. */
const rowsAtOnce = 2_000;
/** How much longer than a statement took is waited before the next, so that measuring takes a small part of the time. */
const rest = 9;

/** What is measured: the tables with a tenant's rows, the order of their key, and the bytes of a row. */
const measured = [
  ['users', ['id'], `pg_column_size(document) + pg_column_size(folded) + ${rowBytes.resource}`],
  ['groups', ['id'], `pg_column_size(document) + pg_column_size(folded) + ${rowBytes.resource}`],
  ['group_members', ['group_id', 'member_id'], String(rowBytes.member)],
  ['audit_events', ['id'], sizes(['before', 'after', 'changes', 'members'], rowBytes.event)],
  ['request_log', ['at', 'id'], sizes(['path', 'request_body', 'response_body'], rowBytes.request)],
] as const;

function sizes(columns: readonly string[], row: number): string {
  return [...columns.map((column) => `coalesce(pg_column_size(${column}), 0)`), row].join(' + ');
}

/**
 * Measures how many bytes the rows of each tenant take, every hour and a few rows at a time: what processes count while
 * they write goes wrong by and by. Rows are measured as they are stored, which may be compressed.
 */
@Injectable()
export class ByteMeasurement implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(ByteMeasurement.name);
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly bytes: TenantBytes,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.running ??= this.measureAll()
        .catch((error: unknown) => this.logger.warn(`bytes of tenants stay unmeasured: ${(error as Error).name}`))
        .finally(() => (this.running = undefined));
    }, interval).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    this.stopping.abort();
    await this.running;
  }

  private async measureAll(): Promise<void> {
    while (!this.stopping.signal.aborted && (await this.measureNext())) await this.rest(1);
  }

  /**
   * Measures the tenant whose measurement is the oldest, unless another process has just begun to.
   * @param now what measurements are compared with, which have to be an hour old
   * @returns whether there was one
   */
  async measureNext(now = new Date()): Promise<boolean> {
    await this.bytes.flush();
    const [claimed] = await this.dataSource.query<Claim[]>(claimSql, [now, fresh]);
    if (!claimed) return false;
    let sum = 0;
    for (const [table, key, bytes] of measured) sum += await this.measure(claimed.id, table, key, bytes);
    // What was written in the meantime is counted beside; whoever has claimed the tenant since has the last word.
    if (!this.stopping.signal.aborted) await this.dataSource.query(settleSql, [claimed.id, now, sum, claimed.bytes]);
    return true;
  }

  private async measure(tenantId: string, table: string, key: readonly string[], bytes: string): Promise<number> {
    let sum = 0;
    let after: string[] | undefined;
    do {
      const started = performance.now();
      const sql = windowSql(table, key, bytes, after !== undefined);
      const [window] = await this.dataSource.query<Window[]>(sql, [tenantId, rowsAtOnce, ...(after ?? [])]);
      sum += Number(window?.bytes ?? 0);
      after = window?.last ?? undefined;
      if (after) await this.rest(performance.now() - started);
    } while (after && !this.stopping.signal.aborted);
    return sum;
  }

  /** Waits, unless the process stops. */
  private async rest(milliseconds: number): Promise<void> {
    await pause(milliseconds * rest, undefined, { ref: false, signal: this.stopping.signal }).catch(() => undefined);
  }
}

/** A tenant that is measured, and the bytes that it had when that began. */
interface Claim {
  readonly id: string;
  readonly bytes: string;
}

/** Some rows of a table: their bytes, and the key of the last, if there may be more. */
interface Window {
  readonly bytes: string | null;
  readonly last: string[] | null;
}

const claimSql = `
  WITH oldest AS (
    SELECT t.id FROM tenants t LEFT JOIN tenant_bytes b ON b.tenant_id = t.id
    WHERE b.measured_at IS NULL OR b.measured_at <= $1::timestamptz - make_interval(mins => $2)
    ORDER BY b.measured_at NULLS FIRST LIMIT 1 FOR KEY SHARE OF t
  )
  INSERT INTO tenant_bytes AS b (tenant_id, bytes, measured_at) SELECT id, 0, $1 FROM oldest
  ON CONFLICT (tenant_id) DO UPDATE SET measured_at = excluded.measured_at
    WHERE b.measured_at IS NULL OR b.measured_at < excluded.measured_at
  RETURNING tenant_id AS id, bytes`;

const settleSql = `
  UPDATE tenant_bytes SET bytes = $3::bigint + (bytes - $4::bigint) WHERE tenant_id = $1 AND measured_at = $2`;

function windowSql(table: string, key: readonly string[], bytes: string, isLater: boolean): string {
  const names = key.join(', ');
  const places = key.map((_, index) => `$${index + 3}`).join(', ');
  return `
    WITH rows AS MATERIALIZED (
      SELECT ${names}, ${bytes} AS bytes FROM ${table}
      WHERE tenant_id = $1 ${isLater ? `AND (${names}) > (${places})` : ''} ORDER BY ${names} LIMIT $2
    )
    SELECT sum(bytes) AS bytes, CASE WHEN count(*) = $2 THEN (
      SELECT ARRAY[${key.map((name) => `${name}::text`).join(', ')}] FROM rows
      ORDER BY ${key.map((name) => `${name} DESC`).join(', ')} LIMIT 1) END AS last FROM rows`;
}
