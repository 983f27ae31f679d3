import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { LimitsModule } from '../limits/limits.module.js';
import { OAuthModule } from '../oauth/oauth.module.js';
import { TenantsModule } from '../tenants/tenants.module.js';
import { BearerStrategy } from './bearer.strategy.js';
import { ScimAuthGuard } from './scim-auth.guard.js';
import { TokenAuthentication } from './token-authentication.js';
import { TokenEntity } from './token.entity.js';
import { TokensService } from './tokens.service.js';

/** Authentication. Its guard stands before every route of the application. */
@Module({
  imports: [TenantsModule, OAuthModule, LimitsModule, TypeOrmModule.forFeature([TokenEntity])],
  providers: [TokensService, TokenAuthentication, BearerStrategy, { provide: APP_GUARD, useClass: ScimAuthGuard }],
  exports: [TokensService, TokenAuthentication],
})
export class AuthModule {}
