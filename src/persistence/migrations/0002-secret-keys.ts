import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Keys that the processes of one installation share, such as the one that seals cursors. */
export class SecretKeys1764000000002 implements MigrationInterface {
  readonly name = 'SecretKeys1764000000002';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `CREATE TABLE secret_keys (
         name text PRIMARY KEY,
         secret bytea NOT NULL,
         created_at timestamptz(3) NOT NULL
       )`,
    );
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead.'));
  }
}
