import { keptSeconds, UsageStore, type Usage } from './usage-store.js';

/** Where the table is: connections to a database that tenants' requests do not use up. */
export abstract class UsageDatabase {
  /** Runs a statement. @returns its rows */
  abstract query<Row>(text: string, values?: unknown[]): Promise<Row[]>;
}

const cleaningInterval = 60_000;

/** Counts in a table of the database: one statement for all of them. */
export class PostgresUsage extends UsageStore {
  private cleanedAt = Date.now();

  constructor(private readonly database: UsageDatabase) {
    super();
  }

  override async add(used: readonly Usage[]): Promise<ReadonlyMap<string, number>> {
    // In the order of keys, so that processes that add at once wait for each other and do not deadlock.
    const rows = await this.database.query<Usage>(
      `INSERT INTO request_counts AS known (key, count, expires_at)
       SELECT used.key, used.count, now() + make_interval(secs => $3)
       FROM unnest($1::text[], $2::float8[]) AS used(key, count) ORDER BY used.key
       ON CONFLICT (key) DO UPDATE SET
         count = CASE WHEN known.expires_at < now() THEN 0 ELSE known.count END + excluded.count,
         expires_at = excluded.expires_at
       RETURNING key, count`,
      [used.map(({ key }) => key), used.map(({ count }) => count), keptSeconds],
    );
    await this.clean();
    return new Map(rows.map(({ key, count }) => [key, Number(count)]));
  }

  /** Removes counts that are over, once a minute. */
  private async clean(): Promise<void> {
    if (Date.now() - this.cleanedAt < cleaningInterval) return;
    this.cleanedAt = Date.now();
    await this.database.query(
      `DELETE FROM request_counts WHERE key IN
         (SELECT key FROM request_counts WHERE expires_at < now() ORDER BY key FOR UPDATE SKIP LOCKED)`,
    );
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }
}
