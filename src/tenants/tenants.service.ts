import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Subject } from 'rxjs';
import { IsNull, Repository, type EntityManager } from 'typeorm';
import { v7 as uuid } from 'uuid';
import { Config } from '../config.js';
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

/** The tenants. Their names and settings come checked. */
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
  async ensureDefault(): Promise<TenantRecord> {
    await this.insert(defaultTenantName, {});
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
  async create(name: string, settings: Partial<TenantSettings> = {}): Promise<TenantRecord> {
    if (!(await this.insert(name, settings)))
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
    if (!row) throw new ScimError('notFound', `There is no tenant ${quote(name)}.`);
    return tenantRecord(row);
  }

  /**
   * Renames a tenant, changes settings of it, or both.
   * @throws ScimError notFound; uniqueness when the new name is taken, or resources share a value that is to be unique; conflict for the name of a tenant that the
   * configuration names
   */
  async change(name: string, { name: newName, settings = {} }: TenantChanges): Promise<TenantRecord> {
    const { id } = await this.get(name);
    if (newName !== undefined && newName !== name) this.refuseIfConfigured(name, 'renamed');
    const { profile, ...chosen } = settings;
    const change = async (manager: EntityManager): Promise<void> => {
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
    };
    await this.tenants.manager.transaction(change).catch((error: unknown) => {
      throw toScimError(error) ?? error;
    });
    this.changed.next(id);
    return this.get(newName ?? name);
  }

  /** Makes a tenant's requests be told to come back later. @throws ScimError notFound */
  suspend(name: string): Promise<TenantRecord> {
    return this.setState(name, 'suspended');
  }

  /** Ends a suspension. @throws ScimError notFound, or conflict when the tenant is being erased */
  async resume(name: string): Promise<TenantRecord> {
    const { erasingSince } = await this.get(name);
    if (erasingSince) throw new ScimError('conflict', `The tenant ${quote(name)} is being erased.`);
    return this.setState(name, 'active');
  }

  /**
   * Erases a tenant and everything it has. It is suspended and its tokens end first; then rows go in batches. The name is
   * free when it is done. When it is interrupted, calling it again erases the rest.
   * @throws ScimError notFound, or conflict for the tenant that the configuration names
   */
  async erase(name: string): Promise<void> {
    const { id } = await this.get(name);
    this.refuseIfConfigured(name, 'deleted');
    await this.tenants.manager.transaction(async (manager) => {
      await manager.query(
        `UPDATE tenants SET state = 'suspended', erasing_since = coalesce(erasing_since, $2) WHERE id = $1`,
        [id, new Date()],
      );
      await manager.query('DELETE FROM tokens WHERE tenant_id = $1', [id]);
    });
    this.changed.next(id);
    await this.erasure.erase(id);
    this.changed.next(id);
  }

  private async setState(name: string, state: TenantEntity['state']): Promise<TenantRecord> {
    const { id } = await this.get(name);
    await this.tenants.update({ id, erasingSince: IsNull() }, { state });
    this.changed.next(id);
    return this.get(name);
  }

  /** @returns whether the name was free */
  private async insert(name: string, { profile = 'default', ...settings }: Partial<TenantSettings>): Promise<boolean> {
    const row = { id: uuid(), name, state: 'active' as const, profile, settings, createdAt: new Date() };
    const inserted = await this.tenants
      .createQueryBuilder()
      .insert()
      .values({ ...row, erasingSince: null })
      .orIgnore()
      .returning('id')
      .execute();
    return (inserted.raw as unknown[]).length > 0;
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
