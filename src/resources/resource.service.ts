import { v7 as uuid } from 'uuid';
import type { WriteOptions } from '../http/query-parameters.js';
import { ResourceRepresentation, type ResourcePage } from '../http/representation.js';
import type { RequestContext } from '../http/request-context.js';
import type { ResourceEntity } from '../persistence/resource.entity.js';
import type { ChangeNote, MemberChanges } from '../persistence/audit.js';
import type { Stage } from '../persistence/portions.js';
import { isResourceId } from '../persistence/resource-id.js';
import type { ResourceRepository, StoredRepresentation, View } from '../persistence/resource.repository.js';
import { bytesOfNew, growthOf } from '../persistence/stored-bytes.js';
import type { Transaction, TransactionScope } from '../persistence/transaction.js';
import {
  applyPatch,
  checkImmutable,
  foldResource,
  limits,
  matchesEtag,
  operationData,
  Projection,
  quote,
  readPatch,
  readResource,
  sameJson,
  ScimError,
  withSchemas,
  type JsonValue,
  type LinkChange,
  type ProjectionRequest,
  type ResourceSchema,
  type ResourceType,
  type ScimResource,
  type SearchRequest,
} from '../scim/index.js';
import { isExternalIdUnique, type Change, type Draft, type Edited, type Hashes } from './change.js';
import { largeText, projectText, type Searched } from './projected.js';
import type { SearchService } from './search.service.js';
import { splitLinks } from './split-links.js';

/** A request inside its transaction. */
export type WriteContext = RequestContext & TransactionScope;

/**
 * The one pipeline that every resource type goes through. A type differs by its schema, its table and what it overrides
 * here: nothing else.
 */
export abstract class ResourceService<E extends ResourceEntity> {
  abstract readonly type: ResourceType;
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

  /**
   * Hashes a draft's secret. Comes last of all that is done before a resource is written, because it takes long.
   * @param hashes what the request has hashed: inside a transaction nothing else is
   */
  protected secured(
    _ctx: RequestContext & Partial<TransactionScope>,
    draft: Draft<E>,
    _hashes: Hashes,
    _current?: E,
  ): Promise<Draft<E>> {
    return Promise.resolve(draft);
  }

  /** Attributes that a PUT without them leaves as they are; the others are cleared (RFC 7644 section 3.5.1). */
  protected keptOnReplace(_ctx: RequestContext): readonly string[] {
    return [];
  }

  /** The stored resource as PATCH and PUT see it. */
  protected loaded(current: E): ScimResource {
    return current.document;
  }

  /** Applies changes of links. @returns what they added and removed */
  protected abstract applyLinks(ctx: WriteContext, id: string, changes: readonly LinkChange[]): Promise<MemberChanges>;

  /** Takes away what refers to a resource that is about to be deleted. */
  protected abstract unlink(ctx: WriteContext, id: string): Promise<void>;

  /**
   * Creates a resource (RFC 7644 section 3.3).
   * @throws ScimError invalidSyntax, invalidValue or uniqueness
   */
  async create(ctx: RequestContext, body: JsonValue, options: WriteOptions): Promise<ResourceRepresentation> {
    const schema = this.schema(ctx);
    const projection = this.projection(schema, options).supplying(body);
    const read = readResource(body, schema, ctx.profile);
    const { resource, links } = await splitLinks(read, { body, schema, profile: ctx.profile, kind: 'add' });
    const id = uuid();
    const now = new Date();
    await ctx.quota.refuseGrowth(ctx, () => bytesOfNew(resource));
    const made = await this.draft(ctx, id, resource);
    const stored = this.stored(made.resource, id, schema);
    const draft = await this.secured(ctx, made, new Map());
    const row = {
      ...draft.columns,
      ...stored,
      id,
      version: 1,
      externalIdUnique: isExternalIdUnique(ctx, draft.resource),
      createdAt: now,
      lastModifiedAt: now,
    } as Omit<E, 'tenantId'>;
    const view = this.view(ctx, projection);
    const note: ChangeNote = { operation: 'create', secrets: draft.secrets ?? [] };
    if (links.every((change) => change.links.length === 0)) {
      const inserted = await this.transaction.single(() => this.repository.insert(ctx, row, note, view));
      return this.represented(ctx, id, inserted, projection);
    }
    const created = await this.transaction.run(ctx, async (tx) => {
      await this.repository.insert(tx, row, undefined, nothing(view));
      await this.repository.record(tx, id, { ...note, members: await this.applyLinks(tx, id, links) });
      return this.repository.read(tx, id, view);
    });
    return this.represented(ctx, id, created, projection);
  }

