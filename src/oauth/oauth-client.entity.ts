import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Scope } from '../http/scope.js';
import { TenantEntity } from '../tenants/tenant.entity.js';

/** A client of the token endpoint (RFC 6749 section 2). Its secrets are rows of their own. */
@Entity('oauth_clients')
export class OAuthClientEntity {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: string;

  /** The client identifier (RFC 6749 section 2.2). */
  @PrimaryColumn('uuid')
  id!: string;

  /** What the client is. */
  @Column('text')
  name!: string;

  /** What its tokens may allow at most. */
  @Column({ type: 'text', array: true })
  scopes!: Scope[];

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;

  /** When it got its last access token. */
  @Column({ type: 'timestamptz', name: 'last_used_at', precision: 3, nullable: true })
  lastUsedAt!: Date | null;

  @ManyToOne(() => TenantEntity)
  @JoinColumn({ name: 'tenant_id' })
  tenant?: TenantEntity;
}
