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
  /** An SQL expression for the JSON text of a row `r`, null when it is too large; asked for only when there are rows. */
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

/** What a page still has to read: resources by their ids, in the list's order. */
export interface PageKeys {
  readonly ids: readonly string[];
  /** The index of the source of each; absent with one source. */
  readonly sources?: readonly number[] | null;
  /** The sort key of each as text; absent where there is none. */
  readonly keys?: readonly (string | null)[] | null;
}

/** The resources of a page that one statement read. */
export interface Portion {
  /** The resources' JSON texts, in the list's order. Those that were deleted since the page began are not among them. */
  readonly texts: readonly string[];
  /** The resource behind the texts, when it is too large for one text: to be read by itself. */
  readonly large?: { readonly source: number; readonly id: string };
  /** The resources of the page that come behind; absent when the page is complete. */
  readonly rest?: PageKeys;
  /** The place of the portion's last resource. */
  readonly place: Position;
}

/** A page, as far as its first statement read it. */
export interface StoredPage {
  readonly totalResults: number;
  /** Absent from an empty page. */
  readonly portion?: Portion;
  /** Whether resources come behind the page; known only for pages without an offset. */
  readonly hasMore: boolean;
}

/** From how many bytes of text on a portion ends. The resource that reaches them is its last. */
export const portionBytes = 4_000_000;

/** A row of the statements of `pageSql` and `portionSql`: a resource. */
export interface PortionRow {
  /** Its number in the portion, from 1. */
  readonly n: number;
  /** Null when it is too large, and when it is gone. */
  readonly json: string | null;
  /** Its id, when it is too large. */
  readonly large: string | null;
  /** The portion's end; only in its last row. */
  readonly end: PortionEnd | null;
}

/** Where a portion ends. `null` where there is nothing to say. */
interface PortionEnd {
  readonly total: number;
  readonly more: boolean;
  readonly id: string;
  readonly source: number | null;
  readonly key: string | null;
  readonly ids: string[] | null;
  readonly sources: number[] | null;
  readonly keys: (string | null)[] | null;
}

const collated = ({ sql, type }: SqlValue): string => (type === 'text' ? `(${sql}) COLLATE "C"` : `(${sql})`);

/**
 * Makes the statement for one page over one or more tables, as far as its first portion goes. Sort keys and ids come first,
 * so that only the page's own rows are represented. Rows come by sort key, then by source, then by id; a missing key comes
 * last when ascending and first when descending (RFC 7644 section 3.4.2.3), which is also PostgreSQL's order of nulls.
 *
 * It yields a `PortionRow` for each resource. A statement without rows cannot tell the total: `totalSql` can.
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
  const count = `${context.parameter(bounds.count)}::integer`;
  const limit = bounds.offset === undefined ? `${count} + 1` : count;
  const total = isFiltered ? 'max(p.total)' : `(${totalOf(sources, context)})`;
  const hasKey = key !== undefined && bounds.offset === undefined;
  const keys = `SELECT array_agg(p.id) AS ids, least(count(*), ${count})::integer AS size, count(*) > ${count} AS more,
      ${total}::integer AS total, ${sources.length > 1 ? 'array_agg(p.source)' : noSources} AS sources,
      ${hasKey ? 'array_agg(p.key::text)' : noKeys} AS keys
    FROM (SELECT p.* FROM (${candidates}) p ${isAfter} ORDER BY ${order} LIMIT ${limit}${start.offset}) p`;
  return textsSql(start.cte, keys, sources, context);
}

/** Makes the statement for a page's next portion. It yields a `PortionRow` for each resource. */
export function portionSql(sources: readonly PageSource[], rest: PageKeys, context: SqlContext): string {
  const array = (values: readonly unknown[], type: string): string => `${context.parameter(values)}::${type}[]`;
  const ids = array(rest.ids, 'uuid');
  const keys = `SELECT ${ids} AS ids, cardinality(${ids}) AS size, false AS more, 0 AS total,
      ${rest.sources ? array(rest.sources, 'integer') : noSources} AS sources,
      ${rest.keys ? array(rest.keys, 'text') : noKeys} AS keys`;
  return textsSql('', keys, sources, context);
}

const noSources = 'NULL::integer[]';
const noKeys = 'NULL::text[]';

/**
 * The texts of the rows that `keys` names, one after the other until they are a portion. Each is made on its own: a
 * statement that made all of a page's texts at once would have them all in memory, whatever they come to.
 */
function textsSql(start: string, keys: string, sources: readonly PageSource[], context: SqlContext): string {
  const texts = sources.map((source, index) => textSql(source, sources.length > 1 ? index : undefined, context));
  const rest = (column: string): string => `'${column}', k.${column}[t.n + 1:k.size]`;
  return `WITH RECURSIVE ${start} keys AS MATERIALIZED (${keys}), texts AS (
      SELECT 0 AS n, NULL::uuid AS id, NULL::text COLLATE "C" AS json, 0::bigint AS bytes
      UNION ALL
      SELECT b.n + 1, t.id, t.json COLLATE "C", b.bytes + CASE WHEN t.id IS NULL THEN 0 ELSE coalesce(octet_length(t.json), ${portionBytes}) END
      FROM texts b CROSS JOIN keys k LEFT JOIN LATERAL (${texts.join(' UNION ALL ')}) t ON true
      WHERE b.bytes < ${portionBytes} AND b.n < k.size
    )
    SELECT t.n, t.json, CASE WHEN t.json IS NULL THEN t.id END AS large,
      CASE WHEN t.bytes >= ${portionBytes} OR t.n = k.size THEN json_build_object('total', k.total, 'more', k.more,
        'id', k.ids[t.n], 'source', k.sources[t.n], 'key', k.keys[t.n],
        ${rest('ids')}, ${rest('sources')}, ${rest('keys')}) END AS end
    FROM texts t CROSS JOIN keys k WHERE t.n > 0`;
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
    cte: `start AS MATERIALIZED (${directoryPlace(source.type, skipped, context)}),`,
    condition: ' AND r.id >= (SELECT start.id FROM start)',
    offset: ` OFFSET ${skipped} - (SELECT start.before FROM start)`,
  };
}

// Skipping this many index entries takes no longer than looking the place up.
const shortOffset = 2000;

/** The text of the row behind `b`, if it is of this source. OFFSET 0 keeps a planner from joining it in another way. */
function textSql({ table, representation }: PageSource, index: number | undefined, { tenant }: SqlContext): string {
  const isOfSource = index === undefined ? '' : `k.sources[b.n + 1] = ${index} AND `;
  return `(SELECT r.id, ${representation()} AS json FROM ${table} r
    WHERE ${isOfSource}r.tenant_id = ${tenant} AND r.id = k.ids[b.n + 1] OFFSET 0)`;
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
