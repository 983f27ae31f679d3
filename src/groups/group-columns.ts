import {
  commonColumns,
  type SqlContext,
  type SqlElements,
  type TableColumns,
} from '../persistence/filter-sql/columns.js';
import { foldCase, groupResourceType, userResourceType } from '../scim/index.js';

const memberName = `coalesce(u.display, g.display_name)`;
const foldedMemberName = `coalesce(u.display_key, g.display_name_key)`;

/** The members of the group `r`, with the rows they refer to as `u` or `g`. */
const members = `group_members m
  LEFT JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.member_user_id
  LEFT JOIN groups g ON g.tenant_id = m.tenant_id AND g.id = m.member_group_id
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
  elements: { members: memberElements },
};

/** An SQL expression for `,"members":[…]` of the group `r`; empty when it has none (RFC 7643 section 4.2). */
export function membersJson(context: SqlContext): string {
  return `coalesce((SELECT ',"members":[' || string_agg(
      '{"value":"' || m.member_id || '","$ref":' || to_json(${endpointUrl(context)} || m.member_id)
      || ',"type":"' || m.member_type || '","display":' || to_json(${memberName}) || '}', ',' ORDER BY m.member_id) || ']'
    FROM ${members}), '')`;
}