  /**
   * Reads a resource (RFC 7644 section 3.4.1).
   * @throws ScimError notFound
   */
  async read(ctx: RequestContext, id: string, query: ProjectionRequest): Promise<ResourceRepresentation> {
    if (!isResourceId(id)) throw this.notFound(id);
    const projection = this.projection(this.schema(ctx), query);
    const stored = await this.repository.read(ctx, id, this.view(ctx, projection));
    return this.represented(ctx, id, stored, projection, 'begin');
  }

  /**
   * Finds resources (RFC 7644 section 3.4.2).
   * @param isInUrl whether the query is part of a URL
   * @throws ScimError as `SearchService.search`
   */
  search(ctx: RequestContext, search: SearchRequest, isInUrl = false): Promise<ResourcePage> {
    return this.searches.search(ctx, [this.searched(ctx)], search, isInUrl);
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
    const projection = this.projection(schema, options).supplying(body);
    const read = readResource(body, schema, ctx.profile);
    const { resource, links } = await splitLinks(read, { body, schema, profile: ctx.profile, kind: 'replaceAll' });
    const edit = (current: E): Edited => {
      const before = this.loaded(current);
      const kept = { ...resource };
      for (const name of this.keptOnReplace(ctx)) {
        if (!read.named.has(name) && before[name] !== undefined) kept[name] = before[name];
      }
      checkImmutable(before, kept, schema);
      return { resource: kept, links };
    };
    const view = this.view(ctx, projection);
    return this.represented(
      ctx,
      id,
      await this.change(ctx, id, { operation: 'replace', edit, options, view, hashes: new Map() }),
      projection,
    );
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
    const operations = readPatch(body, ctx.profile);
    const projection = this.projection(schema, options).supplying(...operations.map(operationData));
    const isReturned =
      this.returnsPatched ||
      options.prefersBody === true ||
      projection.isExplicit ||
      options.excludedAttributes !== undefined;
    const edit = (current: E): Edited => applyPatch(this.loaded(current), operations, schema, ctx.profile);
    const view = isReturned ? this.view(ctx, projection) : nothing(this.view(ctx, projection));
    const patched = await this.change(ctx, id, { operation: 'patch', edit, options, view, hashes: new Map() });
    if (isReturned) return this.represented(ctx, id, patched, projection);
    return new ResourceRepresentation('', patched.version, this.location(ctx, id), false);
  }

  /**
   * Deletes a resource and every reference to it (RFC 7644 section 3.6).
   * @throws ScimError notFound or preconditionFailed
   */
  async delete(ctx: RequestContext, id: string, options: Pick<WriteOptions, 'ifMatch'>): Promise<void> {
    if (!isResourceId(id)) throw this.notFound(id);
    requireVersion(ctx, options);
    await this.transaction.run(ctx, async (tx) => {
      this.expect(await this.repository.lock(tx, id), id, options);
      await this.unlink(tx, id);
      await this.repository.delete(tx, id);
    });
  }

  /**
   * Changes one resource. Where it has no links, it is read, and written if it is still at the version that was read:
   * two statements without a transaction. Where others keep coming first, and where links change, it is locked instead.
   */
  private async change(ctx: RequestContext, id: string, change: Change<E>): Promise<StoredRepresentation> {
    if (!isResourceId(id)) throw this.notFound(id);
    requireVersion(ctx, change.options);
    if (!this.hasLinks(ctx)) {
      for (let attempt = 0; attempt < unlockedAttempts; attempt++) {
        const changed = await this.transaction.single(async () => {
          const current = this.expect(await this.repository.load(ctx, id), id, change.options);
          return this.apply(ctx, current, change, noLinks);
        });
        if (changed) return changed;
      }
    }
    return this.transaction.run(ctx, async (tx) => {
      const current = this.expect(await this.repository.lock(tx, id), id, change.options);
      const changed = await this.apply(tx, current, change, (links) => this.applyLinks(tx, id, links));
      if (!changed) throw new ScimError('conflict');
      return changed;
    });
  }

