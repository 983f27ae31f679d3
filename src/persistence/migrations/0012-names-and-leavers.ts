import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements = [
  // Prefixes, ranges and sorting by the names that people look for; compared as filters compare them.
  `CREATE INDEX users_display_name ON users (tenant_id, ((folded ->> 'displayName') COLLATE "C"), id)`,
  `CREATE INDEX users_family_name ON users (tenant_id, ((folded -> 'name' ->> 'familyName') COLLATE "C"), id)`,
  // Few are not active, and it is they who are asked for.
  `CREATE INDEX users_not_active ON users (tenant_id, id) WHERE active = FALSE`,
];

/** Finds users by the names people have, and those who may not sign in. */
export class NamesAndLeavers1764000000012 implements MigrationInterface {
  readonly name = 'NamesAndLeavers1764000000012';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead.'));
  }
}
