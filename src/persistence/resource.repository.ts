import { LRUCache } from 'lru-cache';
import type { Repository } from 'typeorm';
import type { Quota } from '../limits/quota.js';
import { type BoundFilter, type Sort } from '../scim/index.js';
import { auditSql, type Author, type ChangeNote, type Images } from './audit.js';
import { documentChanges, isLarge } from './document-changes.js';
import { sqlContext, type SqlContext, type TableColumns } from './filter-sql/columns.js';
import { SqlCompiler } from './filter-sql/compile.js';
import type { PageSource } from './page.js';
import type { ResourceEntity } from './resource.entity.js';
import type { Stage } from './portions.js';
import { noPlace, placeInTenant } from './places.js';
import { Rows } from './rows.js';
import type { Statements } from './statements.js';
import { bytesOfDeletion, bytesOfNew, bytesOfUpdate } from './stored-bytes.js';
import type { TenantScope, TransactionScope } from './transaction.js';

/** How representations are to be made. */
export interface View {
  /** The SCIM base URL, without a trailing slash. */
  readonly baseUrl: string;
  /** Whether an attribute can be part of the answer; what cannot is not read. */
  readonly wants: (attributeName: string) => boolean;
  /** Whether the resource is being created, so that nothing refers to it yet. */
  readonly isNew?: boolean;
}

/** A resource as it is returned: complete JSON text, and its version. */
export interface StoredRepresentation {
  /** Null when it is too large for one text: `readLarge` reads it. */
  readonly json: string | null;
  readonly version: number;
}

/** A resource that is too large for one text. It holds nothing: whoever does not read it to its end need not say so. */
export interface LargeResource {
  readonly version: number;
  /** The complete JSON text, without the attribute that makes it large. */
  readonly json: string;
  /** The name of that attribute. It has several values. */
  readonly attribute: string;
  /** The JSON texts of its values, some at a time, joined by commas. */
  readonly values: AsyncIterable<string>;
}

/** Which resources of a type a search is for, and what they are ordered by. */
export interface ResourceQuery {
  readonly filter?: BoundFilter;
  readonly sort?: Sort;
}

const created = { before: 'NULL', after: 'r.document' };

interface ReadStatement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** A scope that says who writes, and how much may be kept. */
export type AuthorScope = TenantScope & Author & { readonly quota: Quota };

/** The rows of one resource type. Every statement names the tenant first. */
export abstract class ResourceRepository<E extends ResourceEntity> {
  /** The resource type's name. */
  abstract readonly type: string;
  /** Where the table keeps what is not in the folded document. */
  protected abstract readonly columns: TableColumns;
  /** Attributes that are read only when they are wanted. */
  protected abstract readonly derived: readonly string[];
  /** An SQL expression for how many rows of others go with the row `r`. */
  protected readonly memberCount: string = '0';
  private readonly readStatements = new LRUCache<string, ReadStatement>({ max: 1000 });
  private known: Rows<E> | undefined;

  protected constructor(
    private readonly repository: Repository<E>,
    protected readonly statements: Statements,
  ) {}

  /** An SQL expression for the complete JSON text of the row `r`; null when it is too large for one. */
  protected abstract representation(context: SqlContext, view: View): string;

  protected get rows(): Rows<E> {
    return (this.known ??= new Rows<E>(this.repository.metadata));
  }

  /** Reads a resource as it is returned. @returns undefined when the tenant has none with this id */
  async read(scope: TenantScope, id: string, view: View): Promise<StoredRepresentation | undefined> {
    const { text, values } = this.readStatement(view);
    const parameters = [scope.tenant.id, id, ...values];
    const rows = this.isLookUp(view)
      ? await this.statements.lookUp<StoredRepresentation>(scope, text, parameters, true)
      : await this.statements.run<StoredRepresentation>(scope, text, parameters);
    return rows[0];
  }

