import { Injectable } from '@nestjs/common';
import { pageSql, type PageBounds, type PageRow, type PageSource, type StoredPage } from './page.js';
import { sqlContext, type SqlContext } from './filter-sql/columns.js';
import { Statements } from './statements.js';
import type { TenantScope } from './transaction.js';

/** Reads pages of resources, of one type or of several. */
@Injectable()
export class Pages {
  constructor(private readonly statements: Statements) {}

  /**
   * Reads one page and how many resources match in all: one statement, one snapshot.
   * @param sources makes the parts of the statement, one for each resource type
   */
  async read(
    scope: TenantScope,
    baseUrl: string,
    bounds: PageBounds,
    sources: (context: SqlContext) => PageSource[],
  ): Promise<StoredPage> {
    const parameters: unknown[] = [scope.tenant.id];
    const context = sqlContext(parameters, baseUrl);
    const sql = pageSql(sources(context), bounds, context);
    const rows = await this.statements.run<PageRow>(scope, sql, parameters);
    const { last, ...page } = rows[0] as PageRow;
    return last === null ? page : { ...page, last };
  }
}
