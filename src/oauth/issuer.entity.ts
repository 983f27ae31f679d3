import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Scope } from '../http/scope.js';
import { TenantEntity } from '../tenants/tenant.entity.js';

/** Signature algorithms that a tenant can accept: asymmetric ones only (RFC 8725 section 3.1). */
export const signatureAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;
export type SignatureAlgorithm = (typeof signatureAlgorithms)[number];

/** An outside issuer whose tokens a tenant accepts, such as its identity provider. */
@Entity('issuers')
export class IssuerEntity {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  /** The `iss` of its tokens, character for character. */
  @Column('text')
  issuer!: string;

  /** The `aud` that its tokens must have. With the issuer it is one tenant's only. */
  @Column('text')
  audience!: string;

  /** Where its keys are; null: where its metadata says (RFC 8414). */
  @Column({ type: 'text', name: 'jwks_uri', nullable: true })
  jwksUri!: string | null;

  @Column({ type: 'text', array: true })
  algorithms!: SignatureAlgorithm[];

  /** What each of its tokens allows. */
  @Column({ type: 'text', array: true })
  scopes!: Scope[];

  /** The claim that says what a token allows beyond that: a text with spaces between values, or an array of texts. */
  @Column({ type: 'text', name: 'scope_claim', nullable: true })
  scopeClaim!: string | null;

  /** What each value of the scope claim allows. */
  @Column({ type: 'jsonb', name: 'scope_values' })
  scopeValues!: Readonly<Record<string, Scope[]>>;

  /** Claims that a token must have, each with the values of which it must have one. */
  @Column({ type: 'jsonb', name: 'required_claims' })
  requiredClaims!: Readonly<Record<string, string[]>>;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;

  @ManyToOne(() => TenantEntity)
  @JoinColumn({ name: 'tenant_id' })
  tenant?: TenantEntity;
}
