import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Scope } from '../http/scope.js';
import { TenantEntity } from '../tenants/tenant.entity.js';

/** A bearer token of a tenant. Only the hash of its secret is kept. */
@Entity('tokens')
export class TokenEntity {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  /** What the token is for. */
  @Column('text')
  name!: string;

  /** SHA-256 of the secret. */
  @Column({ type: 'bytea', name: 'secret_hash' })
  secretHash!: Buffer;

  /** The first random digits of the secret; null where they were not kept, or the secret was chosen by somebody. */
  @Column({ type: 'text', name: 'secret_start', nullable: true })
  secretStart!: string | null;

  /** What the token allows. */
  @Column({ type: 'text', array: true, default: ['read', 'write', 'bulk'] })
  scopes!: Scope[];

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt!: Date;

  @Column({ type: 'timestamptz', name: 'revoked_at', precision: 3, nullable: true })
  revokedAt!: Date | null;

  @Column({ type: 'timestamptz', name: 'last_used_at', precision: 3, nullable: true })
  lastUsedAt!: Date | null;

  @ManyToOne(() => TenantEntity)
  @JoinColumn({ name: 'tenant_id' })
  tenant?: TenantEntity;
}
