import { Injectable } from '@nestjs/common';
import { validate as isUuid } from 'uuid';
import { SqlCompiler } from '../persistence/filter-sql/compile.js';
import type { TransactionScope } from '../persistence/transaction.js';
import { quote, ScimError, type BoundFilter, type Link, type LinkChange } from '../scim/index.js';
import { groupColumns, memberElements } from './group-columns.js';

/** Changes memberships by deltas: what a change does not name is neither read nor locked nor written. */
@Injectable()
export class MembershipsRepository {
  /**
   * Applies one change to a group's members.
   * @returns how many memberships it added and removed
   * @throws ScimError invalidValue for a member that does not exist in the tenant, is of another type than claimed, or
   *   is the group itself
   */
  async apply(scope: TransactionScope, groupId: string, change: LinkChange, baseUrl: string): Promise<number> {
    switch (change.kind) {
      case 'add':
        return this.add(scope, groupId, change.links);
      case 'replaceAll':
        return (await this.removeOthers(scope, groupId, change.links)) + (await this.add(scope, groupId, change.links));
      case 'remove':
        return this.remove(scope, groupId, change.values);
      case 'removeWhere':
        return this.removeWhere(scope, groupId, change.filter, baseUrl);
      case 'removeAll':
        return this.removeOthers(scope, groupId, []);
    }
  }

  /**
   * Takes a resource out of every group, as when it is deleted.
   * @param type which kind of member it is
   * @returns the ids of the groups it was in
   */
  async removeMember(scope: TransactionScope, type: 'User' | 'Group', memberId: string): Promise<string[]> {
    const column = memberColumn(type);
    // Whoever adds it to a group at this moment comes first, and nobody after: the next statement sees every membership.
    await scope.manager.query(`SELECT 1 FROM ${memberTable(type)} WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, [
      scope.tenant.id,
      memberId,
    ]);
    // In the order of their ids, so that two deletions do not wait for each other.
    await scope.manager.query(
      `SELECT id FROM groups WHERE tenant_id = $1 AND id IN
         (SELECT group_id FROM group_members WHERE tenant_id = $1 AND ${column} = $2)
       ORDER BY id FOR NO KEY UPDATE`,
      [scope.tenant.id, memberId],
    );
    const [removed] = await scope.manager.query<[{ group_id: string }[], number]>(
      `DELETE FROM group_members WHERE tenant_id = $1 AND ${column} = $2 RETURNING group_id`,
      [scope.tenant.id, memberId],
    );
    return removed.map((row) => row.group_id);
  }

  /** Counts a change for groups whose members changed without a request to them. */
  async touchGroups(scope: TransactionScope, groupIds: readonly string[], now: Date): Promise<void> {
    if (groupIds.length === 0) return;
    await scope.manager.query(
      `UPDATE groups SET version = version + 1,
         last_modified_at = greatest($3::timestamptz(3), last_modified_at + interval '1 millisecond')
       WHERE tenant_id = $1 AND id = ANY($2::uuid[])`,
      [scope.tenant.id, groupIds, now],
    );
  }

  private async add(scope: TransactionScope, groupId: string, links: readonly Link[]): Promise<number> {
    if (links.length === 0) return 0;
    const malformed = links.find((link) => !isUuid(link.value));
    if (malformed) throw noSuchMember(malformed.value);
    if (links.some((link) => link.value.toLowerCase() === groupId)) {
      throw new ScimError('invalidValue', 'members: a group cannot be a member of itself.');
    }
    const [result] = await scope.manager.query<AddResult[]>(addSql, [
      scope.tenant.id,
      groupId,
      links.map((link) => link.value),
      links.map((link) => link.type ?? null),
    ]);
    if (result?.missing != null) throw noSuchMember(result.missing);
    if (result?.mistyped != null) {
      throw new ScimError(
        'invalidValue',
        `members: the "type" of ${quote(result.mistyped)} is not what that resource is.`,
      );
    }
    return result?.added ?? 0;
  }

  private async remove(scope: TransactionScope, groupId: string, values: readonly string[]): Promise<number> {
    const ids = values.filter((value) => isUuid(value));
    if (ids.length === 0) return 0;
    return this.deleteWhere(scope, groupId, 'm.member_id = ANY($3::uuid[])', [ids]);
  }

  private async removeOthers(scope: TransactionScope, groupId: string, kept: readonly Link[]): Promise<number> {
    const ids = kept.map((link) => link.value).filter((value) => isUuid(value));
    const isKept = 'EXISTS (SELECT 1 FROM unnest($3::uuid[]) AS kept(id) WHERE kept.id = m.member_id)';
    return this.deleteWhere(scope, groupId, `NOT ${isKept}`, [ids]);
  }

  private async removeWhere(
    scope: TransactionScope,
    groupId: string,
    filter: BoundFilter,
    baseUrl: string,
  ): Promise<number> {
    const parameters: unknown[] = [];
    // $1 and $2 are the tenant and the group; the filter's own are numbered on.
    const context = { parameter: (value: unknown) => `$${parameters.push(value) + 2}`, baseUrl };
    const elements = memberElements(context);
    const condition = new SqlCompiler(groupColumns, context).elementCondition(filter, elements);
    const matching = `m.member_id IN (SELECT e.value FROM groups r, LATERAL ${elements.from}
      WHERE r.tenant_id = $1 AND r.id = $2 AND (${condition}))`;
    return this.deleteWhere(scope, groupId, matching, parameters);
  }

  private async deleteWhere(
    scope: TransactionScope,
    groupId: string,
    condition: string,
    parameters: unknown[],
  ): Promise<number> {
    const [, count] = await scope.manager.query<[unknown[], number]>(
      `DELETE FROM group_members m WHERE m.tenant_id = $1 AND m.group_id = $2 AND ${condition}`,
      [scope.tenant.id, groupId, ...parameters],
    );
    return count;
  }
}

interface AddResult {
  readonly added: number;
  readonly missing: string | null;
  readonly mistyped: string | null;
}

// One statement whatever the number of members: those that exist are added, and one that cannot be is named.
const addSql = `
  WITH given AS (SELECT * FROM unnest($3::uuid[], $4::text[]) AS given(id, type)),
  found AS (
    SELECT u.id, 'User' AS type FROM users u WHERE u.tenant_id = $1 AND u.id IN (SELECT id FROM given)
    UNION ALL
    SELECT g.id, 'Group' AS type FROM groups g WHERE g.tenant_id = $1 AND g.id IN (SELECT id FROM given)
  ),
  added AS (
    INSERT INTO group_members (tenant_id, group_id, member_id, member_type)
    SELECT $1, $2, found.id, found.type FROM found ORDER BY found.id
    ON CONFLICT DO NOTHING RETURNING 1
  )
  SELECT (SELECT count(*)::integer FROM added) AS added,
    (SELECT given.id FROM given LEFT JOIN found USING (id) WHERE found.id IS NULL LIMIT 1) AS missing,
    (SELECT given.id FROM given JOIN found USING (id) WHERE given.type <> found.type LIMIT 1) AS mistyped`;

const memberColumn = (type: 'User' | 'Group'): string => (type === 'User' ? 'member_user_id' : 'member_group_id');
const memberTable = (type: 'User' | 'Group'): string => (type === 'User' ? 'users' : 'groups');

/** The same words for an id that is unknown, malformed, deleted or another tenant's. */
function noSuchMember(id: string): ScimError {
  return new ScimError('invalidValue', `members: there is no user or group with the id ${quote(id)}.`);
}
