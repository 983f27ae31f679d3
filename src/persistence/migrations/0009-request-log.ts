import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements = [
  // Events are read in the order of time, of all resources or of one.
  `CREATE INDEX audit_events_time ON audit_events (tenant_id, at, id)`,
  `CREATE INDEX audit_events_resource_time ON audit_events (tenant_id, resource_id, at, id)`,
  `DROP INDEX audit_events_at`,
  `DROP INDEX audit_events_resource`,
  `CREATE TABLE request_log (
     tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
     at timestamptz(3) NOT NULL,
     id bigint GENERATED ALWAYS AS IDENTITY,
     request_id text NOT NULL,
     method text NOT NULL,
     path text NOT NULL,
     status integer,
     scim_type text,
     detail text,
     duration_ms integer NOT NULL,
     actor text NOT NULL,
     request_body json,
     response_body json,
     PRIMARY KEY (tenant_id, at, id)
   )`,
];

/** The request log, and the audit trail in the order of time. */
export class RequestLog1764000000009 implements MigrationInterface {
  readonly name = 'RequestLog1764000000009';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead.'));
  }
}
