import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements = [
  `CREATE TABLE tenants (
     id uuid PRIMARY KEY,
     name text NOT NULL CONSTRAINT tenants_name UNIQUE,
     profile text NOT NULL DEFAULT 'default',
     created_at timestamptz(3) NOT NULL
   )`,

  // Looked up by the secret's hash before any tenant is known: the only key that does not start with tenant_id.
  `CREATE TABLE tokens (
     tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
     id uuid NOT NULL,
     name text NOT NULL,
     secret_hash bytea NOT NULL CONSTRAINT tokens_secret_hash UNIQUE,
     created_at timestamptz(3) NOT NULL,
     expires_at timestamptz(3) NOT NULL,
     last_used_at timestamptz(3),
     PRIMARY KEY (tenant_id, id)
   )`,

  // document is json, not jsonb: it is returned as it was written, so its text goes to the client without a rewrite.
  // folded is what filters and sorting look at: the document with its values made comparable.
  `CREATE TABLE users (
     tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
     id uuid NOT NULL,
     user_name text NOT NULL,
     user_name_key text NOT NULL,
     display text NOT NULL,
     display_key text NOT NULL,
     external_id text,
     active boolean,
     manager_id uuid,
     password_hash text,
     document json NOT NULL,
     folded jsonb NOT NULL,
     version integer NOT NULL,
     created_at timestamptz(3) NOT NULL,
     last_modified_at timestamptz(3) NOT NULL,
     PRIMARY KEY (tenant_id, id),
     CONSTRAINT users_user_name UNIQUE (tenant_id, user_name_key),
     CONSTRAINT users_external_id UNIQUE (tenant_id, external_id)
   )`,
  `CREATE INDEX users_manager ON users (tenant_id, manager_id) WHERE manager_id IS NOT NULL`,
  `CREATE INDEX users_folded ON users USING gin (folded jsonb_path_ops)`,

  `CREATE TABLE groups (
     tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
     id uuid NOT NULL,
     display_name text NOT NULL,
     display_name_key text NOT NULL,
     external_id text,
     document json NOT NULL,
     folded jsonb NOT NULL,
     version integer NOT NULL,
     created_at timestamptz(3) NOT NULL,
     last_modified_at timestamptz(3) NOT NULL,
     PRIMARY KEY (tenant_id, id),
     CONSTRAINT groups_external_id UNIQUE (tenant_id, external_id)
   )`,
  `CREATE INDEX groups_display_name ON groups (tenant_id, display_name_key)`,
  `CREATE INDEX groups_folded ON groups USING gin (folded jsonb_path_ops)`,

  // A member is a user or a group, so each kind has a column of its own for its foreign key.
  `CREATE TABLE group_members (
     tenant_id uuid NOT NULL,
     group_id uuid NOT NULL,
     member_id uuid NOT NULL,
     member_type text NOT NULL CHECK (member_type IN ('User', 'Group')),
     member_user_id uuid GENERATED ALWAYS AS (CASE WHEN member_type = 'User' THEN member_id END) STORED,
     member_group_id uuid GENERATED ALWAYS AS (CASE WHEN member_type = 'Group' THEN member_id END) STORED,
     PRIMARY KEY (tenant_id, group_id, member_id),
     CONSTRAINT group_members_group FOREIGN KEY (tenant_id, group_id) REFERENCES groups ON DELETE CASCADE,
     CONSTRAINT group_members_user FOREIGN KEY (tenant_id, member_user_id) REFERENCES users ON DELETE CASCADE,
     CONSTRAINT group_members_nested FOREIGN KEY (tenant_id, member_group_id) REFERENCES groups ON DELETE CASCADE
   )`,
  `CREATE INDEX group_members_by_user ON group_members (tenant_id, member_user_id, group_id)
     WHERE member_user_id IS NOT NULL`,
  `CREATE INDEX group_members_by_group ON group_members (tenant_id, member_group_id, group_id)
     WHERE member_group_id IS NOT NULL`,
];

/** Tenants, tokens, users, groups and memberships. */
export class Initial1764000000001 implements MigrationInterface {
  readonly name = 'Initial1764000000001';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead.'));
  }
}
