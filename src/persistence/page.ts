import type { SqlContext, SqlValue } from './filter-sql/columns.js';

/** A table that a page is taken from. */
export interface PageSource {
  readonly table: string;
  /** Which rows `r` match. */
  readonly where: string;
  /** What the rows are ordered by, before their ids; undefined when the table has nothing to order by. */
  readonly key: SqlValue | undefined;
  /** The complete JSON text of the row `r`, and the joins it needs; asked for only when there are rows to represent. */
  readonly representation: () => { readonly text: string; readonly joins: string };
}

/** The place of a row in an ordered list: what comes after it is the next page. */
export interface Position {
  /** The index of its source. */
  readonly source: number;
  readonly id: string;
  /** Its sort key as text; null when it has none. */
  readonly key: string | null;
}

/** Which part of the list a page is. */
export interface PageBounds {
  readonly count: number;
  /** How many rows come before the page. Not together with `after`. */
  readonly offset?: number;
  readonly after?: Position;
  readonly descending: boolean;
}

/** One page, as its statement returns it: the resources' JSON texts joined by commas. */
export interface StoredPage {
  readonly json: string;
  readonly size: number;
  readonly totalResults: number;
  /** Whether more rows come behind the page. */
  readonly hasMore: boolean;
  /** The page's last row; absent when it has none. */
  readonly last?: Position;
}

/** A row of the statement of `pageSql`. */
export type PageRow = Omit<StoredPage, 'last'> & { readonly last: Position | null };

const collated = ({ sql, type }: SqlValue): string => (type === 'text' ? `(${sql}) COLLATE "C"` : `(${sql})`);

/**
 * Makes the statement for one page over one or more tables: sort keys and ids first, so that only the page's own rows
 * are represented. Rows come by sort key, then by source, then by id; a missing key comes last when ascending and first
 * when descending (RFC 7644 section 3.4.2.3), which is also PostgreSQL's order of nulls. Its one row is a `PageRow`.
 */
export function pageSql(sources: readonly PageSource[], bounds: PageBounds, context: SqlContext): string {
  const total = sources.map(({ table, where }) => `(SELECT count(*) FROM ${table} r WHERE ${where})`).join(' + ');
  if (bounds.count === 0) {
    return `SELECT '' AS json, 0 AS size, (${total})::integer AS "totalResults", FALSE AS "hasMore", NULL AS last`;
  }
  const key = sources.find((source) => source.key)?.key;
  const direction = bounds.descending ? 'DESC' : 'ASC';
  const order = [...(key ? [`key ${direction}`] : []), ...(sources.length > 1 ? ['source'] : []), 'id'].join(', ');
  // A table without the sort attribute has no keys, of the same type as the others'.
  const noKey = collated({ sql: `NULL::${key?.type ?? 'text'}`, type: key?.type ?? 'text' });
  const candidates = sources.map((source, index) => candidateSql(source, index, noKey, bounds, context));
  const json = sources.map((source, index) => `WHEN ${index} THEN (${representationSql(source)})`).join(' ');
  const size = `${context.parameter(bounds.count)}::integer`;
  const skipped = bounds.offset === undefined ? '' : ` OFFSET ${context.parameter(bounds.offset)}`;
  // One row more than the page holds tells whether there are more.
  return `
    WITH page AS MATERIALIZED (
      SELECT * FROM (${candidates.join(' UNION ALL ')}) c ORDER BY ${order} LIMIT ${size} + 1${skipped}
    ), numbered AS (
      SELECT page.*, row_number() OVER (ORDER BY ${order}) AS place FROM page
    )
    SELECT coalesce(string_agg(CASE p.source ${json} END, ',' ORDER BY p.place) FILTER (WHERE p.place <= ${size}), '') AS json,
      least(count(*), ${size})::integer AS size, (${total})::integer AS "totalResults", count(*) > ${size} AS "hasMore",
      (SELECT json_build_object('source', l.source, 'id', l.id, 'key', l.key::text)
       FROM numbered l WHERE l.place <= ${size} ORDER BY l.place DESC LIMIT 1) AS last
    FROM numbered p`;
}

function representationSql({ table, representation }: PageSource): string {
  const { text, joins } = representation();
  return `SELECT ${text} FROM ${table} r ${joins} WHERE r.tenant_id = $1 AND r.id = p.id`;
}

function candidateSql(
  source: PageSource,
  index: number,
  noKey: string,
  bounds: PageBounds,
  context: SqlContext,
): string {
  const key = source.key ? collated(source.key) : noKey;
  const after = bounds.after === undefined ? '' : ` AND (${afterSql(source, index, bounds.after, bounds, context)})`;
  return `SELECT ${index} AS source, r.id, ${key} AS key FROM ${source.table} r WHERE ${source.where}${after}`;
}

/** The condition that a row `r` comes after a position in the order of `pageSql`. */
function afterSql(
  { key }: PageSource,
  index: number,
  after: Position,
  { descending }: PageBounds,
  context: SqlContext,
): string {
  const tie =
    index === after.source ? `r.id > ${context.parameter(after.id)}::uuid` : index > after.source ? 'TRUE' : 'FALSE';
  const value = key ? collated(key) : 'NULL';
  if (after.key === null) return `(${value} IS NULL AND ${tie})${descending ? ` OR ${value} IS NOT NULL` : ''}`;
  if (!key) return descending ? 'FALSE' : 'TRUE';
  const bound = `${context.parameter(after.key)}::${key.type}`;
  const beyond = descending ? `${value} < ${bound}` : `${value} > ${bound} OR ${value} IS NULL`;
  return `${beyond} OR (${value} = ${bound} AND ${tie})`;
}
