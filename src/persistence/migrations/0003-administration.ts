import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements = [
  // A release before this one reads profile, so it stays a column of its own beside the other settings.
  `ALTER TABLE tenants
     ADD COLUMN state text NOT NULL DEFAULT 'active' CONSTRAINT tenants_state CHECK (state IN ('active', 'suspended')),
     ADD COLUMN settings jsonb NOT NULL DEFAULT '{}',
     ADD COLUMN erasing_since timestamptz(3)`,

  // A token that is revoked expires as well, so that a release before this one refuses it too.
  `ALTER TABLE tokens
     ADD COLUMN scopes text[] NOT NULL DEFAULT '{read,write,bulk}',
     ADD COLUMN secret_start text,
     ADD COLUMN revoked_at timestamptz(3)`,
];

/** Tenants' states and settings; scopes and revocation of tokens. */
export class Administration1764000000003 implements MigrationInterface {
  readonly name = 'Administration1764000000003';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead.'));
  }
}
