import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { SqlContext } from '../persistence/filter-sql/columns.js';
import { metaJson, openDocument } from '../persistence/representation.js';
import type { Stage } from '../persistence/portions.js';
import { Statements } from '../persistence/statements.js';
import { ResourceRepository, type LargeResource, type View } from '../persistence/resource.repository.js';
import type { TenantScope } from '../persistence/transaction.js';
import { groupResourceType } from '../scim/index.js';
import { groupColumns, membersJson } from './group-columns.js';
import { GroupEntity } from './group.entity.js';
import { inOneText, LargeGroups } from './large-groups.js';

/** The rows of the groups. */
@Injectable()
export class GroupsRepository extends ResourceRepository<GroupEntity> {
  readonly type = groupResourceType.name;
  protected readonly columns = groupColumns;
  protected readonly derived = ['members'];
  protected override readonly memberCount =
    '(SELECT count(*) FROM group_members m WHERE m.tenant_id = r.tenant_id AND m.group_id = r.id)';

  constructor(
    @InjectRepository(GroupEntity) repository: Repository<GroupEntity>,
    statements: Statements,
    private readonly largeGroups: LargeGroups,
  ) {
    super(repository, statements);
  }

  override readLarge(
    scope: TenantScope,
    id: string,
    { baseUrl }: View,
    stage: Stage,
  ): Promise<LargeResource | undefined> {
    return this.largeGroups.open(scope, id, baseUrl, stage);
  }

  protected override isLookUp(view: View): boolean {
    return !view.wants('members');
  }

  protected representation(context: SqlContext, view: View): string {
    // A group that is created with its members is represented when they are there.
    const members = view.wants('members') && !view.isNew ? `|| ${membersJson(context, inOneText)}` : '';
    const meta = metaJson(context, groupResourceType.name, groupResourceType.endpoint);
    return `${openDocument} ${members} || ${meta} || '}'`;
  }
}
