import { NestFactory } from '@nestjs/core';
import type { DynamicModule } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { TokensService } from '../auth/tokens.service.js';
import { v7 as uuid } from 'uuid';
import type { Config } from '../config.js';
import { ConfigModule } from '../config.module.js';
import type { Author } from '../persistence/audit.js';
import { isEmbeddedIn, openEmbedded, type EmbeddedDatabase } from '../persistence/embedded.js';
import { PersistenceModule } from '../persistence/persistence.module.js';
import { TenantsModule } from '../tenants/tenants.module.js';
import { TenantsService } from '../tenants/tenants.service.js';

/** The services that commands use: the same as the server's. */
export interface Services {
  readonly config: Config;
  readonly tenants: TenantsService;
  readonly tokens: TokensService;
  /** Who the audit trail names, by an id that all changes of one command share. */
  readonly author: Author;
}

/** There is no embedded database, and none was to be made. */
export class NoDatabaseYet extends Error {
  constructor(directory: string) {
    super(`There is no database yet in ${directory}; rollcall migrate or a start makes it.`);
  }
}

/** Does work with a database, and closes it. An embedded one is made first, unless it has to be there already. */
export type WithDatabase = <T>(
  config: Config,
  work: (database: string | EmbeddedDatabase) => Promise<T>,
  options?: { readonly mustExist: boolean },
) => Promise<T>;

/**
 * Opens the database of the configuration.
 * @throws DataDirectoryInUse while another process, such as the server, has the embedded one
 * @throws NoDatabaseYet
 */
export const withDatabase: WithDatabase = async (config, work, { mustExist } = { mustExist: false }) => {
  if (config.databaseUrl !== undefined) return work(config.databaseUrl);
  if (mustExist && !isEmbeddedIn(config.dataDir)) throw new NoDatabaseYet(config.dataDir);
  const embedded = await openEmbedded(config.dataDir);
  try {
    return await work(embedded);
  } finally {
    await embedded.close();
  }
};

class CliModule {
  static on(database: string | EmbeddedDatabase, config: Config): DynamicModule {
    const imports = [ConfigModule.with(config), PersistenceModule.on(database, config), TenantsModule, AuthModule];
    return { module: CliModule, imports };
  }
}

/** Does work with the services on a database, which is migrated first. */
export async function withServices<T>(
  config: Config,
  database: string | EmbeddedDatabase,
  work: (services: Services) => Promise<T>,
): Promise<T> {
  const context = await NestFactory.createApplicationContext(CliModule.on(database, config), {
    logger: false,
    abortOnError: false,
  });
  try {
    const [tenants, tokens] = [context.get(TenantsService), context.get(TokensService)];
    return await work({ config, tenants, tokens, author: { actor: 'cli', requestId: uuid() } });
  } finally {
    await context.close();
  }
}
