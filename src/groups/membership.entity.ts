import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One member of one group. Foreign keys make sure that both exist, in the same tenant. */
@Entity('group_members')
export class MembershipEntity {
  @PrimaryColumn('uuid', { name: 'tenant_id' })
  tenantId!: string;

  @PrimaryColumn('uuid', { name: 'group_id' })
  groupId!: string;

  @PrimaryColumn('uuid', { name: 'member_id' })
  memberId!: string;

  @Column('text', { name: 'member_type' })
  memberType!: 'User' | 'Group';
}
