import { Injectable } from '@nestjs/common';
import type { RequestContext } from '../http/request-context.js';
import { SqlCompiler } from '../persistence/filter-sql/compile.js';
import { auditSql, type MemberChanges } from '../persistence/audit.js';
import { sqlContext } from '../persistence/filter-sql/columns.js';
import { isResourceId } from '../persistence/resource-id.js';
import type { AuthorScope } from '../persistence/resource.repository.js';
import { Statements } from '../persistence/statements.js';
import { rowBytes } from '../persistence/stored-bytes.js';
import type { TransactionScope } from '../persistence/transaction.js';
import { groupResourceType, quote, ScimError, type BoundFilter, type Link, type LinkChange } from '../scim/index.js';
import { groupColumns, memberElements } from './group-columns.js';

type Scope = TransactionScope & AuthorScope & Pick<RequestContext, 'settings' | 'baseUrl'>;

const unchanged: MemberChanges = { added: [], removed: [] };

/** Changes memberships by deltas: what a change does not name is neither read nor locked nor written. */
@Injectable()
export class MembershipsRepository {
  constructor(private readonly statements: Statements) {}

  /**
   * Applies one change to a group's members.
   * @returns the ids it added and removed
   * @throws ScimError invalidValue for a member that does not exist in the tenant, unless the tenant passes over such,
   *   is of another type than claimed, or is the group itself
   */
  async apply(scope: Scope, groupId: string, change: LinkChange): Promise<MemberChanges> {
    switch (change.kind) {
      case 'add':
        return { added: await this.add(scope, groupId, change.links), removed: [] };
      case 'replaceAll': {
        const removed = await this.removeOthers(scope, groupId, change.links);
        return { added: await this.add(scope, groupId, change.links), removed };
      }
      case 'remove':
        return { added: [], removed: await this.remove(scope, groupId, change.values) };
      case 'removeWhere':
        return { added: [], removed: await this.removeWhere(scope, groupId, change.filter) };
      case 'removeAll':
        return { added: [], removed: await this.removeOthers(scope, groupId, []) };
    }
  }

  /**
   * Takes a resource out of every group, as when it is deleted. Each group that held it counts a change.
   * @param type which kind of member it is
   */
  async removeMember(scope: Scope, type: 'User' | 'Group', memberId: string): Promise<void> {
    const column = memberColumn(type);
    const values = [scope.tenant.id, memberId];
    // Whoever adds it to a group at this moment comes first, and nobody after: the next statement sees every membership.
    await this.statements.run(
      scope,
      `SELECT 1 FROM ${memberTable(type)} WHERE tenant_id = $1 AND id = $2 FOR UPDATE`,
      values,
    );
    // In the order of their ids, so that two deletions do not wait for each other.
    const groups = await this.statements.run(
      scope,
      `SELECT id FROM groups WHERE tenant_id = $1 AND id IN
         (SELECT group_id FROM group_members WHERE tenant_id = $1 AND ${column} = $2)
       ORDER BY id FOR NO KEY UPDATE`,
      values,
    );
    if (groups.length === 0) return;
    scope.quota.wrote(groups.length * (rowBytes.event - rowBytes.member));
    const parameters: unknown[] = [...values, new Date()];
    const note = { operation: 'update', members: { added: [], removed: [memberId] } } as const;
    const images = { before: 'r.document', after: 'r.document' };
    await this.statements.run(
      scope,
      `WITH removed AS (
         DELETE FROM group_members WHERE tenant_id = $1 AND ${column} = $2 RETURNING group_id
       ), r AS (
         UPDATE groups SET version = version + 1,
           last_modified_at = greatest($3::timestamptz(3), last_modified_at + interval '1 millisecond')
         WHERE tenant_id = $1 AND id IN (SELECT group_id FROM removed) RETURNING *
       ), ${auditSql(scope, groupResourceType.name, note, images, sqlContext(parameters, ''))} SELECT 1`,
      parameters,
    );
  }

  private async add(scope: Scope, groupId: string, given: readonly Link[]): Promise<readonly string[]> {
    const { ignoreUnknownMembers } = scope.settings;
    const malformed = given.find((link) => !isResourceId(link.value));
    if (malformed && !ignoreUnknownMembers) throw noSuchMember(malformed.value);
    const links = malformed ? given.filter((link) => isResourceId(link.value)) : given;
    if (links.length === 0) return unchanged.added;
    if (links.some((link) => link.value === groupId)) {
      throw new ScimError('invalidValue', 'members: a group cannot be a member of itself.');
    }
    const [result] = await this.statements.run<AddResult>(scope, addSql, [
      scope.tenant.id,
      groupId,
      links.map((link) => link.value).join(),
      links.map((link) => link.type ?? '').join(),
    ]);
    if (result?.missing != null && !ignoreUnknownMembers) throw noSuchMember(result.missing);
    if (result?.mistyped != null) {
      throw new ScimError(
        'invalidValue',
        `members: the "type" of ${quote(result.mistyped)} is not what that resource is.`,
      );
    }
    return listOf(result?.added);
  }

