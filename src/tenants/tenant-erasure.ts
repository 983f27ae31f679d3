import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

// Few enough that a batch takes a fraction of the time that a statement has, and holds no lock for long.
const rowsAtOnce = 5_000;

/** Erases what tenants have. */
@Injectable()
export class TenantErasure {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Erases a tenant and every row of every table that is the tenant's. Rows go in batches, each a transaction of its own,
   * so a million of them hold up nobody; the last transaction takes the tenant itself and whatever was written
   * meanwhile. When it is interrupted, calling it again erases the rest.
   * @param tenantId of a tenant that no request is served for any more
   * @returns how many rows were erased before the tenant itself
   */
  async erase(tenantId: string): Promise<number> {
    const tables = await this.tables();
    let erased = 0;
    // Until nothing is found: emptying one table may write to another, by a trigger.
    for (let rows = 1; rows > 0; erased += rows) rows = await this.eraseRows(tables, tenantId);
    await this.dataSource.transaction(async (manager) => {
      await manager.query('DELETE FROM tenants WHERE id = $1', [tenantId]);
      for (const table of tables) await manager.query(`DELETE FROM ${table} WHERE tenant_id = $1`, [tenantId]);
    });
    return erased;
  }

  /** Goes through the tables once. @returns how many rows were erased */
  private async eraseRows(tables: readonly string[], tenantId: string): Promise<number> {
    let erased = 0;
    for (const table of tables) {
      for (;;) {
        const rows = await this.eraseBatch(table, tenantId);
        erased += rows;
        if (rows < rowsAtOnce) break;
      }
    }
    return erased;
  }

  private async eraseBatch(table: string, tenantId: string): Promise<number> {
    const [row] = await this.dataSource.query<{ rows: number }[]>(
      `WITH erased AS (
         DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM ${table} WHERE tenant_id = $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
         RETURNING 1)
       SELECT count(*)::integer AS rows FROM erased`,
      [tenantId, rowsAtOnce],
    );
    return row?.rows ?? 0;
  }

  /**
   * The tables that have a tenant's rows, from the catalogue, so that none can be forgotten. Those that others refer to come
   * last: then their rows have nothing left to cascade to.
   */
  private async tables(): Promise<string[]> {
    const rows = await this.dataSource.query<{ name: string }[]>(
      `SELECT t.oid::regclass::text AS name
       FROM pg_class t
       JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
       WHERE t.relkind IN ('r', 'p') AND t.relnamespace = current_schema()::regnamespace AND NOT t.relispartition
       ORDER BY (SELECT count(*) FROM pg_constraint f
                 WHERE f.contype = 'f' AND f.confrelid = t.oid AND f.conrelid <> t.oid), t.relname`,
    );
    return rows.map(({ name }) => name);
  }
}
