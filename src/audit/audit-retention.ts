import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Config } from '../config.js';
import { installation } from '../persistence/audit-event.js';
import { PeriodicRemoval } from '../persistence/periodic-removal.js';

const hour = 60 * 60 * 1000;
// Any constant: all processes on one database must agree on it.
const retentionLock = 7_264_319;

/** Removes events that were kept for as long as the tenant or the server says, every hour. */
@Injectable()
export class AuditRetention implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly removal: PeriodicRemoval;

  constructor(dataSource: DataSource, { auditRetentionDays }: Config) {
    this.removal = new PeriodicRemoval(dataSource, {
      name: 'old audit events',
      lock: retentionLock,
      interval: hour,
      batch: (now, most) => ({ sql: removeSql, values: [now, auditRetentionDays, most, installation] }),
    });
  }

  onApplicationBootstrap(): void {
    this.removal.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.removal.stop();
  }

  /** Removes what is too old now. @returns how many events went */
  remove(now = new Date()): Promise<number> {
    return this.removal.run(now);
  }
}

// A tenant without a setting follows the server, and 0 days keep events without end. Each tenant is one look into the index.
const removeSql = `
  WITH kept AS (
    SELECT id, coalesce((settings ->> 'auditRetentionDays')::integer, $2) AS days FROM tenants
    UNION ALL SELECT $4::uuid, $2
  ), removed AS (
    DELETE FROM audit_events WHERE ctid = ANY (ARRAY(
      SELECT e.ctid FROM kept k CROSS JOIN LATERAL (
        SELECT ctid FROM audit_events
        WHERE tenant_id = k.id AND at < $1::timestamptz - make_interval(days => k.days)
        ORDER BY at, id LIMIT $3
      ) e WHERE k.days > 0 LIMIT $3))
    RETURNING 1
  )
  SELECT count(*)::integer AS n FROM removed`;
