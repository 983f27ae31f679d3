import { Injectable } from '@nestjs/common';
import { MembershipsRepository } from '../groups/memberships.repository.js';
import { stopIfGone, type RequestContext } from '../http/request-context.js';
import { SearchService } from '../resources/search.service.js';
import type { MemberChanges } from '../persistence/audit.js';
import { isResourceId } from '../persistence/resource-id.js';
import { Transaction, type TransactionScope } from '../persistence/transaction.js';
import { isExternalIdUnique, type Draft, type Hashes } from '../resources/change.js';
import { ResourceService, type WriteContext } from '../resources/resource.service.js';
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
import { PasswordHashing } from './password-hashing.js';
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
    private readonly passwords: PasswordHashing,
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
    const hash = current?.passwordHash ?? null;
    const isNew = typeof password === 'string' && password !== hash;
    return {
      resource,
      columns: {
        userName,
        userNameKey: mapUsername(userName),
        display,
        displayKey: foldCase(display),
        active: typeof resource['active'] === 'boolean' ? resource['active'] : null,
        managerId: await this.managerId(ctx, id, resource),
        passwordHash: typeof password === 'string' ? hash : null,
      },
      ...(isNew ? { secret: password } : {}),
      secrets: typeof password !== 'string' && hash !== null ? ['password'] : [],
    };
  }

  /**
   * Hashes a new password, unless the stored hash verifies it: then nothing changes. A user whom another one's userName or
   * externalId would refuse is refused first.
   * @throws ScimError uniqueness; conflict inside a transaction, where there is no time to hash; as `PasswordHashing.hash`
   */
  protected override async secured(
    ctx: RequestContext & Partial<TransactionScope>,
    draft: Draft<UserEntity>,
    hashes: Hashes,
    current?: UserEntity,
  ): Promise<Draft<UserEntity>> {
    const { secret, columns } = draft;
    if (secret === undefined) return draft;
    const stored = current?.passwordHash ?? null;
    let passwordHash = hashes.get(secret);
    if (passwordHash === undefined) {
      if (ctx.manager) throw new ScimError('conflict');
      await this.refuseTaken(ctx, draft, current);
      const isSame = stored !== null && (await this.passwords.verify(ctx, secret, stored));
      passwordHash = isSame ? stored : await this.passwords.hash(ctx, secret);
      hashes.set(secret, passwordHash);
    }
    return {
      ...draft,
      columns: { ...columns, passwordHash },
      secrets: passwordHash === stored ? [] : ['password'],
    };
  }

  /** @throws ScimError uniqueness */
  private async refuseTaken(ctx: RequestContext, draft: Draft<UserEntity>, current?: UserEntity): Promise<void> {
    const { externalId } = draft.resource;
    const unique = typeof externalId === 'string' && isExternalIdUnique(ctx, draft.resource) ? externalId : null;
    const taken = await this.users.taken(ctx, current?.id ?? null, draft.columns.userNameKey ?? '', unique);
    if (taken) throw new ScimError('uniqueness', `Another user has this ${taken}.`);
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
    const change = {
      operation: 'update',
      view: { baseUrl: ctx.baseUrl, wants: () => false },
      hashes: new Map(),
    } as const;
    for (;;) {
      const reports = await this.users.lockReports(ctx, managerId, reportsAtOnce);
      for (const report of reports) await this.write(ctx, report, withoutManager(this.loaded(report)), change);
      if (reports.length < reportsAtOnce) return;
      // The transaction takes back what it did.
      stopIfGone(ctx);
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
