import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { LimitsModule } from '../limits/limits.module.js';
import { OAuthModule } from '../oauth/oauth.module.js';
import { RequestLogModule } from '../request-log/request-log.module.js';
import { TenantsModule } from '../tenants/tenants.module.js';
import { AdminFallbackController } from './admin-fallback.controller.js';
import { AuditController, TenantAuditController } from './audit.controller.js';
import { IssuersController } from './issuers.controller.js';
import { OAuthClientsController } from './oauth-clients.controller.js';
import { RequestsController } from './requests.controller.js';
import { TenantsController } from './tenants.controller.js';
import { TokensController } from './tokens.controller.js';

/** The administration of tenants and their credentials. It is only there when operators have a token. */
@Module({
  imports: [AuditModule, RequestLogModule, TenantsModule, AuthModule, OAuthModule, LimitsModule],
  // The fallback last: it answers what no route before it takes.
  controllers: [
    TenantsController,
    TokensController,
    OAuthClientsController,
    IssuersController,
    TenantAuditController,
    AuditController,
    RequestsController,
    AdminFallbackController,
  ],
})
export class AdminModule {}