  /**
   * Reads a resource that is too large for one text.
   * @param stage whether the answer can still be refused
   * @returns undefined when there is no such resource
   * @throws ScimError tooManyRequests when the tenant reads too many large resources at once
   */
  readLarge(_scope: TenantScope, _id: string, _view: View, _stage: Stage): Promise<LargeResource | undefined> {
    return Promise.resolve(undefined);
  }

  /** Whether it takes next to no time to read a resource, whatever it is. */
  protected isLookUp(_view: View): boolean {
    return true;
  }

  /** The statement of `read` and its values after the tenant and the id: the same for most requests, so made once. */
  private readStatement(view: View): ReadStatement {
    const wanted = this.derived.filter((name) => view.wants(name));
    const key = JSON.stringify([view.baseUrl, wanted]);
    const known = this.readStatements.get(key);
    if (known) return known;
    const parameters: unknown[] = [undefined, undefined];
    const json = this.representation(sqlContext(parameters, view.baseUrl), view);
    const statement = {
      text: `SELECT ${json} AS json, r.version FROM ${this.columns.table} r WHERE r.tenant_id = $1 AND r.id = $2`,
      values: parameters.slice(2),
    };
    this.readStatements.set(key, statement);
    return statement;
  }

  /** The part of a page's statement that is about this type. The tenant is its first parameter. */
  pageSource({ filter, sort }: ResourceQuery, view: View, context: SqlContext): PageSource {
    const compiler = new SqlCompiler(this.columns, context);
    return {
      table: this.columns.table,
      type: this.type,
      ...(filter ? { condition: compiler.condition(filter) } : {}),
      isLookUp: filter !== undefined && compiler.matchesOne(filter) && this.isLookUp(view),
      key: sort && compiler.sortKey(sort),
      representation: () => this.representation(context, view),
    };
  }

  /** Reads a resource's row. @returns undefined when there is none */
  async load(scope: TenantScope, id: string): Promise<E | undefined> {
    const [sql, values] = this.selection(scope, 'r.id = $2', [id]);
    return (await this.statements.lookUp<E>(scope, sql, values, true))[0];
  }

  /** Reads a resource's row and locks it until the transaction ends. @returns undefined when there is none */
  async lock(scope: TransactionScope, id: string): Promise<E | undefined> {
    return (await this.select(scope, 'r.id = $2', [id], 'FOR NO KEY UPDATE'))[0];
  }

  /** Reads the rows that meet a condition; its parameters count from $2. */
  protected select(scope: TenantScope, condition: string, values: unknown[], suffix = ''): Promise<E[]> {
    return this.statements.run<E>(scope, ...this.selection(scope, `${condition} ${suffix}`, values));
  }

  private selection({ tenant }: TenantScope, condition: string, values: unknown[]): [sql: string, values: unknown[]] {
    const { selectList, table } = this.rows;
    return [`SELECT ${selectList} FROM ${table} r WHERE r.tenant_id = $1 AND ${condition}`, [tenant.id, ...values]];
  }

  /**
   * Adds a resource, in one statement.
   * @param note what the audit trail says; absent when `record` says it later in the transaction
   * @returns it as it is returned, without its links
   * @throws the database's error when a unique value is taken; ScimError forbidden when there are as many as there may be
   */
  async insert(
    scope: AuthorScope,
    row: Omit<E, 'tenantId'>,
    note: ChangeNote | undefined,
    view: View,
  ): Promise<StoredRepresentation> {
    const parameters: unknown[] = [scope.tenant.id];
    const context = sqlContext(parameters, view.baseUrl);
    const { quota } = scope;
    const most = quota.most(this.type);
    const tenant = most === undefined ? context.tenant : placeInTenant(this.type, most, context);
    const change = this.rows.insert(row, { ...context, tenant });
    const audit = note && auditSql(scope, this.type, note, created, context);
    const statement = this.returning(change, audit, context, { ...view, isNew: true });
    const bytes = bytesOfNew(row.document);
    return this.counted(scope, bytes, async () => {
      try {
        return (
          await this.statements.run<StoredRepresentation>(scope, statement, parameters)
        )[0] as StoredRepresentation;
      } catch (error) {
        const refusal = noPlace(error);
        if (refusal) quota.refused(this.type);
        throw refusal ?? error;
      }
    });
  }

