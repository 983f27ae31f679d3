import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { SqlContext } from '../persistence/filter-sql/columns.js';
import { metaJson, openDocument } from '../persistence/representation.js';
import { Statements } from '../persistence/statements.js';
import { ResourceRepository, type StoredRepresentation, type View } from '../persistence/resource.repository.js';
import type { TenantScope } from '../persistence/transaction.js';
import { groupResourceType } from '../scim/index.js';
import { groupColumns, hasAtMost, membersJson } from './group-columns.js';
import { GroupEntity } from './group.entity.js';
import { LargeGroups, membersInOneText } from './large-groups.js';

/** The rows of the groups. */
@Injectable()
export class GroupsRepository extends ResourceRepository<GroupEntity> {
  readonly type = groupResourceType.name;
  protected readonly columns = groupColumns;
  protected readonly derived = ['members'];

  constructor(
    @InjectRepository(GroupEntity) repository: Repository<GroupEntity>,
    statements: Statements,
    private readonly largeGroups: LargeGroups,
  ) {
    super(repository, statements);
  }

  override async read(scope: TenantScope, id: string, view: View): Promise<StoredRepresentation | undefined> {
    if (!view.inParts || !view.wants('members')) return super.read(scope, id, view);
    const stored = await super.read(scope, id, view);
    // The text of a group that is too large is null.
    if (!stored || (stored.json as string | null) !== null) return stored;
    const large = await this.largeGroups.open(scope, id, view);
    return large && { json: large.parts, version: large.version };
  }

  protected override isLookUp(view: View): boolean {
    return !view.wants('members');
  }

  protected representation(context: SqlContext, view: View): string {
    const members = view.wants('members') ? `|| ${membersJson(context)}` : '';
    const meta = metaJson(context, groupResourceType.name, groupResourceType.endpoint);
    const text = `${openDocument} ${members} || ${meta} || '}'`;
    const isBounded = view.inParts && view.wants('members');
    return isBounded ? `CASE WHEN ${hasAtMost(String(membersInOneText))} THEN ${text} END` : text;
  }
}
