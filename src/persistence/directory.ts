import { literal, type SqlContext } from './filter-sql/columns.js';

/**
 * How many resources a tenant has, and the place of each in the order of their ids, without counting them.
 *
 * `resource_counts` divides the ids of a type into ranges and knows how many resources are in each. Triggers record each
 * resource that comes or goes in `resource_count_changes`, where writers do not meet, and `DirectoryCounts` moves those
 * into the ranges now and then. Ranges and changes together are exact in every snapshot.
 */

/** A query for the number of a type's resources. */
export function directoryTotal(type: string, { tenant }: SqlContext): string {
  const whose = `c.tenant_id = ${tenant} AND c.resource_type = ${literal(type)}`;
  return `SELECT coalesce((SELECT sum(c.n) FROM resource_counts c WHERE ${whose}), 0)
    + coalesce((SELECT sum(c.n) FROM resource_count_changes c WHERE ${whose}), 0)`;
}

/**
 * A query for the start of the range that holds the resource with this index: its first possible `id`, and how many
 * resources are `before` it.
 * @param offset an SQL expression for the index, from 0
 */
export function directoryPlace(type: string, offset: string, { tenant }: SqlContext): string {
  const whose = `c.tenant_id = ${tenant} AND c.resource_type = ${literal(type)}`;
  return `
    SELECT coalesce(s.id, '00000000-0000-0000-0000-000000000000') AS id, coalesce(s.before, 0) AS before
    FROM (VALUES (1)) one LEFT JOIN LATERAL (
      SELECT id, before FROM (
        SELECT id, is_range, sum(n) OVER (ORDER BY id, is_range DESC ROWS UNBOUNDED PRECEDING) - n AS before FROM (
          SELECT c.first_id AS id, c.n::bigint AS n, TRUE AS is_range FROM resource_counts c WHERE ${whose}
          UNION ALL
          SELECT c.resource_id, c.n::bigint, FALSE FROM resource_count_changes c WHERE ${whose}
        ) parts
      ) summed WHERE is_range AND before <= ${offset} ORDER BY id DESC LIMIT 1
    ) s ON TRUE`;
}
