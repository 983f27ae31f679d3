import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { v7 as uuid } from 'uuid';
import { Repository } from 'typeorm';
import { TenantEntity } from './tenant.entity.js';

/** The tenant that exists without being created. */
export const defaultTenantName = 'default';

/** The tenants. */
@Injectable()
export class TenantsService {
  constructor(@InjectRepository(TenantEntity) private readonly tenants: Repository<TenantEntity>) {}

  /** Finds the default tenant, creating it at the first start. Safe when replicas start together. */
  async ensureDefault(): Promise<TenantEntity> {
    await this.tenants
      .createQueryBuilder()
      .insert()
      .values({ id: uuid(), name: defaultTenantName, profile: 'default', createdAt: new Date() })
      .orIgnore()
      .execute();
    return this.tenants.findOneByOrFail({ name: defaultTenantName });
  }
}
