import { v7 as uuid, validate as isUuid } from 'uuid';
import type { WriteOptions } from '../http/query-parameters.js';
import { ResourceRepresentation, type ResourcePage } from '../http/representation.js';
import type { RequestContext } from '../http/request-context.js';
import type { ResourceEntity } from '../persistence/resource.entity.js';
import type { ResourceRepository, View } from '../persistence/resource.repository.js';
import type { Transaction, TransactionScope } from '../persistence/transaction.js';
import {
  applyPatch,
  checkImmutable,
  foldResource,
  limits,
  matchesEtag,
  Projection,
  quote,
  readLinks,
  readPatch,
  readResource,
  sameJson,
  ScimError,
  withSchemas,
  type JsonObject,
  type JsonValue,
  type LinkChange,
  type ProjectionRequest,
  type ReadResource,
  type ResourceSchema,
  type ResourceType,
  type ScimResource,
  type SearchRequest,
} from '../scim/index.js';
import type { Searched, SearchService } from './search.service.js';

/** A resource about to be written: its document, and the table's own columns. */
export interface Draft<E> {
  readonly resource: ScimResource;
  readonly columns: Partial<E>;
}

/** A request inside its transaction. */
export type WriteContext = RequestContext & TransactionScope;

/**
 * The one pipeline that every resource type goes through. A type differs by its schema, its table and what it overrides
 * here: nothing else.
 */
export abstract class ResourceService<E extends ResourceEntity> {
  abstract readonly type: ResourceType;
  /** Attributes that a PUT without them leaves as they are; the others are cleared (RFC 7644 section 3.5.1). */
  protected readonly keptOnReplace: readonly string[] = [];
  /** Whether a PATCH answers with the resource although nobody asked for it. */
  protected readonly returnsPatched: boolean = true;

  protected constructor(
    protected readonly repository: ResourceRepository<E>,
    protected readonly transaction: Transaction,
    private readonly searches: SearchService,
  ) {}

  /** Where the type is served, such as `/Users`. */
  get endpoint(): string {
    return this.type.endpoint;
  }

  /** Makes what the table stores of a resource. `current` is absent when the resource is new. */
  protected abstract draft(ctx: RequestContext, id: string, resource: ScimResource, current?: E): Promise<Draft<E>>;

  /** The stored resource as PATCH and PUT see it. */
  protected loaded(current: E): ScimResource {
    return current.document;
  }

  /** Applies changes of links. @returns whether anything changed */
  protected abstract applyLinks(ctx: WriteContext, id: string, changes: readonly LinkChange[]): Promise<boolean>;

  /** Takes away what refers to a resource that is about to be deleted. */
  protected abstract unlink(ctx: WriteContext, id: string): Promise<void>;

  /**
   * Creates a resource (RFC 7644 section 3.3).
   * @throws ScimError invalidSyntax, invalidValue or uniqueness
   */
  async create(ctx: RequestContext, body: JsonValue, options: WriteOptions): Promise<ResourceRepresentation> {
    const schema = this.schema(ctx);
    const projection = this.projection(schema, options);
    const { resource, links } = splitLinks(readResource(body, schema, ctx.profile), schema, ctx, 'add');
    const id = uuid();
    const now = new Date();
    const draft = await this.draft(ctx, id, resource);
    const row = {
      ...draft.columns,
      ...this.stored(draft.resource, id, schema),
      tenantId: ctx.tenant.id,
      id,
      version: 1,
      createdAt: now,
      lastModifiedAt: now,
    } as E;
    return this.transaction.run(ctx, async (tx) => {
      await this.repository.insert(tx, row);
      await this.applyLinks(tx, id, links);
      return this.represent(tx, id, projection);
    });
  }

