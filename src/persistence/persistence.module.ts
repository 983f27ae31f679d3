import { Global, Logger, Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Config } from '../config.js';
import { UsageDatabase } from '../limits/postgres-usage.js';
import { connectionsFor } from './connections.js';
import { dataSourceOptions } from './data-source.js';
import type { EmbeddedDatabase } from './embedded.js';
import { DirectoryCounts } from './directory-counts.js';
import { LookUps } from './look-ups.js';
import { migrate } from './migrate.js';
import { Pages } from './pages.js';
import { Pools } from './pools.js';
import { ReservedConnections, reservedConnectionsProvider } from './reserved-connections.js';
import { NewerDatabase } from './schema-version.js';
import { Searches } from './searches.js';
import { SecretKeys } from './secret-keys.js';
import { missingSettings } from './sessions.js';
import { Portions } from './portions.js';
import { Shares } from './shares.js';
import { Statements } from './statements.js';
import { Transaction } from './transaction.js';

const services = [
  Shares,
  Transaction,
  LookUps,
  Searches,
  Statements,
  Pages,
  SecretKeys,
  DirectoryCounts,
  Portions,
  Pools,
];
const usageDatabase = { provide: UsageDatabase, useExisting: ReservedConnections };

/** The database: opened and migrated before anything that needs it is made. */
@Global()
@Module({})
export class PersistenceModule {
  /** @param database a postgres:// URL, or an embedded database that is open */
  static on(database: string | EmbeddedDatabase, { databaseConnections }: Config): DynamicModule {
    return {
      module: PersistenceModule,
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({
            ...dataSourceOptions(database, connectionsFor(databaseConnections).requests),
            autoLoadEntities: true,
            retryAttempts: 5,
            retryDelay: 1000,
            toRetry: (error) => !(error instanceof NewerDatabase),
          }),
          dataSourceFactory: async (options) => {
            if (!options) throw new Error('TypeORM passed no options');
            const dataSource = await new DataSource(options).initialize();
            try {
              await migrate(dataSource);
              if (typeof database === 'string') await warnOfMissingSettings(dataSource);
              return dataSource;
            } catch (error) {
              await dataSource.destroy();
              throw error;
            }
          },
        }),
      ],
      providers: [...services, reservedConnectionsProvider, usageDatabase],
      exports: [...services, ReservedConnections, UsageDatabase, TypeOrmModule],
    };
  }
}

/** Tells operators what to set where a pooler stands before the database. */
async function warnOfMissingSettings(dataSource: DataSource): Promise<void> {
  const missing = await missingSettings(dataSource);
  if (missing.length === 0) return;
  const where = 'see "Behind pgbouncer" in docs/high-availability.md';
  new Logger('Database').warn(`Behind a connection pooler, and the role does not set ${missing.join(', ')}: ${where}`);
}
