import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What processes count together: requests of tenants, and failed authentications of source addresses. */
export class Limits1764000000005 implements MigrationInterface {
  readonly name = 'Limits1764000000005';

  async up(queryRunner: QueryRunner): Promise<void> {
    // Of the last minutes only, so a crash may lose it. Rows are updated once a second: room in the page keeps that cheap.
    await queryRunner.query(
      `CREATE UNLOGGED TABLE request_counts (
         key text PRIMARY KEY,
         count double precision NOT NULL,
         expires_at timestamptz(3) NOT NULL
       ) WITH (fillfactor = 50)`,
    );
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead.'));
  }
}
