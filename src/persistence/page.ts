import { directoryPlace, directoryTotal } from './directory.js';
import type { SqlContext, SqlValue } from './filter-sql/columns.js';
import type { RepresentationSql } from './representation.js';

/** A table that a page is taken from. */
export interface PageSource {
  readonly table: string;
  /** The resource type's name. */
  readonly type: string;
  /** Which of the tenant's rows `r` match; absent when all do. */
  readonly condition?: string;
  /** What the rows are ordered by, before their ids; undefined when the table has nothing to order by. */
  readonly key: SqlValue | undefined;
  /** How its rows are represented; asked for only when there are rows to represent. */
  readonly representation: () => RepresentationSql;
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
  if (bounds.count === 0) {
    const total = totalSql(sources, context);
    return `SELECT '' AS json, 0 AS size, (${total})::integer AS "totalResults", FALSE AS "hasMore", NULL AS last`;
  }
  const key = sources.find((source) => source.key)?.key;
  const direction = bounds.descending ? 'DESC' : 'ASC';
  const order = [...(key ? [`key ${direction}`] : []), ...(sources.length > 1 ? ['source'] : []), 'id'].join(', ');
  // A table without the sort attribute has no keys, of the same type as the others'.
  const noKey = collated({ sql: `NULL::${key?.type ?? 'text'}`, type: key?.type ?? 'text' });
  const size = `${context.parameter(bounds.count)}::bigint`;
  const place = placeSql(sources, bounds, context);
  const candidates = sources
    .map((source, index) => {
      const key = source.key ? collated(source.key) : noKey;
      return `SELECT ${index} AS source, r.id, ${key} AS key FROM ${rowsSql(source, context)}${place.from}`;
    })
    .join(' UNION ALL ');
  const isFiltered = sources.some(({ condition }) => condition !== undefined);
  const isAfter = bounds.after === undefined ? '' : `WHERE ${afterSql(sources, bounds.after, bounds, context)}`;
  const texts = sources.map((source, index) => `${textSql(source, context)}${only(sources, index)}`);
  const total = isFiltered ? '(SELECT count(*) FROM matching)' : totalSql(sources, context);
  const counted = bounds.offset === undefined ? total : countedSql(total, size, context.parameter(bounds.offset));
  // What a filter matches is found once, to be counted and for the page. One row more than the page tells of more.
  return `
    WITH ${place.cte} ${isFiltered ? `matching AS MATERIALIZED (${candidates}), ` : ''} found AS MATERIALIZED (
      SELECT c.* FROM ${isFiltered ? 'matching' : `(${candidates})`} c ${isAfter} ORDER BY ${order}
      LIMIT ${size} + 1${place.offset}
    ), page AS MATERIALIZED (
      SELECT found.*, row_number() OVER (ORDER BY ${order}) AS place FROM found ORDER BY ${order} LIMIT ${size}
    ), texts AS (
      ${texts.join(' UNION ALL ')}
    )
    SELECT coalesce((SELECT string_agg(t.json, ',' ORDER BY t.place) FROM texts t), '') AS json,
      (SELECT count(*) FROM page)::integer AS size, (${counted})::integer AS "totalResults",
      (SELECT count(*) FROM found) > ${size} AS "hasMore",
      (SELECT json_build_object('source', l.source, 'id', l.id, 'key', l.key::text)
       FROM page l ORDER BY l.place DESC LIMIT 1) AS last`;
}

const rowsSql = ({ table, condition }: PageSource, { tenant }: SqlContext): string =>
  `${table} r WHERE r.tenant_id = ${tenant}${condition === undefined ? '' : ` AND (${condition})`}`;

/** How many rows match in all. */
function totalSql(sources: readonly PageSource[], context: SqlContext): string {
  const totals = sources.map((source) =>
    source.condition === undefined
      ? directoryTotal(source.type, context)
      : `SELECT count(*) FROM ${rowsSql(source, context)}`,
  );
  return totals.map((total) => `(${total})`).join(' + ');
}

/** The total, without counting when the page shows where the list ends. */
function countedSql(total: string, size: string, offset: string): string {
  return `SELECT CASE WHEN f.n <= ${size} AND (f.n > 0 OR ${offset}::bigint = 0) THEN ${offset}::bigint + f.n ELSE ${total} END
    FROM (SELECT count(*) AS n FROM found) f`;
}

/** Where the rows of a page by index begin. */
interface PageStart {
  /** A common table expression that the rest needs, with its comma. */
  readonly cte: string;
  /** What the candidates must meet. */
  readonly from: string;
  readonly offset: string;
}

/** Pages deep in a whole, unsorted directory begin at a place that is looked up; others count from the first row. */
function placeSql(sources: readonly PageSource[], { offset }: PageBounds, context: SqlContext): PageStart {
  if (offset === undefined) return { cte: '', from: '', offset: '' };
  const [source] = sources;
  const isWhole = sources.length === 1 && source?.condition === undefined && source?.key === undefined;
  const skipped = `${context.parameter(offset)}::bigint`;
  if (!source || !isWhole || offset < shortOffset) return { cte: '', from: '', offset: ` OFFSET ${skipped}` };
  return {
    cte: `start AS MATERIALIZED (${directoryPlace(source.type, skipped, context)}),`,
    from: ' AND r.id >= (SELECT start.id FROM start)',
    offset: ` OFFSET ${skipped} - (SELECT start.before FROM start)`,
  };
}

// Skipping this many index entries takes no longer than looking the place up.
const shortOffset = 2000;

// What is true of all rows goes unsaid: a planner would expect it to leave few.
const only = (sources: readonly PageSource[], index: number): string =>
  sources.length === 1 ? '' : ` WHERE p.source = ${index}`;

function textSql({ table, representation }: PageSource, { tenant }: SqlContext): string {
  const { text, joins } = representation();
  return `SELECT p.place, ${text} AS json FROM page p JOIN ${table} r ON r.tenant_id = ${tenant} AND r.id = p.id ${joins}`;
}

/** The condition that a candidate `c` comes after a position in the order of `pageSql`. */
function afterSql(
  sources: readonly PageSource[],
  after: Position,
  { descending }: PageBounds,
  { parameter }: SqlContext,
): string {
  const id = `${parameter(after.id)}::uuid`;
  const tie = sources.length === 1 ? `c.id > ${id}` : `(c.source, c.id) > (${parameter(after.source)}::integer, ${id})`;
  const key = sources.find((source) => source.key)?.key;
  if (!key) return tie;
  if (after.key === null) return `(c.key IS NULL AND ${tie})${descending ? ' OR c.key IS NOT NULL' : ''}`;
  const bound = `${parameter(after.key)}::${key.type}`;
  // Said twice, because an index is entered by the first condition.
  const beyond = descending
    ? `c.key <= ${bound} AND (c.key < ${bound} OR ${tie})`
    : `c.key >= ${bound} AND (c.key > ${bound} OR ${tie})`;
  const hasMissing = !descending && !(sources.length === 1 && key.required);
  return hasMissing ? `(${beyond}) OR c.key IS NULL` : beyond;
}
