import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Config } from '../config.js';
import { Quotas, type QuotaKind } from './quotas.js';
import { tenantRecord } from './tenant.js';
import type { TenantEntity } from './tenant.entity.js';

/** How old amounts may be that are shown, in milliseconds. */
const fresh = 15_000;

/** How much of something a tenant has, and may have. */
export interface StoredAmount {
  readonly tenant: string;
  readonly kind: QuotaKind;
  readonly value: number;
  /** Undefined where there is no limit. */
  readonly most: number | undefined;
}

/** How much tenants have, for those who watch: of the METRICS_TENANTS oldest tenants. */
@Injectable()
export class StoredAmounts {
  private readonly logger = new Logger(StoredAmounts.name);
  private known: readonly StoredAmount[] = [];
  private readAt = -Infinity;

  constructor(
    private readonly dataSource: DataSource,
    private readonly quotas: Quotas,
    private readonly config: Config,
  ) {}

  /** What was read last. Where that is not fresh, it is read again for whoever asks next: nobody waits for the database. */
  get amounts(): readonly StoredAmount[] {
    if (performance.now() - this.readAt > fresh) {
      this.refresh().catch((error: unknown) => this.logger.warn(`tenants not counted: ${(error as Error).name}`));
    }
    return this.known;
  }

  /** Reads how much there is now. */
  async refresh(): Promise<void> {
    this.readAt = performance.now();
    if (this.config.metricsTenants === 0) return;
    const rows = await this.dataSource.query<Row[]>(amountsSql, [this.config.metricsTenants]);
    this.known = rows.flatMap(({ users, groups, bytes, ...tenant }) => {
      const most = this.quotas.most(tenantRecord(tenant));
      const there: Record<QuotaKind, string> = { users, groups, bytes };
      const kinds = Object.keys(there) as QuotaKind[];
      return kinds.map((kind) => ({ tenant: tenant.name, kind, value: Number(there[kind]), most: most[kind] }));
    });
  }
}

type Row = TenantEntity & Readonly<Record<QuotaKind, string>>;

const amountsSql = `
  SELECT t.id, t.name, t.state, t.profile, t.settings, resources_of_tenant(t.id, 'User') AS users,
    resources_of_tenant(t.id, 'Group') AS groups, greatest(coalesce(b.bytes, 0), 0) AS bytes
  FROM tenants t LEFT JOIN tenant_bytes b ON b.tenant_id = t.id ORDER BY t.created_at, t.id LIMIT $1`;
