import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { SqlContext } from '../persistence/filter-sql/columns.js';
import { Statements } from '../persistence/statements.js';
import { metaJson, ResourceRepository, type View } from '../persistence/resource.repository.js';
import { groupResourceType } from '../scim/index.js';
import { groupColumns, membersJson } from './group-columns.js';
import { GroupEntity } from './group.entity.js';

/** The rows of the groups. */
@Injectable()
export class GroupsRepository extends ResourceRepository<GroupEntity> {
  protected readonly type = groupResourceType.name;
  protected readonly columns = groupColumns;

  constructor(@InjectRepository(GroupEntity) repository: Repository<GroupEntity>, statements: Statements) {
    super(repository, statements);
  }

  protected representation(context: SqlContext, view: View): { text: string; joins: string } {
    const members = view.wants('members') ? `|| ${membersJson(context)}` : '';
    const meta = metaJson(context, groupResourceType.name, groupResourceType.endpoint);
    return { text: `left(r.document::text, -1) ${members} || ${meta} || '}'`, joins: '' };
  }
}
