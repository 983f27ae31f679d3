import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements = [
  // What an update of a large resource changed, in place of the resource before and after it.
  `ALTER TABLE audit_events ADD COLUMN changes json`,
];

/** Keeps what changed in large resources. */
export class AuditChanges1764000000014 implements MigrationInterface {
  readonly name = 'AuditChanges1764000000014';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead.'));
  }
}
