import { Injectable } from '@nestjs/common';
import type { RequestContext } from '../http/request-context.js';
import { SearchService } from '../resources/search.service.js';
import { rowBytes } from '../persistence/stored-bytes.js';
import { Transaction } from '../persistence/transaction.js';
import type { MemberChanges } from '../persistence/audit.js';
import type { Draft } from '../resources/change.js';
import { ResourceService, type WriteContext } from '../resources/resource.service.js';
import { foldCase, groupResourceType, textOf, type LinkChange, type ScimResource } from '../scim/index.js';
import { GroupEntity } from './group.entity.js';
import { GroupsRepository } from './groups.repository.js';
import { MembershipsRepository } from './memberships.repository.js';

/** Groups (RFC 7643 section 4.2). */
@Injectable()
export class GroupsService extends ResourceService<GroupEntity> {
  readonly type = groupResourceType;
  // A group may have very many members, and nobody who changes one wants to read them all.
  protected override readonly returnsPatched = false;

  constructor(
    repository: GroupsRepository,
    transaction: Transaction,
    searches: SearchService,
    private readonly memberships: MembershipsRepository,
  ) {
    super(repository, transaction, searches);
  }

  protected draft(ctx: RequestContext, _id: string, resource: ScimResource): Promise<Draft<GroupEntity>> {
    const displayName = textOf(resource, 'displayName');
    return Promise.resolve({
      resource,
      columns: {
        displayName,
        displayNameKey: foldCase(displayName),
        displayNameUnique: ctx.settings.uniqueGroupDisplayName,
      },
    });
  }

  protected async applyLinks(ctx: WriteContext, id: string, changes: readonly LinkChange[]): Promise<MemberChanges> {
    const applied: MemberChanges[] = [];
    for (const change of changes) applied.push(await this.memberships.apply(ctx, id, change));
    const added = applied.flatMap((each) => each.added);
    const removed = applied.flatMap((each) => each.removed);
    const bytes = (added.length - removed.length) * rowBytes.member;
    await ctx.quota.refuseGrowth(ctx, () => bytes);
    ctx.quota.wrote(bytes);
    return { added, removed };
  }

  protected async unlink(ctx: WriteContext, id: string): Promise<void> {
    await this.memberships.removeMember(ctx, 'Group', id);
  }
}
