import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { isDeepStrictEqual } from 'node:util';
import { Subject } from 'rxjs';
import { IsNull, Repository, type EntityManager } from 'typeorm';
import { v7 as uuid } from 'uuid';
import { Config } from '../config.js';
import { installation, recordEvent, type AuditEvent } from '../persistence/audit-event.js';
import type { Author } from '../persistence/audit.js';
import { toScimError } from '../persistence/database-error.js';
import { quote, ScimError, type TenantSettings } from '../scim/index.js';
import { TenantErasure } from './tenant-erasure.js';
import { TenantEntity } from './tenant.entity.js';
import { applyUniqueness } from './uniqueness.js';
import { tenantNamePattern, tenantRecord, type TenantRecord } from './tenant.js';

/** The tenant that exists without being created. */
export const defaultTenantName = 'default';

// Settings that rows have to know of.
const uniqueness = ['uniqueExternalId', 'uniqueGroupDisplayName'] as const;

/** Which part of a list is wanted. */
export interface PageRequest {
  /** The name or id that the page before ended with. */
  readonly after?: string | undefined;
  /** How many at most. */
  readonly count: number;
}

/** What can be changed of a tenant. */
export interface TenantChanges {
  readonly name?: string | undefined;
  /** Those that change. */
  readonly settings?: Partial<TenantSettings> | undefined;
}

/** The tenants. Their names and settings come checked. Every change is an event of the audit trail. */
@Injectable()
export class TenantsService {
  /** The ids of tenants that were changed in this process, so that what is remembered of them can be forgotten. */
  readonly changed = new Subject<string>();

  constructor(
    @InjectRepository(TenantEntity) private readonly tenants: Repository<TenantEntity>,
    private readonly erasure: TenantErasure,
    private readonly config: Config,
  ) {}

  /** Finds the default tenant, creating it when it is not there. Safe when replicas start together. */
  async ensureDefault(author: Author): Promise<TenantRecord> {
    await this.insert(author, defaultTenantName, {});
    return this.get(defaultTenantName);
  }

  /** @returns whether there is no tenant yet, or a default one */
  async needsDefault(): Promise<boolean> {
    return (await this.tenants.existsBy({ name: defaultTenantName })) || !(await this.tenants.exists());
  }

  /**
   * Creates a tenant.
   * @param name as `tenantNamePattern` says
   * @param settings those that differ from the defaults
   * @throws ScimError uniqueness when the name is taken
   */
  async create(author: Author, name: string, settings: Partial<TenantSettings> = {}): Promise<TenantRecord> {
    if (!(await this.insert(author, name, settings)))
      throw new ScimError('uniqueness', `Another tenant has the name ${quote(name)}.`);
    return this.get(name);
  }

  /** Tenants by name, in its order. @param prefix what their names start with */
  async list({ after = '', count }: PageRequest, prefix = ''): Promise<TenantRecord[]> {
    const rows = await this.tenants
      .createQueryBuilder('tenant')
      .where('tenant.name > :after AND starts_with(tenant.name, :prefix)', { after, prefix })
      .orderBy('tenant.name')
      .limit(count)
      .getMany();
    return rows.map(tenantRecord);
  }

  /** @throws ScimError notFound */
  async get(name: string): Promise<TenantRecord> {
    const row = tenantNamePattern.test(name) ? await this.tenants.findOneBy({ name }) : undefined;
    if (!row) throw noTenant(name);
    return tenantRecord(row);
  }

  /**
   * Renames a tenant, changes settings of it, or both.
   * @throws ScimError notFound; uniqueness when the new name is taken, or resources share a value that is to be unique; conflict for the name of a tenant that the
   * configuration names
   */
  async change(author: Author, name: string, { name: newName, settings = {} }: TenantChanges): Promise<TenantRecord> {
    if (newName !== undefined && newName !== name) this.refuseIfConfigured(name, 'renamed');
    const { profile, ...chosen } = settings;
    return this.alter(author, 'update', name, async (manager, id) => {
      await manager
        .createQueryBuilder()
        .update(TenantEntity)
        .set({
          ...(newName === undefined ? {} : { name: newName }),
          ...(profile === undefined ? {} : { profile }),
          // One statement, so that two operators who change different settings both have their way.
          settings: () => 'settings || CAST(:chosen AS jsonb)',
        })
        .setParameter('chosen', JSON.stringify(chosen))
        .where({ id })
        .execute();
      if (uniqueness.every((name) => chosen[name] === undefined)) return;
      const changed = await manager.findOneByOrFail(TenantEntity, { id });
      await applyUniqueness(manager, id, tenantRecord(changed).settings);
    });
  }

  /** Makes a tenant's requests be told to come back later. @throws ScimError notFound */
  suspend(author: Author, name: string): Promise<TenantRecord> {
    return this.setState(author, 'suspend', name, 'suspended');
  }

