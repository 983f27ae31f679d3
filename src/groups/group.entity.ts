import { Column, Entity } from 'typeorm';
import { ResourceEntity } from '../persistence/resource.entity.js';

/** A Group's row. Its members are rows of `group_members`. */
@Entity('groups')
export class GroupEntity extends ResourceEntity {
  @Column('text', { name: 'display_name' })
  displayName!: string;

  /** displayName with its case folded. */
  @Column('text', { name: 'display_name_key' })
  displayNameKey!: string;

  /** Whether no other group may have this displayName. */
  @Column('boolean', { name: 'display_name_unique' })
  displayNameUnique!: boolean;
}
