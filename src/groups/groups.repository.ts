import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { SqlContext } from '../persistence/filter-sql/columns.js';
import type { RepresentationSql } from '../persistence/representation.js';
import { Statements } from '../persistence/statements.js';
import { metaJson, ResourceRepository, type View } from '../persistence/resource.repository.js';
import { groupResourceType } from '../scim/index.js';
import { groupColumns, membersJson } from './group-columns.js';
import { GroupEntity } from './group.entity.js';

/** The rows of the groups. */
@Injectable()
export class GroupsRepository extends ResourceRepository<GroupEntity> {
  readonly type = groupResourceType.name;
  protected readonly columns = groupColumns;

  constructor(@InjectRepository(GroupEntity) repository: Repository<GroupEntity>, statements: Statements) {
    super(repository, statements);
  }

  protected representation(context: SqlContext, view: View): RepresentationSql {
    const members = view.wants('members') ? `|| ${membersJson(context)}` : '';
    const meta = metaJson(context, groupResourceType.name, groupResourceType.endpoint);
    return { ctes: [], joins: '', text: `left(r.document::text, -1) ${members} || ${meta} || '}'` };
  }
}
