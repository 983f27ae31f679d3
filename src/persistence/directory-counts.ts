import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { literal } from './filter-sql/columns.js';

const interval = 5_000;
/** A range is divided when it has more resources than this, into ranges of half as many. */
const largestRange = 4_000;
// Any constant: all processes on one database must agree on it.
const countsLock = 7_264_318;

/** How many changes are moved in one transaction: after an import by other means there may be millions. */
const changesAtOnce = 5_000;

/** After how many changes the room they had is given back. */
const vacuumedAfter = 500;

const tables: Readonly<Record<string, string>> = { User: 'users', Group: 'groups' };
const firstOfAll = '00000000-0000-0000-0000-000000000000';
// No version of UUIDs has greater ones (RFC 9562).
const lastOfAll = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** A range of ids, and how many resources are in it. */
interface Range {
  readonly tenant_id: string;
  readonly resource_type: string;
  readonly first_id: string;
  readonly n: number;
}

/** Moves what came and went into `resource_counts`, every few seconds, in one process at a time. */
@Injectable()
export class DirectoryCounts implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(DirectoryCounts.name);
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private isStopping = false;

  constructor(private readonly dataSource: DataSource) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.running ??= this.settle()
        .catch((error: unknown) => this.logger.warn(`counts stay unsettled: ${(error as Error).name}`))
        .finally(() => (this.running = undefined));
    }, interval).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    this.isStopping = true;
    await this.running;
  }

  /** Moves all changes that are committed into their ranges, and divides ranges that have grown large. */
  async settle(): Promise<void> {
    const [pending] = await this.dataSource.query<unknown[]>('SELECT 1 FROM resource_count_changes LIMIT 1');
    if (!pending) return;
    let settled = 0;
    for (let isDone = false; !isDone;) {
      const moved = await this.settleSome();
      settled += moved;
      // The next start goes on where this process ends.
      isDone = moved < changesAtOnce || this.isStopping;
    }
    // Every total reads past the rows that were taken away until they are removed, and autovacuum may be a minute away.
    if (settled >= vacuumedAfter) await this.dataSource.query('VACUUM resource_count_changes');
  }

  /** @returns how many changes it moved */
  private settleSome(): Promise<number> {
    return this.dataSource.transaction(async (manager) => {
      const [{ free } = { free: false }] = await manager.query<{ free: boolean }[]>(
        'SELECT pg_try_advisory_xact_lock($1) AS free',
        [countsLock],
      );
      if (!free) return 0;
      const [settled] = await manager.query<Settled[]>(settleSql, [firstOfAll, changesAtOnce]);
      for (const range of settled?.ranges ?? []) if (range.n > largestRange) await divide(manager, range);
      return settled?.changes ?? 0;
    });
  }
}

/** How many changes were moved, and the ranges that they were moved to. */
interface Settled {
  readonly changes: number;
  readonly ranges: readonly Range[] | null;
}

// Changes of tenants that are gone are dropped.
const settleSql = `
  WITH settled AS (
    DELETE FROM resource_count_changes WHERE ctid = ANY (ARRAY(SELECT ctid FROM resource_count_changes LIMIT $2))
    RETURNING tenant_id, resource_type, resource_id, n
  ), placed AS (
    SELECT s.tenant_id, s.resource_type, s.n, coalesce((
      SELECT c.first_id FROM resource_counts c
      WHERE c.tenant_id = s.tenant_id AND c.resource_type = s.resource_type AND c.first_id <= s.resource_id
      ORDER BY c.first_id DESC LIMIT 1), $1::uuid) AS first_id
    FROM settled s
  ), ranges AS (
    INSERT INTO resource_counts AS c (tenant_id, resource_type, first_id, n)
      SELECT p.tenant_id, p.resource_type, p.first_id, sum(p.n) FROM placed p JOIN tenants t ON t.id = p.tenant_id
      GROUP BY p.tenant_id, p.resource_type, p.first_id
    ON CONFLICT (tenant_id, resource_type, first_id) DO UPDATE SET n = c.n + excluded.n
    RETURNING tenant_id, resource_type, first_id, n
  )
  SELECT (SELECT count(*) FROM settled)::integer AS changes, (SELECT json_agg(r) FROM ranges r) AS ranges`;

/**
 * Divides a range. One statement, one snapshot: the resources in each new range, less the changes that are not settled
 * yet, are what the range has to say.
 */
async function divide(manager: EntityManager, { tenant_id, resource_type, first_id }: Range): Promise<void> {
  const table = tables[resource_type];
  if (table === undefined) return;
  const type = literal(resource_type);
  await manager.query(
    `WITH bounds AS (
       SELECT coalesce((SELECT c.first_id FROM resource_counts c
         WHERE c.tenant_id = $1 AND c.resource_type = ${type} AND c.first_id > $2
         ORDER BY c.first_id LIMIT 1), $4::uuid) AS next_id
     ), numbered AS (
       SELECT r.id, (row_number() OVER (ORDER BY r.id) - 1) / $3 AS part FROM ${table} r
       WHERE r.tenant_id = $1 AND r.id >= $2 AND r.id < (SELECT next_id FROM bounds)
     ), parts AS (
       SELECT CASE WHEN part = 0 THEN $2::uuid ELSE (array_agg(id ORDER BY id))[1] END AS first_id, count(*) AS n
       FROM numbered GROUP BY part
     ), ranges AS (
       SELECT first_id, n, lead(first_id, 1, (SELECT next_id FROM bounds)) OVER (ORDER BY first_id) AS next_id FROM parts
     )
     INSERT INTO resource_counts AS c (tenant_id, resource_type, first_id, n)
       SELECT $1, ${type}, p.first_id, p.n - coalesce((
         SELECT sum(u.n) FROM resource_count_changes u
         WHERE u.tenant_id = $1 AND u.resource_type = ${type} AND u.resource_id >= p.first_id
           AND u.resource_id < p.next_id), 0)
       FROM ranges p
     ON CONFLICT (tenant_id, resource_type, first_id) DO UPDATE SET n = excluded.n`,
    [tenant_id, first_id, largestRange / 2, lastOfAll],
  );
}
