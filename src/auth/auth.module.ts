import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { PassportModule } from '@nestjs/passport';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TenantsModule } from '../tenants/tenants.module.js';
import { BearerStrategy } from './bearer.strategy.js';
import { ScimAuthGuard } from './scim-auth.guard.js';
import { TokenEntity } from './token.entity.js';
import { TokensService } from './tokens.service.js';

/** Authentication. Its guard stands before every route of the application. */
@Module({
  imports: [PassportModule, TenantsModule, TypeOrmModule.forFeature([TokenEntity])],
  providers: [TokensService, BearerStrategy, { provide: APP_GUARD, useClass: ScimAuthGuard }],
  exports: [TokensService],
})
export class AuthModule {}