  /** Ends a suspension. @throws ScimError notFound, or conflict when the tenant is being erased */
  async resume(author: Author, name: string): Promise<TenantRecord> {
    const { erasingSince } = await this.get(name);
    if (erasingSince) throw new ScimError('conflict', `The tenant ${quote(name)} is being erased.`);
    return this.setState(author, 'resume', name, 'active');
  }

  /**
   * Erases a tenant and everything it has. It is suspended and its tokens end first; then rows go in batches. The name is
   * free when it is done. When it is interrupted, calling it again erases the rest. The event is written before the first
   * row goes: nothing is destroyed without a trace.
   * @throws ScimError notFound, or conflict for the tenant that the configuration names
   */
  async erase(author: Author, name: string): Promise<void> {
    const { id } = await this.get(name);
    this.refuseIfConfigured(name, 'deleted');
    await this.tenants.manager.transaction(async (manager) => {
      const tenant = await lock(manager, id, name);
      await manager.query(
        `UPDATE tenants SET state = 'suspended', erasing_since = coalesce(erasing_since, $2) WHERE id = $1`,
        [id, new Date()],
      );
      await manager.query('DELETE FROM tokens WHERE tenant_id = $1', [id]);
      if (tenant.erasingSince) return;
      await recordEvent(manager, author, {
        ...eventOf('delete', tenant),
        tenantId: installation,
        before: shown(tenant),
      });
    });
    this.changed.next(id);
    await this.erasure.erase(id);
    this.changed.next(id);
  }

  private setState(
    author: Author,
    operation: 'suspend' | 'resume',
    name: string,
    state: TenantEntity['state'],
  ): Promise<TenantRecord> {
    return this.alter(author, operation, name, async (manager, id) => {
      await manager.update(TenantEntity, { id, erasingSince: IsNull() }, { state });
    });
  }

  /** Changes a tenant, and writes what changed, if anything did. @throws ScimError notFound, or what `work` makes fail */
  private async alter(
    author: Author,
    operation: AuditEvent['operation'],
    name: string,
    work: (manager: EntityManager, id: string) => Promise<void>,
  ): Promise<TenantRecord> {
    const { id } = await this.get(name);
    const changed = this.tenants.manager.transaction(async (manager) => {
      const before = shown(await lock(manager, id, name));
      await work(manager, id);
      const tenant = tenantRecord(await manager.findOneByOrFail(TenantEntity, { id }));
      const after = shown(tenant);
      if (!isDeepStrictEqual(before, after)) {
        await recordEvent(manager, author, { ...eventOf(operation, tenant), before, after });
      }
      return tenant;
    });
    const tenant = await changed.catch((error: unknown) => {
      throw toScimError(error) ?? error;
    });
    this.changed.next(id);
    return tenant;
  }

  /** @returns whether the name was free */
  private insert(
    author: Author,
    name: string,
    { profile = 'default', ...settings }: Partial<TenantSettings>,
  ): Promise<boolean> {
    const row = {
      ...{ id: uuid(), name, state: 'active' as const, profile, settings },
      ...{ createdAt: new Date(), erasingSince: null },
    };
    return this.tenants.manager.transaction(async (manager) => {
      const inserted = await manager
        .createQueryBuilder()
        .insert()
        .into(TenantEntity)
        .values(row)
        .orIgnore()
        .returning('id')
        .execute();
      if ((inserted.raw as unknown[]).length === 0) return false;
      const tenant = tenantRecord(row);
      await recordEvent(manager, author, {
        ...eventOf('create', tenant),
        tenantId: installation,
        after: shown(tenant),
      });
      return true;
    });
  }

  /** With SCIM_TOKEN the default tenant is made again at every start, and the token is given to it. */
  private refuseIfConfigured(name: string, change: 'renamed' | 'deleted'): void {
    if (name !== defaultTenantName || this.config.scimToken === undefined) return;
    throw new ScimError(
      'conflict',
      `The tenant "${name}" cannot be ${change} while SCIM_TOKEN is set: it is its token.`,
    );
  }
}

/** What the audit trail says of a tenant. */
const shown = ({ name, state, settings }: TenantRecord): object => ({ name, state, settings: { ...settings } });

const eventOf = (operation: AuditEvent['operation'], { id }: TenantRecord) =>
  ({ operation, tenantId: id, resourceType: 'Tenant', resourceId: id }) as const;

/** Reads a tenant that nobody else changes until the transaction ends. @throws ScimError notFound */
async function lock(manager: EntityManager, id: string, name: string): Promise<TenantRecord> {
  const row = await manager.findOne(TenantEntity, { where: { id }, lock: { mode: 'for_no_key_update' } });
  if (!row) throw noTenant(name);
  return tenantRecord(row);
}

const noTenant = (name: string): ScimError => new ScimError('notFound', `There is no tenant ${quote(name)}.`);
