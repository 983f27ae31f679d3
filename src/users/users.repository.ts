import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { SqlContext } from '../persistence/filter-sql/columns.js';
import { metaJson } from '../persistence/representation.js';
import { Statements } from '../persistence/statements.js';
import { ResourceRepository, type View } from '../persistence/resource.repository.js';
import type { TenantScope, TransactionScope } from '../persistence/transaction.js';
import { userResourceType } from '../scim/index.js';
import { documentWithManager, groupsJson, userColumns } from './user-columns.js';
import { UserEntity } from './user.entity.js';

/** What stands beside an externalId that is to be unique, in its index. */
const noTwin = `'00000000-0000-0000-0000-000000000000'::uuid`;

/** The rows of the users. */
@Injectable()
export class UsersRepository extends ResourceRepository<UserEntity> {
  readonly type = userResourceType.name;
  protected readonly columns = userColumns;
  protected readonly derived = ['groups'];

  constructor(@InjectRepository(UserEntity) repository: Repository<UserEntity>, statements: Statements) {
    super(repository, statements);
  }

  /** Whether the tenant has a user with this id. */
  async exists(scope: TenantScope, id: string): Promise<boolean> {
    const sql = 'SELECT 1 FROM users WHERE tenant_id = $1 AND id = $2';
    return (await this.statements.run(scope, sql, [scope.tenant.id, id])).length > 0;
  }

  /**
   * Which unique value of a user another one has, if any, by one look-up. The database refuses it in any case; this says
   * so before work that takes long.
   * @param id the user's own, where there is one
   * @param externalId null where it need not be unique
   */
  async taken(
    scope: TenantScope,
    id: string | null,
    userNameKey: string,
    externalId: string | null,
  ): Promise<'userName' | 'externalId' | undefined> {
    const others = 'FROM users WHERE tenant_id = $1 AND id IS DISTINCT FROM $2::uuid';
    const sql = `SELECT 'userName' AS name ${others} AND user_name_key = $3
      UNION ALL SELECT 'externalId' ${others} AND external_id = $4 AND external_id_twin = ${noTwin} LIMIT 1`;
    const values = [scope.tenant.id, id, userNameKey, externalId];
    return (await this.statements.lookUp<{ name: 'userName' | 'externalId' }>(scope, sql, values))[0]?.name;
  }

  /** Reads and locks the users whose manager is `managerId`: at most `take`, in the order of their ids. */
  lockReports(scope: TransactionScope, managerId: string, take: number): Promise<UserEntity[]> {
    return this.select(scope, 'r.manager_id = $2', [managerId, take], 'ORDER BY r.id LIMIT $3 FOR NO KEY UPDATE');
  }

  protected representation(context: SqlContext, view: View): string {
    // Nobody is in a group before they exist.
    const groups = view.wants('groups') && !view.isNew ? `|| ${groupsJson(context)}` : '';
    const meta = metaJson(context, userResourceType.name, userResourceType.endpoint);
    return `${documentWithManager(context)} ${groups} || ${meta} || '}'`;
  }
}
