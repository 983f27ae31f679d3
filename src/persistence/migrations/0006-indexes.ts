import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The tenant's id is part of the indexed document, so that a search in one tenant never meets the entries of others. */
const tenantDocument = `jsonb_set('{}'::jsonb, ARRAY[tenant_id::text], folded)`;

const noTwin = `'00000000-0000-0000-0000-000000000000'::uuid`;

const statements = [
  // Compared byte by byte, so that one index answers equality, prefixes, ranges and sorting.
  `ALTER TABLE users ALTER COLUMN user_name_key TYPE text COLLATE "C", ALTER COLUMN display_key TYPE text COLLATE "C",
     ALTER COLUMN external_id TYPE text COLLATE "C"`,
  `ALTER TABLE groups ALTER COLUMN display_name_key TYPE text COLLATE "C", ALTER COLUMN external_id TYPE text COLLATE "C"`,

  // Without waiting lists: a search would have to read them, and its time would depend on the writes before it.
  `DROP INDEX users_folded`,
  `DROP INDEX groups_folded`,
  `CREATE INDEX users_folded ON users USING gin ((${tenantDocument}) jsonb_path_ops) WITH (fastupdate = off)`,
  `CREATE INDEX groups_folded ON groups USING gin ((${tenantDocument}) jsonb_path_ops) WITH (fastupdate = off)`,

  `CREATE INDEX users_last_modified ON users (tenant_id, last_modified_at, id)`,
  `CREATE INDEX groups_last_modified ON groups (tenant_id, last_modified_at, id)`,

  // A tenant may decide that an externalId need not be unique, or that a group's displayName must be. A value that may
  // have twins has its own resource's id beside it in the unique index.
  ...['users', 'groups'].flatMap((table) => [
    `ALTER TABLE ${table} ADD COLUMN external_id_unique boolean NOT NULL DEFAULT TRUE`,
    `ALTER TABLE ${table} ADD COLUMN external_id_twin uuid NOT NULL
       GENERATED ALWAYS AS (CASE WHEN external_id_unique THEN ${noTwin} ELSE id END) STORED`,
    `ALTER TABLE ${table} DROP CONSTRAINT ${table}_external_id`,
    `CREATE UNIQUE INDEX ${table}_external_id ON ${table} (tenant_id, external_id, external_id_twin)`,
  ]),
  `ALTER TABLE groups ADD COLUMN display_name_unique boolean NOT NULL DEFAULT FALSE`,
  `ALTER TABLE groups ADD COLUMN display_name_twin uuid NOT NULL
     GENERATED ALWAYS AS (CASE WHEN display_name_unique THEN ${noTwin} ELSE id END) STORED`,
  `DROP INDEX groups_display_name`,
  `CREATE UNIQUE INDEX groups_display_name ON groups (tenant_id, display_name_key, display_name_twin)`,
];

/** An index for every question that is asked often, and uniqueness that a tenant decides on. */
export class Indexes1764000000006 implements MigrationInterface {
  readonly name = 'Indexes1764000000006';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead.'));
  }
}
