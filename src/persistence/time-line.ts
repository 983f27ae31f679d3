import type { DataSource } from 'typeorm';

/** Where a page of a time line ended. */
export interface Moment {
  readonly at: Date;
  /** A bigint, in digits. */
  readonly id: string;
}

/** Which part of a time line is wanted. */
export interface TimeLineQuery {
  readonly tenantId: string;
  /** The first and the last instant, both included. */
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  /** What the page before ended with. */
  readonly after?: Moment | undefined;
  /** How many rows at most. */
  readonly count: number;
  /** Expressions that end with a comparison operator, and what they are compared to, such as `['actor =', 'admin']`. */
  readonly conditions?: readonly (readonly [comparison: string, value: unknown])[];
}

/** One page, the newest row first. */
export interface TimeLinePage<Row> {
  readonly rows: Row[];
  /** Where the next page begins; absent from the last one. A page may have fewer rows than wanted, or none, and a next one. */
  readonly next?: Moment;
}

type Found<Row> = Row & Moment & { looked: number; last_at: Date; last_id: string };

/** A table of what happened, with `tenant_id`, `at` and `id`, and an index on the three. */
export class TimeLine<Row extends object> {
  /**
   * @param columns what is read of a row besides `at` and `id`
   * @param window how many rows one page looks through at most, so that a rare match costs no more than a frequent one
   */
  constructor(
    private readonly dataSource: DataSource,
    private readonly table: string,
    private readonly columns: readonly string[],
    private readonly window: number,
  ) {}

  /** Reads a page in one statement, at one moment. */
  async read(query: TimeLineQuery): Promise<TimeLinePage<Row & Moment>> {
    const { count, conditions = [] } = query;
    const window = conditions.length === 0 ? count + 1 : this.window;
    const { sql, values } = this.statement(query, window);
    const found = await this.dataSource.query<Found<Row>[]>(sql, values);
    const [first] = found;
    if (!first) return { rows: [] };
    const { looked, last_at, last_id } = first;
    const rows = found.filter(({ id }) => id !== null).slice(0, count);
    const last = rows.at(-1);
    if (found.length > count && last) return { rows, next: { at: last.at, id: last.id } };
    return looked < window ? { rows } : { rows, next: { at: last_at, id: last_id } };
  }

  private statement(
    { tenantId, from, to, after, count, conditions = [] }: TimeLineQuery,
    window: number,
  ): { sql: string; values: unknown[] } {
    const values: unknown[] = [tenantId, window, count + 1];
    const parameter = (value: unknown): string => `$${values.push(value)}`;
    const range = [
      'tenant_id = $1',
      ...(from ? [`at >= ${parameter(from)}`] : []),
      ...(to ? [`at <= ${parameter(to)}`] : []),
      ...(after ? [`(at, id) < (${parameter(after.at)}, ${parameter(after.id)})`] : []),
    ];
    const fits = conditions.map(([comparison, value]) => `${comparison} ${parameter(value)}`);
    const columns = this.columns.map((column) => `e.${column}`).join(', ');
    const sql = `
      WITH looked AS MATERIALIZED (
        SELECT at, id, ${fits.length === 0 ? 'true' : fits.join(' AND ')} AS fits FROM ${this.table}
        WHERE ${range.join(' AND ')} ORDER BY at DESC, id DESC LIMIT $2
      ), fitting AS (
        SELECT at, id FROM looked WHERE fits ORDER BY at DESC, id DESC LIMIT $3
      ), last AS (
        SELECT at, id, (SELECT count(*)::integer FROM looked) AS looked FROM looked ORDER BY at, id LIMIT 1
      )
      SELECT l.looked, l.at AS last_at, l.id AS last_id, e.at, e.id, ${columns}
      FROM last l LEFT JOIN fitting f ON true
        LEFT JOIN ${this.table} e ON e.tenant_id = $1 AND e.at = f.at AND e.id = f.id
      ORDER BY e.at DESC, e.id DESC`;
    return { sql, values };
  }
}
