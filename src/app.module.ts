import { Module, type DynamicModule } from '@nestjs/common';
import { AuthModule } from './auth/auth.module.js';
import { BulkModule } from './bulk/bulk.module.js';
import { Config } from './config.js';
import { DiscoveryModule } from './discovery/discovery.module.js';
import { GroupsModule } from './groups/groups.module.js';
import { FallbackModule } from './http/fallback.module.js';
import { OpsModule } from './ops/ops.module.js';
import type { EmbeddedDatabase } from './persistence/embedded.js';
import { PersistenceModule } from './persistence/persistence.module.js';
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
        { module: ConfigModule, global: true, providers: [{ provide: Config, useValue: config }], exports: [Config] },
        PersistenceModule.on(database),
        TenantsModule,
        AuthModule,
        OpsModule,
        DiscoveryModule,
        GroupsModule,
        UsersModule,
        BulkModule,
        // Last: it answers what no route before it takes.
        FallbackModule,
      ],
    };
  }
}

@Module({})
class ConfigModule {}
