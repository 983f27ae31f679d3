import {
  commonColumns,
  type SqlContext,
  type SqlElements,
  type TableColumns,
} from '../persistence/filter-sql/columns.js';
import { urlJson } from '../persistence/representation.js';
import { foldCase, groupResourceType, userResourceType } from '../scim/index.js';

const memberName = `coalesce(u.display, g.display_name)`;
const foldedMemberName = `coalesce(u.display_key, g.display_name_key)`;

const memberRows = `
  LEFT JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.member_user_id
  LEFT JOIN groups g ON g.tenant_id = m.tenant_id AND g.id = m.member_group_id`;

/** The members of the group `r`, with the rows they refer to as `u` or `g`. */
const members = `group_members m ${memberRows}
  WHERE m.tenant_id = r.tenant_id AND m.group_id = r.id`;

function endpointUrl({ parameter, baseUrl }: SqlContext): string {
  const users = parameter(`${baseUrl}${userResourceType.endpoint}/`);
  const groups = parameter(`${baseUrl}${groupResourceType.endpoint}/`);
  return `CASE m.member_type WHEN 'User' THEN ${users}::text ELSE ${groups}::text END`;
}

/** The members of the group `r` as elements. */
export function memberElements(context: SqlContext): SqlElements {
  return {
    from: `(SELECT m.member_id AS value, ${endpointUrl(context)} || m.member_id AS ref,
              CASE m.member_type WHEN 'User' THEN '${foldCase('User')}' ELSE '${foldCase('Group')}' END AS type,
              ${foldedMemberName} AS display FROM ${members}) e`,
    fields: {
      value: { sql: 'e.value', type: 'uuid' },
      $ref: { sql: 'e.ref', type: 'text' },
      type: { sql: 'e.type', type: 'text' },
      display: { sql: 'e.display', type: 'text' },
    },
  };
}

/** Where the groups table keeps what is not in its folded document. */
export const groupColumns: TableColumns = {
  table: 'groups',
  values: {
    ...commonColumns(groupResourceType.name, groupResourceType.endpoint),
    displayName: () => ({ sql: 'r.display_name_key', type: 'text', required: true }),
  },
  unique: ['id'],
  elements: { members: memberElements },
};

function memberJson(context: SqlContext): string {
  const user = urlJson(context, userResourceType.endpoint, 'm.member_id');
  const group = urlJson(context, groupResourceType.endpoint, 'm.member_id');
  return `'{"value":"' || m.member_id || '","$ref":"' || CASE m.member_type WHEN 'User' THEN ${user} ELSE ${group} END
    || '","type":"' || m.member_type || '","display":' || to_json(${memberName}) || '}'`;
}

/** A query for the JSON text of a group's next members, joined by commas, and the id of the last of them. */
export function memberBatchSql(
  context: SqlContext,
  { group, after, count }: Readonly<Record<'group' | 'after' | 'count', string>>,
): string {
  return `SELECT string_agg(b.json, ',' ORDER BY b.member_id) AS json,
      (array_agg(b.member_id ORDER BY b.member_id DESC))[1] AS last
    FROM (
      SELECT m.member_id, ${memberJson(context)} AS json FROM (
        SELECT * FROM group_members m
        WHERE m.tenant_id = ${context.tenant} AND m.group_id = ${group} AND m.member_id > ${after}
        ORDER BY m.member_id LIMIT ${count}
      ) m ${memberRows}
    ) b`;
}

/** An SQL expression for `,"members":[…]` of the group `r`; empty when it has none (RFC 7643 section 4.2). */
export function membersJson(context: SqlContext): string {
  return `coalesce((SELECT ',"members":[' || string_agg(${memberJson(context)}, ',' ORDER BY m.member_id) || ']'
    FROM ${members}), '')`;
}

/** An SQL condition for groups `r` of no more than a number of members. */
export const hasAtMost = (count: string): string =>
  `(SELECT count(*) FROM (SELECT 1 FROM group_members m WHERE m.tenant_id = r.tenant_id AND m.group_id = r.id
    LIMIT ${count} + 1) counted) <= ${count}`;
