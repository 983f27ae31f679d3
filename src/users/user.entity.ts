import { Column, Entity } from 'typeorm';
import { ResourceEntity } from '../persistence/resource.entity.js';

/** A User's row. */
@Entity('users')
export class UserEntity extends ResourceEntity {
  @Column('text', { name: 'user_name' })
  userName!: string;

  /** userName as RFC 8265 prepares it for comparison. */
  @Column('text', { name: 'user_name_key' })
  userNameKey!: string;

  /** What groups show of the user as a member: displayName, or else userName. */
  @Column('text')
  display!: string;

  /** `display` with its case folded. */
  @Column('text', { name: 'display_key' })
  displayKey!: string;

  @Column('boolean', { nullable: true })
  active!: boolean | null;

  /** The manager's id, when `manager.value` is one. */
  @Column('uuid', { name: 'manager_id', nullable: true })
  managerId!: string | null;

  @Column('text', { name: 'password_hash', nullable: true })
  passwordHash!: string | null;
}
