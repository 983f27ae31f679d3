import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { DataSource } from 'typeorm';
import type { QuotaScope } from '../limits/quota.js';
import { Statements } from '../persistence/statements.js';

const interval = 1_000;
const knownTenants = 10_000;

/** What is known of a tenant's bytes. */
interface Known {
  /** As the database had it; undefined before it was asked. */
  stored: number | undefined;
  /** When it was asked, in milliseconds of the process. */
  askedAt: number;
}

/**
 * How many bytes tenants' rows take, about. Each process counts what it writes and adds it to the database once a second,
 * so a process knows what others wrote a second or two later.
 */
@Injectable()
export class TenantBytes implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(TenantBytes.name);
  private readonly known = new LRUCache<string, Known>({ max: knownTenants });
  /** Bytes that were written here and are not in the database yet. */
  private pending = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;

  constructor(
    private readonly dataSource: DataSource,
    private readonly statements: Statements,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.flush(), interval).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  /** Counts bytes that came, or went where they are negative. */
  add(tenantId: string, bytes: number): void {
    this.pending.set(tenantId, (this.pending.get(tenantId) ?? 0) + bytes);
  }

  /** The bytes that a tenant has, about. Asks the database where it has not done so for a second. */
  async of(scope: QuotaScope): Promise<number> {
    const { id } = scope.tenant;
    let known = this.known.get(id);
    if (!known) this.known.set(id, (known = { stored: undefined, askedAt: 0 }));
    if (known.stored === undefined || performance.now() - known.askedAt > interval) {
      const sql = 'SELECT bytes FROM tenant_bytes WHERE tenant_id = $1';
      const [row] = await this.statements.lookUp<{ bytes: string }>(scope, sql, [id]);
      this.learn(id, Number(row?.bytes ?? 0));
    }
    return (this.known.get(id)?.stored ?? 0) + (this.pending.get(id) ?? 0);
  }

  /** Adds what was counted to the database. It never fails: what cannot be written stays for the next time. */
  flush(): Promise<void> {
    return (this.running ??= this.write().finally(() => (this.running = undefined)));
  }

  private async write(): Promise<void> {
    if (this.pending.size === 0) return;
    const written = new Map(this.pending);
    try {
      const rows = await this.dataSource.query<{ id: string; bytes: string }[]>(addSql, [
        [...written.keys()],
        [...written.values()],
      ]);
      for (const { id, bytes } of rows) this.learn(id, Number(bytes));
      for (const [id, bytes] of written) this.settle(id, bytes);
    } catch (error) {
      this.logger.warn(`bytes of tenants stay uncounted: ${(error as Error).name}`);
    }
  }

  private settle(id: string, bytes: number): void {
    const left = (this.pending.get(id) ?? 0) - bytes;
    if (left === 0) this.pending.delete(id);
    else this.pending.set(id, left);
  }

  private learn(id: string, stored: number): void {
    this.known.set(id, { stored, askedAt: performance.now() });
  }
}

// In the order of ids, so that two processes do not wait for each other. Tenants that are gone are passed over.
const addSql = `
  WITH given AS (SELECT * FROM unnest($1::uuid[], $2::bigint[]) AS g (tenant_id, bytes)),
  there AS (SELECT id FROM tenants WHERE id IN (SELECT tenant_id FROM given) FOR KEY SHARE)
  INSERT INTO tenant_bytes AS b (tenant_id, bytes)
    SELECT g.tenant_id, g.bytes FROM given g JOIN there t ON t.id = g.tenant_id ORDER BY g.tenant_id
  ON CONFLICT (tenant_id) DO UPDATE SET bytes = b.bytes + excluded.bytes
  RETURNING tenant_id AS id, greatest(bytes, 0) AS bytes`;
