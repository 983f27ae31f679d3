import { Global, Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { dataSourceOptions, migrate } from './data-source.js';
import type { EmbeddedDatabase } from './embedded.js';
import { DirectoryCounts } from './directory-counts.js';
import { Pages } from './pages.js';
import { SecretKeys } from './secret-keys.js';
import { Snapshots } from './snapshots.js';
import { Statements } from './statements.js';
import { Transaction } from './transaction.js';

/** The database: opened and migrated before anything that needs it is made. */
@Global()
@Module({})
export class PersistenceModule {
  /** @param database a postgres:// URL, or an embedded database that is open */
  static on(database: string | EmbeddedDatabase): DynamicModule {
    return {
      module: PersistenceModule,
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({
            ...dataSourceOptions(database),
            autoLoadEntities: true,
            retryAttempts: 5,
            retryDelay: 1000,
          }),
          dataSourceFactory: async (options) => {
            if (!options) throw new Error('TypeORM passed no options');
            const dataSource = await new DataSource(options).initialize();
            await migrate(dataSource);
            return dataSource;
          },
        }),
      ],
      providers: [Transaction, Statements, Pages, SecretKeys, DirectoryCounts, Snapshots],
      exports: [Transaction, Statements, Pages, SecretKeys, DirectoryCounts, Snapshots, TypeOrmModule],
    };
  }
}