  /**
   * Reads a resource (RFC 7644 section 3.4.1).
   * @throws ScimError notFound
   */
  async read(ctx: RequestContext, id: string, query: ProjectionRequest): Promise<ResourceRepresentation> {
    if (!isId(id)) throw this.notFound(id);
    return this.represent(ctx, id, this.projection(this.schema(ctx), query));
  }

  /**
   * Finds resources (RFC 7644 section 3.4.2).
   * @throws ScimError as `SearchService.search`
   */
  search(ctx: RequestContext, search: SearchRequest): Promise<ResourcePage> {
    return this.searches.search(ctx, [this.searched(ctx)], search);
  }

  /** This resource type as a part of a search. */
  searched(ctx: RequestContext): Searched {
    return { schema: this.schema(ctx), repository: this.repository as unknown as ResourceRepository<ResourceEntity> };
  }

  /**
   * Replaces a resource (RFC 7644 section 3.5.1): what the body leaves out is cleared.
   * @throws ScimError notFound, preconditionFailed, invalidSyntax, invalidValue, mutability or uniqueness
   */
  async replace(
    ctx: RequestContext,
    id: string,
    body: JsonValue,
    options: WriteOptions,
  ): Promise<ResourceRepresentation> {
    const schema = this.schema(ctx);
    const projection = this.projection(schema, options);
    const read = readResource(body, schema, ctx.profile);
    const { resource, links } = splitLinks(read, schema, ctx, 'replaceAll');
    return this.change(ctx, id, options, async (tx, current) => {
      const before = this.loaded(current);
      for (const name of this.keptOnReplace) {
        if (!read.named.has(name) && before[name] !== undefined) resource[name] = before[name];
      }
      checkImmutable(before, resource, schema);
      await this.write(tx, current, resource, links);
      return this.represent(tx, id, projection);
    });
  }

  /**
   * Applies a PATCH request (RFC 7644 section 3.5.2), wholly or not at all.
   * @throws ScimError notFound, preconditionFailed, or what the operations cause
   */
  async patch(
    ctx: RequestContext,
    id: string,
    body: JsonValue,
    options: WriteOptions,
  ): Promise<ResourceRepresentation> {
    const schema = this.schema(ctx);
    const projection = this.projection(schema, options);
    const operations = readPatch(body, ctx.profile);
    const isReturned =
      this.returnsPatched ||
      options.prefersBody === true ||
      projection.isExplicit ||
      options.excludedAttributes !== undefined;
    return this.change(ctx, id, options, async (tx, current) => {
      const { resource, links } = applyPatch(this.loaded(current), operations, schema, ctx.profile);
      const version = await this.write(tx, current, resource, links);
      if (isReturned) return this.represent(tx, id, projection);
      return new ResourceRepresentation('', version, this.location(ctx, id), false);
    });
  }

  /**
   * Deletes a resource and every reference to it (RFC 7644 section 3.6).
   * @throws ScimError notFound or preconditionFailed
   */
  async delete(ctx: RequestContext, id: string, options: Pick<WriteOptions, 'ifMatch'>): Promise<void> {
    await this.change(ctx, id, options, async (tx) => {
      await this.unlink(tx, id);
      await this.repository.delete(tx, id);
    });
  }

  /** Runs a change in a transaction, on a resource that exists, is locked and has the version the client expects. */
  private change<T>(
    ctx: RequestContext,
    id: string,
    { ifMatch }: Pick<WriteOptions, 'ifMatch'>,
    work: (tx: WriteContext, current: E) => Promise<T>,
  ): Promise<T> {
    if (!isId(id)) throw this.notFound(id);
    return this.transaction.run(ctx, async (tx) => {
      const current = await this.repository.lock(tx, id);
      if (!current) throw this.notFound(id);
      if (ifMatch !== undefined && !matchesEtag(ifMatch, current.version)) throw new ScimError('preconditionFailed');
      return work(tx, current);
    });
  }

