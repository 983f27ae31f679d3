/** Runs a query on the database that is looked at. */
export type Query = <Row extends object>(sql: string) => Promise<Row[]>;

const tables = [
  ['users', 'User'],
  ['groups', 'Group'],
] as const;

/** Each query finds the rows that contradict one rule of the stored directory. */
const rules: Readonly<Record<string, string>> = {
  'a membership without its group or member': `
    SELECT m.group_id AS id FROM group_members m
    LEFT JOIN groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
    LEFT JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.member_id
    LEFT JOIN groups n ON n.tenant_id = m.tenant_id AND n.id = m.member_id
    WHERE g.id IS NULL OR (u.id IS NULL AND n.id IS NULL)`,
  ...Object.fromEntries(
    tables.flatMap(([table, type]) => [
      [
        `a ${type} whose version is not its number of audit events`,
        `SELECT r.id FROM ${table} r LEFT JOIN audit_events a
           ON a.tenant_id = r.tenant_id AND a.resource_id = r.id::text AND a.resource_type = '${type}'
         GROUP BY r.tenant_id, r.id, r.version HAVING count(a.id) <> r.version`,
      ],
      [
        `a ${type} that differs from its last audit event`,
        `SELECT r.id FROM ${table} r JOIN LATERAL (
           SELECT a.after, a.changes FROM audit_events a
           WHERE a.tenant_id = r.tenant_id AND a.resource_id = r.id::text ORDER BY a.id DESC LIMIT 1) a ON TRUE
         WHERE a.changes IS NULL AND a.after::jsonb IS DISTINCT FROM r.document::jsonb`,
      ],
      [
        `an audit event of a ${type} that is neither there nor deleted`,
        `SELECT a.resource_id AS id FROM audit_events a
         WHERE a.resource_type = '${type}'
           AND NOT EXISTS (SELECT 1 FROM ${table} r WHERE r.tenant_id = a.tenant_id AND r.id::text = a.resource_id)
           AND NOT EXISTS (SELECT 1 FROM audit_events d WHERE d.tenant_id = a.tenant_id
             AND d.resource_id = a.resource_id AND d.operation = 'delete')
           AND EXISTS (SELECT 1 FROM tenants t WHERE t.id = a.tenant_id)`,
      ],
      [
        `a total of ${type}s that is not count(*)`,
        `SELECT t.id FROM tenants t WHERE
           (SELECT count(*) FROM ${table} r WHERE r.tenant_id = t.id) <>
           coalesce((SELECT sum(c.n) FROM resource_counts c
             WHERE c.tenant_id = t.id AND c.resource_type = '${type}'), 0) +
           coalesce((SELECT sum(c.n) FROM resource_count_changes c
             WHERE c.tenant_id = t.id AND c.resource_type = '${type}'), 0)`,
      ],
    ]),
  ),
  'a group whose members are not what its audit events leave': `
    WITH changes AS (
      SELECT a.tenant_id, a.resource_id, c.value AS member, 1 AS n FROM audit_events a,
        json_array_elements_text(a.members -> 'added') c
      UNION ALL
      SELECT a.tenant_id, a.resource_id, c.value, -1 FROM audit_events a,
        json_array_elements_text(a.members -> 'removed') c
    ), left_over AS (
      SELECT tenant_id, resource_id, member, sum(n) AS n FROM changes GROUP BY 1, 2, 3
    )
    SELECT g.id FROM groups g JOIN left_over l ON l.tenant_id = g.tenant_id AND l.resource_id = g.id::text
    WHERE l.n <> (SELECT count(*) FROM group_members m
      WHERE m.tenant_id = g.tenant_id AND m.group_id = g.id AND m.member_id::text = l.member)
    UNION
    SELECT m.group_id FROM group_members m WHERE NOT EXISTS (SELECT 1 FROM left_over l
      WHERE l.tenant_id = m.tenant_id AND l.resource_id = m.group_id::text AND l.member = m.member_id::text AND l.n = 1)`,
};

/**
 * Looks for what no sequence of whole requests can leave: half-applied changes, changes without an audit event, totals
 * that are not those of the rows. One snapshot for all rules. Groups must have come and gone by at most 1,000 members a
 * request, which is what an audit event lists.
 * @returns a line for each contradiction
 */
export async function inconsistencies(query: Query): Promise<string[]> {
  const parts = Object.entries(rules).map(([rule, sql]) => `SELECT '${rule}' AS rule, id::text AS id FROM (${sql}) r`);
  const rows = await query<{ rule: string; id: string }>(parts.join('\nUNION ALL\n'));
  return rows.map(({ rule, id }) => `${rule}: ${id}`);
}
