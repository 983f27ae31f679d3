import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { OAuthClientEntity } from './oauth-client.entity.js';

/** A secret of a client. Only its hash is kept. */
@Entity('oauth_client_secrets')
export class OAuthClientSecretEntity {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn('uuid', { name: 'client_id' })
  clientId!: string;

  @PrimaryColumn('uuid')
  id!: string;

  /** Its first random digits, to tell it from others. */
  @Column({ type: 'text', name: 'secret_start' })
  secretStart!: string;

  /** SHA-256 of the secret. */
  @Column({ type: 'bytea', name: 'secret_hash' })
  secretHash!: Buffer;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;

  @Column({ type: 'timestamptz', name: 'expires_at', precision: 3 })
  expiresAt!: Date;

  @ManyToOne(() => OAuthClientEntity)
  @JoinColumn([
    { name: 'tenant_id', referencedColumnName: 'tenantId' },
    { name: 'client_id', referencedColumnName: 'id' },
  ])
  client?: OAuthClientEntity;
}
