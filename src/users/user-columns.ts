import {
  commonColumns,
  type SqlContext,
  type SqlElements,
  type TableColumns,
} from '../persistence/filter-sql/columns.js';
import { mostGroupsSetting } from '../persistence/look-ups.js';
import { openDocument, urlJson } from '../persistence/representation.js';
import { enterpriseUserUrn, groupResourceType, userResourceType } from '../scim/index.js';

/** The most groups that the statement may collect; null where there is no bound. */
const mostGroups = `current_setting('${mostGroupsSetting}', TRUE)::integer`;

/** The groups of the user `r`, direct and through nested groups, each once. */
const closure = `SELECT g.id, g.display_name, g.display_name_key, CASE WHEN c.direct THEN 'direct' ELSE 'indirect' END AS type
  FROM groups_of_user(r.tenant_id, r.id) c JOIN groups g ON g.tenant_id = r.tenant_id AND g.id = c.group_id`;

function groupUrl({ parameter, baseUrl }: SqlContext): string {
  return `${parameter(`${baseUrl}${groupResourceType.endpoint}/`)}::text`;
}

function groupElements(context: SqlContext): SqlElements {
  return {
    from: `(SELECT c.id AS value, ${groupUrl(context)} || c.id AS ref, c.type, c.display_name_key AS display FROM (${closure}) c) e`,
    fields: {
      value: { sql: 'e.value', type: 'uuid' },
      $ref: { sql: 'e.ref', type: 'text' },
      type: { sql: 'e.type', type: 'text' },
      display: { sql: 'e.display', type: 'text' },
    },
  };
}

function userUrl({ parameter, baseUrl }: SqlContext): string {
  return `${parameter(`${baseUrl}${userResourceType.endpoint}/`)}::text`;
}

const managerOf = (value: string): string =>
  `(SELECT ${value} FROM users mgr WHERE mgr.tenant_id = r.tenant_id AND mgr.id = r.manager_id)`;

/** Where the users table keeps what is not in its folded document. */
export const userColumns: TableColumns = {
  table: 'users',
  values: {
    ...commonColumns(userResourceType.name, userResourceType.endpoint),
    userName: () => ({ sql: 'r.user_name_key', type: 'text', required: true }),
    active: () => ({ sql: 'r.active', type: 'boolean' }),
    [`${enterpriseUserUrn}:manager.displayName`]: () => ({
      sql: managerOf(`mgr.folded ->> 'displayName'`),
      type: 'text',
    }),
    [`${enterpriseUserUrn}:manager.$ref`]: (context) => ({
      sql: managerOf(`${userUrl(context)} || mgr.id`),
      type: 'text',
    }),
  },
  unique: ['id', 'userName'],
  elements: { groups: groupElements },
};

/**
 * A user of more groups than this has them listed without their names, which may be missing (RFC 7643 section 4.1.2): they
 * are as long as a tenant likes, and a user's text is in memory as a whole.
 */
const mostNamed = 5_000;

/** The JSON text of groups, which a query yields as rows `g` with their `type`; null without any. */
const listOf = (context: SqlContext, name = `'","display":' || to_json(g.display_name)`): string =>
  `',"groups":[' || string_agg('{"value":"' || g.id || '","$ref":"' || ${urlJson(context, groupResourceType.endpoint, 'g.id')}
      || ${name} || ',"type":"' || g.type || '"}', ',' ORDER BY g.id) || ']'`;

/** The JSON text of all groups of the user `r`, which takes longer than that of the direct ones. */
const listOfAll = (context: SqlContext): string =>
  `(SELECT ${listOf(context, `CASE WHEN g.number <= ${mostNamed} THEN '","display":' || to_json(g.display_name) ELSE '"' END`)}
      FROM (SELECT a.*, count(*) OVER () AS number FROM (${closure}) a) g)`;

/** Whether the group of the membership `m` is itself a member of one. */
const isNested = `EXISTS (SELECT 1 FROM group_members n WHERE n.tenant_id = m.tenant_id AND n.member_group_id = m.group_id)`;

/** Whether the tenant has more memberships of groups in groups than the bound: there is no telling how far they lead. */
const isFarNested = `(SELECT count(*) FROM (SELECT 1 FROM group_members n
  WHERE n.tenant_id = r.tenant_id AND n.member_group_id IS NOT NULL LIMIT ${mostGroups} + 1) counted) > ${mostGroups}`;

/**
 * An SQL expression for `,"groups":[…]` of the user `r`; empty when it is in none (RFC 7643 section 4.1.2). The groups that
 * hold the user are looked up; only where one of them is itself in a group the others are followed, which takes longer.
 * On a connection that bounds the groups it is null where there are more.
 */
export function groupsJson(context: SqlContext): string {
  return `(
    SELECT CASE
        WHEN ${mostGroups} IS NOT NULL AND (count(*) > ${mostGroups} OR bool_or(g.is_nested) AND ${isFarNested}) THEN NULL
        WHEN bool_or(g.is_nested) OR count(*) > ${mostNamed} THEN ${listOfAll(context)}
        ELSE coalesce(${listOf(context)}, '') END
    FROM (SELECT d.id, d.display_name, 'direct' AS type, ${isNested} AS is_nested FROM group_members m
      JOIN groups d ON d.tenant_id = m.tenant_id AND d.id = m.group_id
      WHERE m.tenant_id = r.tenant_id AND m.member_user_id = r.id LIMIT least(${mostGroups}, ${mostNamed}) + 1) g)`;
}

/**
 * An SQL expression for the document of the user `r`, without its last brace, with its manager's `$ref` and displayName
 * when the manager exists (RFC 7643 section 4.3). It replaces the stored `"manager":{"value":"…"}`: inside a JSON string
 * that text cannot occur, because its quotes would be escaped.
 */
export function documentWithManager(context: SqlContext): string {
  const stored = `'"manager":{"value":"' || r.manager_id || '"}'`;
  const complete = `'"manager":{"value":"' || mgr.id || '","$ref":"' || ${urlJson(context, userResourceType.endpoint, 'mgr.id')}
    || '"' || coalesce(',"displayName":' || (mgr.document -> 'displayName'), '') || '}'`;
  return `CASE WHEN r.manager_id IS NULL THEN ${openDocument} ELSE coalesce(
    (SELECT replace(${openDocument}, ${stored}, ${complete}) FROM users mgr
      WHERE mgr.tenant_id = r.tenant_id AND mgr.id = r.manager_id), ${openDocument}) END`;
}
