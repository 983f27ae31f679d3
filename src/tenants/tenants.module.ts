import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TenantErasure } from './tenant-erasure.js';
import { TenantEntity } from './tenant.entity.js';
import { TenantsService } from './tenants.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([TenantEntity])],
  providers: [TenantsService, TenantErasure],
  exports: [TenantsService],
})
export class TenantsModule {}
