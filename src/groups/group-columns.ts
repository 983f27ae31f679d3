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

/** An SQL expression for the JSON text of a member: of its `member_id`, `member_type` and `name`, as columns of `m`. */
function memberJson(context: SqlContext): string {
  const user = urlJson(context, userResourceType.endpoint, 'm.member_id');
  const group = urlJson(context, groupResourceType.endpoint, 'm.member_id');
  return `'{"value":"' || m.member_id || '","$ref":"' || CASE m.member_type WHEN 'User' THEN ${user} ELSE ${group} END
    || '","type":"' || m.member_type || '","display":' || to_json(m.name) || '}'`;
}

/** What the text of a group may hold, for it to be one text. */
export interface MemberBounds {
  readonly members: number;
  /** Bytes of the members' names together, before they are written as JSON. */
  readonly nameBytes: number;
}

/**
 * An SQL expression for `,"members":[…]` of the group `r`; empty when it has none (RFC 7643 section 4.2), and null when they
 * are beyond the bounds. Names are measured before they are read, so that what is too much is not even unpacked.
 */
export function membersJson(context: SqlContext, { members, nameBytes }: MemberBounds): string {
  return `(WITH m AS MATERIALIZED (
      SELECT m.member_id, m.member_type, ${memberName} AS name FROM (
        SELECT * FROM group_members m WHERE m.tenant_id = r.tenant_id AND m.group_id = r.id
        ORDER BY m.member_id LIMIT ${members} + 1
      ) m ${memberRows})
    SELECT CASE WHEN s.members = 0 THEN '' WHEN s.members <= ${members} AND s.bytes <= ${nameBytes}
      THEN (SELECT ',"members":[' || string_agg(${memberJson(context)}, ',' ORDER BY m.member_id) || ']' FROM m) END
    FROM (SELECT count(*) AS members, sum(octet_length(m.name)) AS bytes FROM m) s)`;
}

/**
 * A query for the JSON text of a group's next members, joined by commas, and how many ids it took: as many as have names of
 * so many bytes, and one at least. Who is no more is left out.
 * @param ids the placeholder of their ids, in order
 */
export function memberBatchSql(context: SqlContext, ids: string, nameBytes: number): string {
  return `SELECT string_agg(${memberJson(context)}, ',' ORDER BY m.n) AS json, max(m.n)::integer AS taken
    FROM (
      SELECT m.*, sum(m.bytes) OVER (ORDER BY m.n) - m.bytes AS before FROM (
        SELECT i.n, i.id AS member_id, CASE WHEN u.id IS NULL THEN 'Group' ELSE 'User' END AS member_type,
          ${memberName} AS name, coalesce(octet_length(${memberName}), 0) AS bytes
        FROM unnest(${ids}::uuid[]) WITH ORDINALITY AS i(id, n)
          LEFT JOIN users u ON u.tenant_id = ${context.tenant} AND u.id = i.id
          LEFT JOIN groups g ON u.id IS NULL AND g.tenant_id = ${context.tenant} AND g.id = i.id
      ) m
    ) m WHERE m.before < ${nameBytes}`;
}
