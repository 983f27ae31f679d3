import { Global, Logger, Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { Config } from '../config.js';
import { dataSourceOptions } from './data-source.js';
import type { EmbeddedDatabase } from './embedded.js';
import { DirectoryCounts } from './directory-counts.js';
import { LookUps } from './look-ups.js';
import { migrate } from './migrate.js';
import { Pages } from './pages.js';
import { NewerDatabase } from './schema-version.js';
import { SecretKeys } from './secret-keys.js';
import { missingSettings } from './sessions.js';
import { Portions } from './portions.js';
import { Statements } from './statements.js';
import { Transaction } from './transaction.js';

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
            ...dataSourceOptions(database, databaseConnections),
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
      providers: [Transaction, LookUps, Statements, Pages, SecretKeys, DirectoryCounts, Portions],
      exports: [Transaction, LookUps, Statements, Pages, SecretKeys, DirectoryCounts, Portions, TypeOrmModule],
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
