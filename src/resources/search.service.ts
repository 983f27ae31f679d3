import { Injectable } from '@nestjs/common';
import { ResourcePage } from '../http/representation.js';
import type { RequestContext } from '../http/request-context.js';
import type { SqlContext } from '../persistence/filter-sql/columns.js';
import type { PageBounds, PageSource, Position } from '../persistence/page.js';
import { Pages } from '../persistence/pages.js';
import type { ResourceEntity } from '../persistence/resource.entity.js';
import type { ResourceRepository } from '../persistence/resource.repository.js';
import {
  bindFilter,
  namesPersonal,
  parseFilter,
  Projection,
  readPage,
  readSort,
  ScimError,
  type BindOptions,
  type JsonObject,
  type ResourceSchema,
  type SearchRequest,
} from '../scim/index.js';
import { Cursors } from './cursors.js';

/** A resource type that is searched. */
export interface Searched {
  readonly schema: ResourceSchema;
  readonly repository: ResourceRepository<ResourceEntity>;
}

interface Part extends Searched {
  readonly projection: Projection;
}

/** Finds resources, of one type or across types (RFC 7644 sections 3.4.2 and 3.4.3, RFC 9865). */
@Injectable()
export class SearchService {
  constructor(
    private readonly pages: Pages,
    private readonly cursors: Cursors,
  ) {}

  /**
   * Finds one page. Across types, an attribute that a type does not have is one without a value there.
   * @param isInUrl whether the query is part of a URL, where a tenant may not want personal values
   * @throws ScimError invalidFilter, sensitive, invalidValue, invalidCursor, expiredCursor or invalidCount
   */
  async search(
    ctx: RequestContext,
    searched: readonly Searched[],
    search: SearchRequest,
    isInUrl = false,
  ): Promise<ResourcePage> {
    const { startIndex, count } = readPage(search.startIndex, search.count, ctx.settings.maxPageSize ?? undefined);
    const isAcross = searched.length > 1;
    const scope = searched.map(({ schema }) => schema.name).join('+');
    const parts = searched.map((part) => ({
      ...part,
      projection: Projection.read(part.schema, search.attributes, search.excludedAttributes),
    }));
    const descending = search.sortOrder?.toLowerCase() === 'descending';
    const after = await this.after(ctx, scope, search, count);
    const bounds: PageBounds = {
      count,
      descending,
      ...(search.cursor === undefined ? { offset: startIndex - 1 } : after ? { after } : {}),
    };
    const refusesPersonal = isInUrl && ctx.settings.sensitiveFilters === 'refuse';
    const sources = sourcesOf(ctx, parts, search, { isAcross, refusesPersonal });
    const page = await this.pages.read(ctx, ctx.baseUrl, bounds, sources);
    const texts = parts.every(({ projection }) => projection.isIdentity) ? page.texts : project(parts, page.texts);
    if (search.cursor === undefined) return new ResourcePage(texts, page.totalResults, { startIndex });
    const nextCursor = page.last && (await this.cursors.seal(ctx, scope, search, count, page.last));
    return new ResourcePage(texts, page.totalResults, nextCursor === undefined ? {} : { nextCursor });
  }

  /** Where a page by cursor begins; undefined for the first page, and without a cursor. */
  private async after(
    ctx: RequestContext,
    scope: string,
    search: SearchRequest,
    count: number,
  ): Promise<Position | undefined> {
    if (search.cursor === undefined) return undefined;
    if (search.startIndex !== undefined) {
      throw new ScimError('invalidCursor', 'cursor and startIndex cannot be used together.');
    }
    return search.cursor === '' ? undefined : this.cursors.open(ctx, scope, search, count);
  }
}

/** Binds the query to each type. All is checked here, before the database is asked. */
function sourcesOf(
  ctx: RequestContext,
  parts: readonly Part[],
  { filter, sortBy, sortOrder }: SearchRequest,
  { isAcross, refusesPersonal }: { readonly isAcross: boolean; readonly refusesPersonal: boolean },
): (context: SqlContext) => PageSource[] {
  const parsed = filter === undefined ? undefined : parseFilter(filter);
  const options: BindOptions = isAcross ? { absentIn: ctx.registry } : {};
  const queries = parts.map(({ schema }) => {
    const bound = parsed && bindFilter(parsed, schema, ctx.profile, options);
    if (refusesPersonal && bound && namesPersonal(bound, schema.name)) throw new ScimError('sensitive');
    const sort = readSort(sortBy, sortOrder, schema, options);
    return { ...(bound ? { filter: bound } : {}), ...(sort ? { sort } : {}) };
  });
  return (context) =>
    parts.map(({ repository, projection }, index) =>
      repository.pageSource(
        queries[index] ?? {},
        { baseUrl: ctx.baseUrl, wants: (name) => projection.wants(name) },
        context,
      ),
    );
}

/** Projects each resource by its own type. */
function project(parts: readonly Part[], texts: readonly string[]): string[] {
  const projections = new Map(parts.map(({ schema, projection }) => [schema.name, projection]));
  return texts.map((text) => {
    const resource = JSON.parse(text) as JsonObject & { meta: { resourceType: string } };
    return JSON.stringify(projections.get(resource.meta.resourceType)?.apply(resource));
  });
}
