import { Injectable } from '@nestjs/common';
import {
  pageSql,
  portionSql,
  totalSql,
  type PageBounds,
  type PageKeys,
  type PageSource,
  type Portion,
  type PortionRow,
  type StoredPage,
} from './page.js';
import { sqlContext, type SqlContext } from './filter-sql/columns.js';
import { Portions } from './portions.js';
import { Statements } from './statements.js';
import type { TenantScope } from './transaction.js';

/** Makes the parts of a page's statement, one for each resource type. */
export type PageSources = (context: SqlContext) => PageSource[];

/** Reads pages of resources, of one type or of several. */
@Injectable()
export class Pages {
  constructor(
    private readonly statements: Statements,
    private readonly portions: Portions,
  ) {}

  /**
   * Reads one page and how many resources match in all: one statement, one snapshot, unless the page is empty. A page of
   * very many bytes is read as far as its first portion; `readRest` reads on.
   */
  async read(scope: TenantScope, baseUrl: string, bounds: PageBounds, sources: PageSources): Promise<StoredPage> {
    const rows =
      bounds.count === 0
        ? []
        : await this.run<PortionRow>(scope, baseUrl, sources, (parts, context) => pageSql(parts, bounds, context));
    const end = rows.at(-1)?.end;
    if (!end) return { totalResults: await this.total(scope, baseUrl, bounds, sources), hasMore: false };
    return { portion: portionOf(rows), totalResults: end.total, hasMore: end.more };
  }

  /**
   * Reads the next portion of a page, on a connection that is held for one statement only.
   * @param rest what the portion before left
   */
  async readRest(scope: TenantScope, baseUrl: string, rest: PageKeys, sources: PageSources): Promise<Portion> {
    const parameters: unknown[] = [scope.tenant.id];
    const context = sqlContext(parameters, baseUrl);
    const sql = portionSql(sources(context), rest, context);
    return portionOf(await this.portions.run<PortionRow>(scope, sql, parameters));
  }

  /** How many resources match in all, when no row of the page says so. */
  private async total(
    scope: TenantScope,
    baseUrl: string,
    { count, offset, after }: PageBounds,
    sources: PageSources,
  ): Promise<number> {
    if (count > 0 && !offset && !after) return 0;
    const rows = await this.run<{ total: number }>(scope, baseUrl, sources, totalSql);
    return rows[0]?.total ?? 0;
  }

  private run<Row extends object>(
    scope: TenantScope,
    baseUrl: string,
    sources: PageSources,
    statement: (parts: readonly PageSource[], context: SqlContext) => string,
  ): Promise<Row[]> {
    const parameters: unknown[] = [scope.tenant.id];
    const context = sqlContext(parameters, baseUrl);
    const parts = sources(context);
    const sql = statement(parts, context);
    return parts.every(({ isLookUp }) => isLookUp)
      ? this.statements.lookUp<Row>(scope, sql, parameters)
      : this.statements.search<Row>(scope, sql, parameters);
  }
}

function portionOf(rows: PortionRow[]): Portion {
  // They come in this order; nothing promises it.
  rows.sort((a, b) => a.n - b.n);
  const last = rows.at(-1);
  if (!last?.end) throw new Error('A portion has no end');
  const { id, source, key, ids, sources, keys } = last.end;
  return {
    texts: rows.flatMap(({ json }) => (json === null ? [] : [json])),
    ...(last.large === null ? {} : { large: { source: source ?? 0, id: last.large } }),
    ...(ids && ids.length > 0 ? { rest: { ids, sources, keys } } : {}),
    place: { source: source ?? 0, id, key },
  };
}
