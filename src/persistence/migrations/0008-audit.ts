import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements = [
  // No foreign key to tenants: what was done to a tenant is kept under the nil UUID when the tenant itself is erased.
  `CREATE TABLE audit_events (
     tenant_id uuid NOT NULL,
     id bigint GENERATED ALWAYS AS IDENTITY,
     at timestamptz(3) NOT NULL,
     actor text NOT NULL,
     request_id text NOT NULL,
     operation text NOT NULL,
     resource_type text NOT NULL,
     resource_id text NOT NULL,
     before json,
     after json,
     secrets text[] NOT NULL DEFAULT '{}',
     members json,
     PRIMARY KEY (tenant_id, id)
   )`,
  `CREATE INDEX audit_events_resource ON audit_events (tenant_id, resource_id, id)`,
  `CREATE INDEX audit_events_at ON audit_events (tenant_id, at)`,
];

/** The audit trail. */
export class Audit1764000000008 implements MigrationInterface {
  readonly name = 'Audit1764000000008';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead.'));
  }
}
