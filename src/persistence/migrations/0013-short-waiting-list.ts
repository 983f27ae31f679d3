import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements = [
  // Half of the work of adding a user was this index, whose entries are cheaper to add for many users at once. The list
  // of those that wait is read by every search, so it is short: 64 kB, some hundred users.
  `ALTER INDEX users_folded SET (fastupdate = on, gin_pending_list_limit = 64)`,
];

/** Adds what is searched for to its index for some users at a time. */
export class ShortWaitingList1764000000013 implements MigrationInterface {
  readonly name = 'ShortWaitingList1764000000013';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead.'));
  }
}
