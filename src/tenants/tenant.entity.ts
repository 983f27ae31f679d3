import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ProfileName, TenantSettings } from '../scim/index.js';

/** A customer with a directory of its own. */
@Entity('tenants')
export class TenantEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  name!: string;

  @Column('text', { default: 'active' })
  state!: 'active' | 'suspended';

  /** The setting of this name. */
  @Column('text')
  profile!: ProfileName;

  /** The other settings, as far as they were chosen. */
  @Column('jsonb', { default: {} })
  settings!: Partial<Omit<TenantSettings, 'profile'>>;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;

  /** When its erasure began. It is suspended from then on, and its tokens are gone. */
  @Column({ type: 'timestamptz', name: 'erasing_since', precision: 3, nullable: true })
  erasingSince!: Date | null;
}