  private async remove(scope: Scope, groupId: string, values: readonly string[]): Promise<readonly string[]> {
    const ids = values.filter(isResourceId);
    if (ids.length === 0) return unchanged.removed;
    return this.deleteWhere(scope, groupId, `m.member_id = ANY(${idsIn('$3')})`, [ids.join()]);
  }

  private removeOthers(scope: Scope, groupId: string, kept: readonly Link[]): Promise<readonly string[]> {
    const ids = kept.map((link) => link.value).filter(isResourceId);
    const isKept = `EXISTS (SELECT 1 FROM unnest(${idsIn('$3')}) AS kept(id) WHERE kept.id = m.member_id)`;
    return this.deleteWhere(scope, groupId, `NOT ${isKept}`, [ids.join()]);
  }

  private removeWhere(scope: Scope, groupId: string, filter: BoundFilter): Promise<readonly string[]> {
    const parameters: unknown[] = [scope.tenant.id, groupId];
    const context = sqlContext(parameters, scope.baseUrl);
    const elements = memberElements(context);
    const condition = new SqlCompiler(groupColumns, context).elementCondition(filter, elements);
    const matching = `m.member_id IN (SELECT e.value FROM groups r, LATERAL ${elements.from}
      WHERE r.tenant_id = $1 AND r.id = $2 AND (${condition}))`;
    return this.deleteWhere(scope, groupId, matching, parameters.slice(2));
  }

  private async deleteWhere(
    scope: Scope,
    groupId: string,
    condition: string,
    parameters: readonly unknown[],
  ): Promise<readonly string[]> {
    const [row] = await this.statements.run<{ removed: string | null }>(
      scope,
      `WITH removed AS (
         DELETE FROM group_members m WHERE m.tenant_id = $1 AND m.group_id = $2 AND ${condition} RETURNING m.member_id
       ) SELECT string_agg(member_id::text, ',') AS removed FROM removed`,
      [scope.tenant.id, groupId, ...parameters],
    );
    return listOf(row?.removed);
  }
}

interface AddResult {
  /** With commas between; null when none was added. */
  readonly added: string | null;
  readonly missing: string | null;
  readonly mistyped: string | null;
}

// Very many ids go to the database and come back as one text: as an array, each would be quoted and parsed by itself.
const idsIn = (parameter: string): string => `string_to_array(${parameter}::text, ',')::uuid[]`;
const listOf = (ids: string | null | undefined): string[] => (ids ? ids.split(',') : []);

// One statement whatever the number of members: those that exist are added, and one that cannot be is named.
const addSql = `
  WITH given AS (
    SELECT * FROM unnest(${idsIn('$3')}, string_to_array($4::text, ',', '')) AS given(id, type)
  ),
  found AS (
    SELECT u.id, 'User' AS type FROM users u WHERE u.tenant_id = $1 AND u.id IN (SELECT id FROM given)
    UNION ALL
    SELECT g.id, 'Group' AS type FROM groups g WHERE g.tenant_id = $1 AND g.id IN (SELECT id FROM given)
  ),
  added AS (
    INSERT INTO group_members (tenant_id, group_id, member_id, member_type)
    SELECT $1, $2, found.id, found.type FROM found ORDER BY found.id
    ON CONFLICT DO NOTHING RETURNING member_id
  )
  SELECT (SELECT string_agg(member_id::text, ',') FROM added) AS added,
    (SELECT given.id FROM given LEFT JOIN found USING (id) WHERE found.id IS NULL LIMIT 1) AS missing,
    (SELECT given.id FROM given JOIN found USING (id) WHERE given.type <> found.type LIMIT 1) AS mistyped`;

const memberColumn = (type: 'User' | 'Group'): string => (type === 'User' ? 'member_user_id' : 'member_group_id');
const memberTable = (type: 'User' | 'Group'): string => (type === 'User' ? 'users' : 'groups');

/** The same words for an id that is unknown, malformed, deleted or another tenant's. */
function noSuchMember(id: string): ScimError {
  return new ScimError('invalidValue', `members: there is no user or group with the id ${quote(id)}.`);
}
