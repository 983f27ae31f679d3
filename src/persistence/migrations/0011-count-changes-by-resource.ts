import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements = [
  // A range that is divided asks for the changes of its own resources, of which there may be few among very many.
  `CREATE INDEX resource_count_changes_resource ON resource_count_changes (tenant_id, resource_type, resource_id)
     INCLUDE (n)`,
  `DROP INDEX resource_count_changes_tenant`,
];

/** Finds the changes of a range's resources. */
export class CountChangesByResource1764000000011 implements MigrationInterface {
  readonly name = 'CountChangesByResource1764000000011';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead.'));
  }
}
