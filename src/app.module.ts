import { Module, type DynamicModule } from '@nestjs/common';
import { AdminModule } from './admin/admin.module.js';
import { AuditModule } from './audit/audit.module.js';
import { AuthModule } from './auth/auth.module.js';
import { BulkModule } from './bulk/bulk.module.js';
import type { Config } from './config.js';
import { ConfigModule } from './config.module.js';
import { DiscoveryModule } from './discovery/discovery.module.js';
import { GroupsModule } from './groups/groups.module.js';
import { BodiesModule } from './http/bodies.module.js';
import { FallbackModule } from './http/fallback.module.js';
import { OAuthModule } from './oauth/oauth.module.js';
import { OpsModule } from './ops/ops.module.js';
import type { EmbeddedDatabase } from './persistence/embedded.js';
import { PersistenceModule } from './persistence/persistence.module.js';
import { RequestLogModule } from './request-log/request-log.module.js';
import { TenantsModule } from './tenants/tenants.module.js';
import { UsersModule } from './users/users.module.js';

/** The application: the only file that knows every feature. */
@Module({})
export class AppModule {
  /** @param database a postgres:// URL, or an embedded database that is open */
  static on(database: string | EmbeddedDatabase, config: Config): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.with(config),
        PersistenceModule.on(database, config),
        BodiesModule,
        // First: routes are looked through in this order, and most requests are for these.
        UsersModule,
        GroupsModule,
        AuditModule,
        RequestLogModule,
        TenantsModule,
        OAuthModule,
        AuthModule,
        OpsModule.on(config),
        DiscoveryModule,
        BulkModule,
        ...(config.adminToken === undefined ? [] : [AdminModule]),
        // Last: it answers what no route before it takes.
        FallbackModule,
      ],
    };
  }
}
