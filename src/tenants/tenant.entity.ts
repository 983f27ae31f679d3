import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { ProfileName } from '../scim/index.js';

/** A customer with a directory of its own. */
@Entity('tenants')
export class TenantEntity {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('text')
  name!: string;

  /** Which client habits are accepted. */
  @Column('text')
  profile!: ProfileName;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3 })
  createdAt!: Date;
}