  /** Writes the audit event of a resource that was added in this transaction. */
  async record(scope: AuthorScope & TransactionScope, id: string, note: ChangeNote): Promise<void> {
    const parameters: unknown[] = [scope.tenant.id, id];
    const audit = auditSql(scope, this.type, note, created, sqlContext(parameters, ''));
    await this.statements.run(
      scope,
      `WITH r AS (SELECT * FROM ${this.rows.table} WHERE tenant_id = $1 AND id = $2), ${audit} SELECT 1`,
      parameters,
    );
  }

  /**
   * Writes a resource, in one statement.
   * @param current the row as it was read
   * @returns it as it is returned; undefined when it is no longer at the version that was read
   */
  async update(
    scope: AuthorScope,
    current: E,
    changes: Partial<E>,
    note: ChangeNote,
    view: View,
  ): Promise<StoredRepresentation | undefined> {
    const parameters: unknown[] = [scope.tenant.id, current.id, current.version];
    const context = sqlContext(parameters, view.baseUrl);
    const { table } = this.rows;
    const change = `UPDATE ${table} SET ${this.rows.assignments(changes, context)}
      WHERE tenant_id = $1 AND id = $2 AND version = $3`;
    const { document: before } = current;
    const { document: after = before } = changes;
    const delta = isLarge(after) ? JSON.stringify(documentChanges(before, after)) : undefined;
    const audit = auditSql(scope, this.type, note, this.images(delta, context), context);
    const statement = this.returning(change, audit, context, view);
    return this.counted(scope, bytesOfUpdate(before, after, delta), async () => {
      return (await this.statements.run<StoredRepresentation>(scope, statement, parameters))[0];
    });
  }

  /** Counts bytes while they are being written, and takes them back when they were not. */
  private async counted<T>({ quota }: AuthorScope, bytes: number, write: () => Promise<T>): Promise<T> {
    quota.wrote(bytes);
    try {
      return await write();
    } catch (error) {
      quota.wrote(-bytes);
      throw error;
    }
  }

  /** What the audit trail keeps of an update. The row is at the version that was read, so that is what is replaced. */
  private images(delta: string | undefined, { parameter }: SqlContext): Images {
    if (delta !== undefined) return { before: 'NULL', after: 'NULL', changes: `${parameter(delta)}::json` };
    // All parts of a statement see what was there before it.
    const before = `(SELECT o.document FROM ${this.rows.table} o WHERE o.tenant_id = r.tenant_id AND o.id = r.id)`;
    return { before, after: 'r.document' };
  }

  /** Deletes a resource; foreign keys take its memberships away. */
  async delete(scope: AuthorScope, id: string): Promise<void> {
    const parameters: unknown[] = [scope.tenant.id, id];
    const context = sqlContext(parameters, '');
    const images = { before: 'r.document', after: 'NULL' };
    const [deleted] = await this.statements.run<{ bytes: number; members: number }>(
      scope,
      `WITH r AS (DELETE FROM ${this.rows.table} WHERE tenant_id = $1 AND id = $2 RETURNING *),
        ${auditSql(scope, this.type, { operation: 'delete' }, images, context)}
        SELECT octet_length(r.document::text) AS bytes, ${this.memberCount}::integer AS members FROM r`,
      parameters,
    );
    if (deleted) scope.quota.wrote(bytesOfDeletion(deleted));
  }

  /** A change of one row, its audit event, and the row's representation, as one statement. */
  private returning(change: string, audit: string | undefined, context: SqlContext, view: View): string {
    const parts = [`r AS (${change} RETURNING *)`, ...(audit === undefined ? [] : [audit])];
    return `WITH ${parts.join(', ')} SELECT ${this.representation(context, view)} AS json, r.version FROM r`;
  }
}
