import { Injectable } from '@nestjs/common';
import { ResourcePage } from '../http/representation.js';
import type { RequestContext } from '../http/request-context.js';
import type { PageBounds, PageKeys, Portion, Position } from '../persistence/page.js';
import { Pages, type PageSources } from '../persistence/pages.js';
import {
  bindFilter,
  namesPersonal,
  parseFilter,
  Projection,
  readPage,
  readSort,
  ScimError,
  type BindOptions,
  type SearchRequest,
} from '../scim/index.js';
import { Cursors } from './cursors.js';
import { longPage } from './long-page.js';
import { projectTexts, viewOf, type Searched, type SearchedPart } from './projected.js';

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
    const { totalResults, portion, hasMore } = page;
    const seal = (place: Position): Promise<string> => this.cursors.seal(ctx, scope, search, count, place);
    const isByCursor = search.cursor !== undefined;
    if (portion?.rest || portion?.large) {
      const reading = {
        ctx,
        parts,
        portion,
        hasMore,
        readRest: this.restOf(ctx, parts),
        seal: isByCursor ? seal : undefined,
      };
      return new ResourcePage([], totalResults, isByCursor ? {} : { startIndex }, longPage(reading));
    }
    const texts = portion ? await projectTexts(ctx, parts, portion.texts) : [];
    if (!isByCursor) return new ResourcePage(texts, totalResults, { startIndex });
    return new ResourcePage(texts, totalResults, portion && hasMore ? { nextCursor: await seal(portion.place) } : {});
  }

  /** Reads on in a page: what is left are ids, so neither the filter nor the order is asked for again. */
  private restOf(ctx: RequestContext, parts: readonly SearchedPart[]): (rest: PageKeys) => Promise<Portion> {
    return (rest) =>
      this.pages.readRest(ctx, ctx.baseUrl, rest, (context) =>
        parts.map((part) => part.repository.pageSource({}, viewOf(ctx, part), context)),
      );
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
  parts: readonly SearchedPart[],
  { filter, sortBy, sortOrder }: SearchRequest,
  { isAcross, refusesPersonal }: { readonly isAcross: boolean; readonly refusesPersonal: boolean },
): PageSources {
  const parsed = filter === undefined ? undefined : parseFilter(filter);
  const options: BindOptions = isAcross ? { absentIn: ctx.registry } : {};
  const queries = parts.map(({ schema }) => {
    const bound = parsed && bindFilter(parsed, schema, ctx.profile, options);
    if (refusesPersonal && bound && namesPersonal(bound, schema.name)) throw new ScimError('sensitive');
    const sort = readSort(sortBy, sortOrder, schema, options);
    return { ...(bound ? { filter: bound } : {}), ...(sort ? { sort } : {}) };
  });
  return (context) =>
    parts.map((part, index) => part.repository.pageSource(queries[index] ?? {}, viewOf(ctx, part), context));
}