  /** @throws ScimError notFound when there is no resource, preconditionFailed when its version is not the expected one */
  private expect(current: E | undefined, id: string, { ifMatch }: Pick<WriteOptions, 'ifMatch'>): E {
    if (!current) throw this.notFound(id);
    if (ifMatch !== undefined && !matchesEtag(ifMatch, current.version)) throw new ScimError('preconditionFailed');
    return current;
  }

  /** Writes what a change makes of a resource. @returns undefined when the resource changed since it was read */
  private async apply(
    scope: RequestContext & Partial<TransactionScope>,
    current: E,
    change: Change<E>,
    applyLinks: (links: readonly LinkChange[]) => Promise<MemberChanges>,
  ): Promise<StoredRepresentation | undefined> {
    const { resource, links } = change.edit(current);
    const written = await this.write(scope, current, resource, change, () => applyLinks(links));
    if (written !== 'unchanged') return written;
    return this.repository.read(scope, current.id, change.view);
  }

  /**
   * Writes what changed. Version and lastModified move only when something did.
   * @returns the resource as it is returned, or that nothing changed; undefined when it changed since it was read
   */
  protected async write(
    scope: RequestContext & Partial<TransactionScope>,
    current: E,
    resource: ScimResource,
    { operation, view, hashes }: Pick<Change<E>, 'operation' | 'view' | 'hashes'>,
    applyLinks: () => Promise<MemberChanges> = noLinks,
  ): Promise<StoredRepresentation | 'unchanged' | undefined> {
    const draft = await this.draft(scope, current.id, resource, current);
    const stored = this.stored(draft.resource, current.id, this.schema(scope));
    await scope.quota.refuseGrowth(scope, () => growthOf(current.document, stored.document));
    const { resource: document, columns, secrets } = await this.secured(scope, draft, hashes, current);
    const members = await applyLinks();
    const linksChanged = members.added.length + members.removed.length > 0;
    const columnsChanged = Object.entries(columns).some(([name, value]) => current[name as keyof E] !== value);
    if (!linksChanged && !columnsChanged && sameJson(current.document, stored.document)) return 'unchanged';
    // The clock may stand still or go back; a resource's lastModified does not.
    const lastModifiedAt = new Date(Math.max(Date.now(), current.lastModifiedAt.getTime() + 1));
    const changes = {
      ...columns,
      ...stored,
      externalIdUnique: isExternalIdUnique(scope, document),
      version: current.version + 1,
      lastModifiedAt,
    } as unknown as Partial<E>;
    const note: ChangeNote = { operation, secrets: secrets ?? [], ...(linksChanged ? { members } : {}) };
    return this.repository.update(scope, current, changes, note, view);
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

  /** A resource as it is answered. What is too large for one text is read here, after the change that made it. */
  private async represented(
    ctx: RequestContext,
    id: string,
    stored: StoredRepresentation | undefined,
    projection: Projection,
    stage: Stage = 'goOn',
  ): Promise<ResourceRepresentation> {
    if (!stored) throw this.notFound(id);
    const location = this.location(ctx, id);
    const { json, version } = stored;
    if (json !== null) return new ResourceRepresentation(projectText(projection, json), version, location);
    const large = await this.repository.readLarge(ctx, id, this.view(ctx, projection), stage);
    if (!large) throw this.notFound(id);
    return new ResourceRepresentation(largeText(large, projection), large.version, location);
  }

  private hasLinks(ctx: RequestContext): boolean {
    return this.schema(ctx).attributes.some((attribute) => attribute.linksTo);
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

// How often a change is tried without a lock; whoever loses that often waits for a lock.
const unlockedAttempts = 3;

/** @throws ScimError preconditionRequired where the tenant asks for If-Match and there is none (RFC 6585 section 3) */
function requireVersion({ settings }: RequestContext, { ifMatch }: Pick<WriteOptions, 'ifMatch'>): void {
  if (settings.requireIfMatch && ifMatch === undefined) throw new ScimError('preconditionRequired');
}

/** A view of what an answer without a body needs. */
const nothing = (view: View): View => ({ ...view, wants: () => false });

const noLinks = (): Promise<MemberChanges> => Promise.resolve({ added: [], removed: [] });
