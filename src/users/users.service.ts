import { Injectable } from '@nestjs/common';
import { MembershipsRepository } from '../groups/memberships.repository.js';
import type { RequestContext } from '../http/request-context.js';
import { SearchService } from '../resources/search.service.js';
import type { MemberChanges } from '../persistence/audit.js';
import { isResourceId } from '../persistence/resource.entity.js';
import { Transaction, type TransactionScope } from '../persistence/transaction.js';
import { ResourceService, type Draft, type WriteContext } from '../resources/resource.service.js';
import {
  enterpriseUserUrn,
  foldCase,
  isJsonObject,
  mapUsername,
  ScimError,
  textOf,
  userResourceType,
  type ScimResource,
} from '../scim/index.js';
import { hashPassword, verifyPassword } from './password.js';
import { UserEntity } from './user.entity.js';
import { UsersRepository } from './users.repository.js';

const reportsAtOnce = 500;

/** Users (RFC 7643 sections 4.1 and 4.3). */
@Injectable()
export class UsersService extends ResourceService<UserEntity> {
  readonly type = userResourceType;

  constructor(
    private readonly users: UsersRepository,
    transaction: Transaction,
    searches: SearchService,
    private readonly memberships: MembershipsRepository,
  ) {
    super(users, transaction, searches);
  }

  /** Leaving them out must neither lock a user out nor let a leaver back in, unless the tenant wants it so. */
  protected override keptOnReplace({ settings }: RequestContext): readonly string[] {
    return settings.replaceOmitted === 'keep' ? ['active', 'password'] : ['password'];
  }

  /** The stored user, with the hash standing for the password so that a change or removal of it shows. */
  protected override loaded({ document, passwordHash }: UserEntity): ScimResource {
    return passwordHash === null ? document : { ...document, password: passwordHash };
  }

  protected async draft(
    ctx: RequestContext & Partial<TransactionScope>,
    id: string,
    { password, ...given }: ScimResource,
    current?: UserEntity,
  ): Promise<Draft<UserEntity>> {
    const resource: ScimResource = current ? given : { active: true, ...given };
    const userName = textOf(resource, 'userName');
    const display = textOf(resource, 'displayName') || userName;
    const hash = typeof password === 'string' ? await passwordHash(password, current?.passwordHash) : null;
    return {
      resource,
      columns: {
        userName,
        userNameKey: mapUsername(userName),
        display,
        displayKey: foldCase(display),
        active: typeof resource['active'] === 'boolean' ? resource['active'] : null,
        managerId: await this.managerId(ctx, id, resource),
        passwordHash: hash,
      },
      secrets: hash === (current?.passwordHash ?? null) ? [] : ['password'],
    };
  }

  protected applyLinks(): Promise<MemberChanges> {
    return Promise.resolve({ added: [], removed: [] });
  }

  protected async unlink(ctx: WriteContext, id: string): Promise<void> {
    await this.memberships.removeMember(ctx, 'User', id);
    await this.clearManager(ctx, id);
  }

  /**
   * The id of a user's manager. Managers are often provisioned after their reports, and some clients send names, so
   * another value is kept as it is where the profile allows.
   * @throws ScimError invalidValue when the manager is the user, or is not there and has to be
   */
  private async managerId(
    ctx: RequestContext & Partial<TransactionScope>,
    id: string,
    resource: ScimResource,
  ): Promise<string | null> {
    const value = managerValue(resource);
    if (value === id) throw new ScimError('invalidValue', 'manager: a user cannot be their own manager.');
    const known = value !== undefined && isResourceId(value) ? value : null;
    if (
      value !== undefined &&
      !ctx.profile.danglingReferences &&
      !(known !== null && (await this.users.exists(ctx, known)))
    ) {
      throw new ScimError('invalidValue', 'manager: there is no user with this id.');
    }
    return known;
  }

  /** Takes a deleted manager away from the users who reported to them, a bounded number at a time. */
  private async clearManager(ctx: WriteContext, managerId: string): Promise<void> {
    const change = { operation: 'update', view: { baseUrl: ctx.baseUrl, wants: () => false } } as const;
    for (;;) {
      const reports = await this.users.lockReports(ctx, managerId, reportsAtOnce);
      for (const report of reports) await this.write(ctx, report, withoutManager(this.loaded(report)), change);
      if (reports.length < reportsAtOnce) return;
    }
  }
}

function managerValue(resource: ScimResource): string | undefined {
  const extension = resource[enterpriseUserUrn];
  const manager = isJsonObject(extension) ? extension['manager'] : undefined;
  const value = isJsonObject(manager) ? manager['value'] : undefined;
  return typeof value === 'string' ? value : undefined;
}

function withoutManager(resource: ScimResource): ScimResource {
  const extension = resource[enterpriseUserUrn];
  if (!isJsonObject(extension)) return resource;
  const { manager: _manager, ...others } = extension;
  return { ...resource, [enterpriseUserUrn]: others };
}

/** The hash to store: the present one when it stands for the password or verifies it, so that nothing changes. */
async function passwordHash(password: string, current: string | null | undefined): Promise<string> {
  if (current != null && (password === current || (await verifyPassword(password, current)))) return current;
  return hashPassword(password);
}
