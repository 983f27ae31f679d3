import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements = [
  // Far from the limit insertions share a lock, and there are not more of them at once than connections: all of them fit.
  // Nearer they take it alone, and then see every resource that there is. A lock that was taken inside the inner block
  // is given back where the block fails. Each query of a volatile function sees what is committed when it begins.
  `CREATE FUNCTION place_in_tenant(tenant uuid, type text, most bigint) RETURNS uuid LANGUAGE plpgsql VOLATILE AS $$
   DECLARE
     lock_key bigint := hashtextextended(tenant::text || type, 7264321);
     there bigint;
   BEGIN
     BEGIN
       PERFORM pg_advisory_xact_lock_shared(lock_key);
       there := resources_of_tenant(tenant, type);
       IF there + current_setting('max_connections')::bigint < most THEN
         RETURN tenant;
       END IF;
       RAISE SQLSTATE 'RC001';
     EXCEPTION WHEN SQLSTATE 'RC001' THEN
       NULL;
     END;
     PERFORM pg_advisory_xact_lock(lock_key);
     there := resources_of_tenant(tenant, type);
     IF there < most THEN
       RETURN tenant;
     END IF;
     RAISE check_violation USING MESSAGE = 'the tenant has no place for another resource',
       CONSTRAINT = 'tenant_quota', DETAIL = type || ' ' || there || ' ' || most;
   END $$`,
  `CREATE FUNCTION resources_of_tenant(tenant uuid, type text) RETURNS bigint LANGUAGE sql VOLATILE AS $$
     SELECT coalesce((SELECT sum(c.n) FROM resource_counts c
         WHERE c.tenant_id = tenant AND c.resource_type = type), 0)::bigint
       + coalesce((SELECT sum(c.n) FROM resource_count_changes c
         WHERE c.tenant_id = tenant AND c.resource_type = type), 0)::bigint
   $$`,
  // How many bytes the rows of a tenant take, about: what was measured, and what was written since.
  `CREATE TABLE tenant_bytes (
     tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
     bytes bigint NOT NULL,
     measured_at timestamptz(3)
   )`,
];

/** Bounds on what a tenant may keep. */
export class Quotas1764000000015 implements MigrationInterface {
  readonly name = 'Quotas1764000000015';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead.'));
  }
}
