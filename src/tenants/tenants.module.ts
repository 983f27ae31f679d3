import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { LimitsModule } from '../limits/limits.module.js';
import { ByteMeasurement } from './byte-measurement.js';
import { Quotas } from './quotas.js';
import { StoredAmounts } from './stored-amounts.js';
import { TenantBytes } from './tenant-bytes.js';
import { TenantErasure } from './tenant-erasure.js';
import { TenantEntity } from './tenant.entity.js';
import { TenantsService } from './tenants.service.js';

@Module({
  imports: [LimitsModule, TypeOrmModule.forFeature([TenantEntity])],
  providers: [TenantsService, TenantErasure, TenantBytes, ByteMeasurement, Quotas, StoredAmounts],
  exports: [TenantsService, Quotas, StoredAmounts],
})
export class TenantsModule {}