  /** Writes what changed. Version and lastModified move only when something did. @returns the version afterwards */
  protected async write(
    tx: WriteContext,
    current: E,
    resource: ScimResource,
    links: readonly LinkChange[],
  ): Promise<number> {
    const schema = this.schema(tx);
    const { resource: document, columns } = await this.draft(tx, current.id, resource, current);
    const stored = this.stored(document, current.id, schema);
    const linksChanged = await this.applyLinks(tx, current.id, links);
    const columnsChanged = Object.entries(columns).some(([name, value]) => current[name as keyof E] !== value);
    if (!linksChanged && !columnsChanged && sameJson(current.document, stored.document)) return current.version;
    const version = current.version + 1;
    // The clock may stand still or go back; a resource's lastModified does not.
    const lastModifiedAt = new Date(Math.max(Date.now(), current.lastModifiedAt.getTime() + 1));
    const changes = { ...columns, ...stored, version, lastModifiedAt } as unknown as Partial<E>;
    await this.repository.update(tx, current.id, current.version, changes);
    return version;
  }

  private stored(
    resource: ScimResource,
    id: string,
    schema: ResourceSchema,
  ): Pick<ResourceEntity, 'document' | 'folded' | 'externalId'> {
    const { externalId } = resource;
    const document = withSchemas({ ...resource, id }, schema);
    // What can be read can be sent back; many small PATCHes must not make a resource that cannot.
    if (Buffer.byteLength(JSON.stringify(document)) > limits.documentBytes) {
      throw new ScimError('payloadTooLarge', `A resource may have ${limits.documentBytes} bytes.`);
    }
    return {
      document,
      folded: foldResource(schema, withSchemas(resource, schema)),
      externalId: typeof externalId === 'string' ? externalId : null,
    };
  }

  private async represent(
    ctx: RequestContext & Partial<TransactionScope>,
    id: string,
    projection: Projection,
  ): Promise<ResourceRepresentation> {
    const stored = await this.repository.read(ctx, id, this.view(ctx, projection));
    if (!stored) throw this.notFound(id);
    const json = projection.isIdentity ? stored.json : projectOne(projection, JSON.parse(stored.json) as JsonObject);
    return new ResourceRepresentation(json, stored.version, this.location(ctx, id));
  }

  private schema(ctx: RequestContext): ResourceSchema {
    return ctx.registry.resourceSchema(this.type.name);
  }

  private projection(schema: ResourceSchema, { attributes, excludedAttributes }: ProjectionRequest): Projection {
    return Projection.read(schema, attributes, excludedAttributes);
  }

  private view(ctx: RequestContext, projection: Projection): View {
    return { baseUrl: ctx.baseUrl, wants: (name) => projection.wants(name) };
  }

  private location(ctx: RequestContext, id: string): string {
    return `${ctx.baseUrl}${this.type.endpoint}/${id}`;
  }

  private notFound(id: string): ScimError {
    return new ScimError('notFound', `There is no ${this.type.name} with the id ${quote(id)}.`);
  }
}

/** Ids are compared case-sensitively (RFC 7643 section 3.1); the database's uuid type would not do that. */
const isId = (id: string): boolean => isUuid(id) && id === id.toLowerCase();

const projectOne = (projection: Projection, resource: JsonObject): string => JSON.stringify(projection.apply(resource));

/** Parts links, such as members, from what the document stores. One that the body leaves out counts as empty. */
function splitLinks(
  { resource }: ReadResource,
  schema: ResourceSchema,
  ctx: RequestContext,
  kind: 'add' | 'replaceAll',
): { resource: ScimResource; links: LinkChange[] } {
  const rest = { ...resource };
  const links: LinkChange[] = [];
  for (const attribute of schema.attributes) {
    if (!attribute.linksTo) continue;
    const given = rest[attribute.name];
    delete rest[attribute.name];
    links.push({ kind, links: given === undefined ? [] : readLinks(attribute, given, ctx.profile, attribute.name) });
  }
  return { resource: rest, links };
}
