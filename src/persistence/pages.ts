import { Injectable } from '@nestjs/common';
import { pageSql, totalSql, type PageBounds, type PageRow, type PageSource, type StoredPage } from './page.js';
import { sqlContext, type SqlContext } from './filter-sql/columns.js';
import { Statements } from './statements.js';
import type { TenantScope } from './transaction.js';

/** Reads pages of resources, of one type or of several. */
@Injectable()
export class Pages {
  constructor(private readonly statements: Statements) {}

  /**
   * Reads one page and how many resources match in all: one statement, one snapshot, unless the page is empty.
   * @param sources makes the parts of the statement, one for each resource type
   */
  async read(
    scope: TenantScope,
    baseUrl: string,
    bounds: PageBounds,
    sources: (context: SqlContext) => PageSource[],
  ): Promise<StoredPage> {
    const rows =
      bounds.count === 0
        ? []
        : await this.run<PageRow>(scope, baseUrl, sources, (parts, context) => pageSql(parts, bounds, context));
    const [first] = rows;
    if (!first) return { texts: [], totalResults: await this.total(scope, baseUrl, bounds, sources) };
    const texts = rows.slice(0, bounds.count).map(({ json }) => json);
    const { source = 0, id = '', key = null } = rows[texts.length - 1] ?? {};
    const page = { texts, totalResults: first.total };
    return rows.length > texts.length ? { ...page, last: { source, id, key } } : page;
  }

  /** How many resources match in all, when no row of the page says so. */
  private async total(
    scope: TenantScope,
    baseUrl: string,
    { count, offset, after }: PageBounds,
    sources: (context: SqlContext) => PageSource[],
  ): Promise<number> {
    if (count > 0 && !offset && !after) return 0;
    const rows = await this.run<{ total: number }>(scope, baseUrl, sources, totalSql);
    return rows[0]?.total ?? 0;
  }

  private run<Row extends object>(
    scope: TenantScope,
    baseUrl: string,
    sources: (context: SqlContext) => PageSource[],
    statement: (parts: readonly PageSource[], context: SqlContext) => string,
  ): Promise<Row[]> {
    const parameters: unknown[] = [scope.tenant.id];
    const context = sqlContext(parameters, baseUrl);
    const parts = sources(context);
    const sql = statement(parts, context);
    return parts.every(({ isLookUp }) => isLookUp)
      ? this.statements.lookUp<Row>(scope, sql, parameters)
      : this.statements.run<Row>(scope, sql, parameters);
  }
}
