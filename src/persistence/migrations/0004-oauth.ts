import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements = [
  `CREATE TABLE oauth_clients (
     tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
     id uuid NOT NULL,
     name text NOT NULL,
     scopes text[] NOT NULL,
     created_at timestamptz(3) NOT NULL,
     last_used_at timestamptz(3),
     PRIMARY KEY (tenant_id, id)
   )`,

  // Looked up by the secret's hash before any tenant is known, as tokens are.
  `CREATE TABLE oauth_client_secrets (
     tenant_id uuid NOT NULL,
     client_id uuid NOT NULL,
     id uuid NOT NULL,
     secret_start text NOT NULL,
     secret_hash bytea NOT NULL CONSTRAINT oauth_client_secrets_hash UNIQUE,
     created_at timestamptz(3) NOT NULL,
     expires_at timestamptz(3) NOT NULL,
     PRIMARY KEY (tenant_id, client_id, id),
     CONSTRAINT oauth_client_secrets_client
       FOREIGN KEY (tenant_id, client_id) REFERENCES oauth_clients ON DELETE CASCADE
   )`,

  // Unique across tenants: a token names an issuer and an audience, and must not be able to mean two tenants.
  `CREATE TABLE issuers (
     tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
     id uuid NOT NULL,
     issuer text NOT NULL,
     audience text NOT NULL,
     jwks_uri text,
     algorithms text[] NOT NULL,
     scopes text[] NOT NULL,
     scope_claim text,
     scope_values jsonb NOT NULL,
     required_claims jsonb NOT NULL,
     created_at timestamptz(3) NOT NULL,
     PRIMARY KEY (tenant_id, id),
     CONSTRAINT issuers_issuer UNIQUE (issuer, audience)
   )`,

  // Keys of the installation and of no tenant. Generations are counted, so that of two processes that make the next one
  // at once only one does.
  `CREATE TABLE signing_keys (
     generation integer PRIMARY KEY,
     kid text NOT NULL CONSTRAINT signing_keys_kid UNIQUE,
     public_jwk jsonb NOT NULL,
     private_key bytea NOT NULL,
     is_encrypted boolean NOT NULL,
     signs_from timestamptz(3) NOT NULL,
     signs_until timestamptz(3) NOT NULL,
     verifies_until timestamptz(3) NOT NULL
   )`,
];

/** Clients of the token endpoint and their secrets, outside issuers, and the keys that access tokens are signed with. */
export class OAuth1764000000004 implements MigrationInterface {
  readonly name = 'OAuth1764000000004';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead.'));
  }
}
