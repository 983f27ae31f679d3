import type { EntityManager, EntityTarget, FindOptionsWhere, QueryDeepPartialEntity, Repository } from 'typeorm';
import { ScimError, type BoundFilter, type Sort } from '../scim/index.js';
import type { SqlContext, TableColumns } from './filter-sql/columns.js';
import { SqlCompiler } from './filter-sql/compile.js';
import type { PageSource } from './page.js';
import type { ResourceEntity } from './resource.entity.js';
import type { Statements } from './statements.js';
import type { TenantScope, TransactionScope } from './transaction.js';

/** How representations are to be made. */
export interface View {
  /** The SCIM base URL, without a trailing slash. */
  readonly baseUrl: string;
  /** Whether an attribute can be part of the answer; what cannot is not read. */
  readonly wants: (attributeName: string) => boolean;
}

/** A resource as it is returned: complete JSON text, and its version. */
export interface StoredRepresentation {
  readonly json: string;
  readonly version: number;
}

/** Which resources of a type a search is for, and what they are ordered by. */
export interface ResourceQuery {
  readonly filter?: BoundFilter;
  readonly sort?: Sort;
}

/** The rows of one resource type. Every statement names the tenant first. */
export abstract class ResourceRepository<E extends ResourceEntity> {
  /** Where the table keeps what is not in the folded document. */
  protected abstract readonly columns: TableColumns;

  protected constructor(
    protected readonly repository: Repository<E>,
    private readonly statements: Statements,
  ) {}

  /** An SQL expression for the complete JSON text of the row `r`, and the joins it needs. */
  protected abstract representation(context: SqlContext, view: View): { text: string; joins: string };

  /** The manager of the scope's transaction, or one for a statement of its own. */
  protected manager(scope: TenantScope): EntityManager {
    return scope.manager ?? this.repository.manager;
  }

  protected get entity(): EntityTarget<E> {
    return this.repository.target;
  }

  /** Reads a resource. @returns undefined when the tenant has none with this id */
  async read(scope: TenantScope, id: string, view: View): Promise<StoredRepresentation | undefined> {
    const parameters: unknown[] = [scope.tenant.id, id];
    const { text, joins } = this.representation(sqlContext(parameters, view.baseUrl), view);
    const rows = await this.statements.read<StoredRepresentation>(
      scope,
      `SELECT ${text} AS json, r.version FROM ${this.columns.table} r ${joins} WHERE r.tenant_id = $1 AND r.id = $2`,
      parameters,
    );
    return rows[0];
  }

  /** The part of a page's statement that is about this type. The tenant is its first parameter. */
  pageSource({ filter, sort }: ResourceQuery, view: View, context: SqlContext): PageSource {
    const compiler = new SqlCompiler(this.columns, context);
    return {
      table: this.columns.table,
      where: `r.tenant_id = $1${filter ? ` AND (${compiler.condition(filter)})` : ''}`,
      key: sort && compiler.sortKey(sort),
      representation: () => this.representation(context, view),
    };
  }

  /** Reads a resource and locks its row until the transaction ends. @returns undefined when there is none */
  async lock(scope: TransactionScope, id: string): Promise<E | undefined> {
    const found = await scope.manager.findOne(this.entity, {
      where: { tenantId: scope.tenant.id, id } as FindOptionsWhere<E>,
      lock: { mode: 'for_no_key_update' },
    });
    return found ?? undefined;
  }

  /**
   * Adds a resource.
   * @throws the database's error when a unique value is taken
   */
  async insert(scope: TenantScope, row: E): Promise<void> {
    await this.manager(scope).insert(this.entity, row as QueryDeepPartialEntity<E>);
  }

  /**
   * Writes a resource that was locked.
   * @throws ScimError conflict when it is no longer at `version`
   */
  async update(scope: TenantScope, id: string, version: number, changes: Partial<E>): Promise<void> {
    const { affected } = await this.manager(scope).update(
      this.entity,
      { tenantId: scope.tenant.id, id, version },
      changes as QueryDeepPartialEntity<E>,
    );
    if (affected !== 1) throw new ScimError('conflict');
  }

  /** Deletes a resource; foreign keys take its memberships away. */
  async delete(scope: TenantScope, id: string): Promise<void> {
    await this.manager(scope).delete(this.entity, { tenantId: scope.tenant.id, id });
  }
}

/** A context that adds its parameters to a list. */
export function sqlContext(parameters: unknown[], baseUrl: string): SqlContext {
  return { parameter: (value) => `$${parameters.push(value)}`, baseUrl };
}

/** An SQL expression for `,"meta":{…}` of the row `r` (RFC 7643 section 3.1). */
export function metaJson({ parameter, baseUrl }: SqlContext, resourceType: string, endpoint: string): string {
  const time = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  return `',"meta":{"resourceType":"${resourceType}","created":"' || ${time('r.created_at')}
    || '","lastModified":"' || ${time('r.last_modified_at')}
    || '","location":' || to_json(${parameter(baseUrl + endpoint)}::text || '/' || r.id)
    || ',"version":"W/\\"' || r.version || '\\""}'`;
}
