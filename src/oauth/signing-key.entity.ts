import type { JWK } from 'jose';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A key pair that access tokens are signed with. */
@Entity('signing_keys')
export class SigningKeyEntity {
  /** Counted from 1. */
  @PrimaryColumn('integer')
  generation!: number;

  /** The thumbprint of the public key (RFC 7638). */
  @Column('text')
  kid!: string;

  @Column({ type: 'jsonb', name: 'public_jwk' })
  publicJwk!: JWK;

  /** The private key as JSON, in clear or sealed. */
  @Column({ type: 'bytea', name: 'private_key' })
  privateKey!: Buffer;

  @Column({ type: 'boolean', name: 'is_encrypted' })
  isEncrypted!: boolean;

  @Column({ type: 'timestamptz', name: 'signs_from', precision: 3 })
  signsFrom!: Date;

  @Column({ type: 'timestamptz', name: 'signs_until', precision: 3 })
  signsUntil!: Date;

  /** After this every token that it signed has expired. */
  @Column({ type: 'timestamptz', name: 'verifies_until', precision: 3 })
  verifiesUntil!: Date;
}
