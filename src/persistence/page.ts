import { directoryPlace, directoryTotal } from './directory.js';
import type { SqlContext, SqlValue } from './filter-sql/columns.js';

/** A table that a page is taken from. */
export interface PageSource {
  readonly table: string;
  /** The resource type's name. */
  readonly type: string;
  /** Which of the tenant's rows `r` match; absent when all do. */
  readonly condition?: string;
  /** Whether it takes next to no time to find them: there is one at most. */
  readonly isLookUp: boolean;
  /** What the rows are ordered by, before their ids; undefined when the table has nothing to order by. */
  readonly key: SqlValue | undefined;
  /** An SQL expression for the JSON text of a row `r`; asked for only when there are rows to represent. */
  readonly representation: () => string;
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

/** One page, as it was read. */
export interface StoredPage {
  /** The resources' JSON texts, in the list's order. */
  readonly texts: readonly string[];
  readonly totalResults: number;
  /** The place of the page's last row, when more rows come behind it; found only for pages without an offset. */
  readonly last?: Position;
}

/** A row of the statement of `pageSql`: a resource, how many match in all, and its place when the page has no offset. */
export interface PageRow extends Partial<Position> {
  readonly json: string;
  readonly total: number;
}

const collated = ({ sql, type }: SqlValue): string => (type === 'text' ? `(${sql}) COLLATE "C"` : `(${sql})`);

/**
 * Makes the statement for one page over one or more tables: sort keys and ids first, so that only the page's own rows
 * are represented. Rows come by sort key, then by source, then by id; a missing key comes last when ascending and first
 * when descending (RFC 7644 section 3.4.2.3), which is also PostgreSQL's order of nulls.
 *
 * It yields a `PageRow` for each resource, and without an offset one more if there are more. A statement without rows
 * cannot tell the total: `totalSql` can.
 * @param bounds a count of at least 1
 */
export function pageSql(sources: readonly PageSource[], bounds: PageBounds, context: SqlContext): string {
  const key = sources.find((source) => source.key)?.key;
  const direction = bounds.descending ? 'DESC' : 'ASC';
  const order = [...(key ? [`p.key ${direction}`] : []), ...(sources.length > 1 ? ['p.source'] : []), 'p.id'].join(
    ', ',
  );
  // A table without the sort attribute has no keys, of the same type as the others'.
  const noKey = collated({ sql: `NULL::${key?.type ?? 'text'}`, type: key?.type ?? 'text' });
  const start = startSql(sources, bounds, context);
  const rows = sources
    .map((source, index) => {
      const key = source.key ? collated(source.key) : noKey;
      return `SELECT ${index} AS source, r.id, ${key} AS key FROM ${rowsSql(source, context)}${start.condition}`;
    })
    .join(' UNION ALL ');
  // What a filter matches is found once, to be counted and for the page.
  const isFiltered = sources.some(({ condition }) => condition !== undefined);
  const candidates = isFiltered ? `SELECT c.*, count(*) OVER () AS total FROM (${rows}) c` : rows;
  const isAfter = bounds.after === undefined ? '' : `WHERE ${afterSql(sources, bounds.after, bounds, context)}`;
  const size = context.parameter(bounds.offset === undefined ? bounds.count + 1 : bounds.count);
  const total = isFiltered ? 'p.total' : `(${totalOf(sources, context)})`;
  const place = bounds.offset === undefined ? placeSql(sources.length, key) : '';
  // The texts are looked up row by row: a planner that expects other numbers might read a table from end to end.
  return `${start.cte}
    SELECT t.json, ${total}::integer AS total${place}
    FROM (SELECT p.* FROM (${candidates}) p ${isAfter} ORDER BY ${order} LIMIT ${size}::bigint${start.offset}) p
    CROSS JOIN LATERAL (${sources.map((source, index) => textSql(source, index, context)).join(' UNION ALL ')}) t
    ORDER BY ${order}`;
}

/** The columns of a row's `Position`, without those that are the same for all rows. */
function placeSql(sources: number, key: SqlValue | undefined): string {
  return `${sources > 1 ? ', p.source' : ''}, p.id${key ? ', p.key::text AS key' : ''}`;
}

/** Makes the statement for how many rows match in all, as `total`. */
export function totalSql(sources: readonly PageSource[], context: SqlContext): string {
  return `SELECT (${totalOf(sources, context)})::integer AS total`;
}

const rowsSql = ({ table, condition }: PageSource, { tenant }: SqlContext): string =>
  `${table} r WHERE r.tenant_id = ${tenant}${condition === undefined ? '' : ` AND (${condition})`}`;

function totalOf(sources: readonly PageSource[], context: SqlContext): string {
  const totals = sources.map((source) =>
    source.condition === undefined
      ? directoryTotal(source.type, context)
      : `SELECT count(*) FROM ${rowsSql(source, context)}`,
  );
  return totals.map((total) => `(${total})`).join(' + ');
}

/** Where the rows of a page by index begin. */
interface PageStart {
  /** A common table expression that the rest needs. */
  readonly cte: string;
  /** What the candidates must meet besides. */
  readonly condition: string;
  readonly offset: string;
}

/** Pages deep in a whole, unsorted directory begin at a place that is looked up; others count from the first row. */
function startSql(sources: readonly PageSource[], { offset }: PageBounds, context: SqlContext): PageStart {
  if (offset === undefined) return { cte: '', condition: '', offset: '' };
  const [source] = sources;
  const isWhole = sources.length === 1 && source?.condition === undefined && source?.key === undefined;
  const skipped = `${context.parameter(offset)}::bigint`;
  if (!source || !isWhole || offset < shortOffset) return { cte: '', condition: '', offset: ` OFFSET ${skipped}` };
  return {
    cte: `WITH start AS MATERIALIZED (${directoryPlace(source.type, skipped, context)})`,
    condition: ' AND r.id >= (SELECT start.id FROM start)',
    offset: ` OFFSET ${skipped} - (SELECT start.before FROM start)`,
  };
}

// Skipping this many index entries takes no longer than looking the place up.
const shortOffset = 2000;

/** The text of the row `p`, if it is of this source. OFFSET 0 keeps a planner from joining it in another way. */
function textSql({ table, representation }: PageSource, index: number, { tenant }: SqlContext): string {
  return `(SELECT ${representation()} AS json FROM ${table} r
    WHERE p.source = ${index} AND r.tenant_id = ${tenant} AND r.id = p.id OFFSET 0)`;
}

/** The condition that a candidate `p` comes after a position in the order of `pageSql`. */
function afterSql(
  sources: readonly PageSource[],
  after: Position,
  { descending }: PageBounds,
  { parameter }: SqlContext,
): string {
  const id = `${parameter(after.id)}::uuid`;
  const tie = sources.length === 1 ? `p.id > ${id}` : `(p.source, p.id) > (${parameter(after.source)}::integer, ${id})`;
  const key = sources.find((source) => source.key)?.key;
  if (!key) return tie;
  if (after.key === null) return `(p.key IS NULL AND ${tie})${descending ? ' OR p.key IS NOT NULL' : ''}`;
  const bound = `${parameter(after.key)}::${key.type}`;
  // Said twice, because an index is entered by the first condition.
  const beyond = descending
    ? `p.key <= ${bound} AND (p.key < ${bound} OR ${tie})`
    : `p.key >= ${bound} AND (p.key > ${bound} OR ${tie})`;
  const hasMissing = !descending && !(sources.length === 1 && key.required);
  return hasMissing ? `(${beyond}) OR p.key IS NULL` : beyond;
}
