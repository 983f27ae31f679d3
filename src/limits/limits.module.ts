import { Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Config } from '../config.js';
import { BytesInFlight } from './bytes-in-flight.js';
import { AnonymousRequests } from './anonymous-requests.js';
import { FailedAuthentications } from './failed-authentications.js';
import { PostgresUsage, UsageDatabase } from './postgres-usage.js';
import { TenantLimits } from './tenant-limits.js';
import { UsageExchange } from './usage-exchange.js';
import { UsageStore } from './usage-store.js';

/** Redis where it is configured, else the database, unless it is this process's own. */
async function storeFor(
  { redisUrl, rateLimit }: Config,
  dataSource: DataSource,
  database: UsageDatabase,
): Promise<UsageStore | null> {
  if (!rateLimit) return null;
  // Loaded only where it is used.
  if (redisUrl !== undefined) return new (await import('./redis-usage.js')).RedisUsage(redisUrl);
  const isServer = 'url' in dataSource.options && dataSource.options.url !== undefined;
  return isServer ? new PostgresUsage(database) : null;
}

/** How many requests a tenant may send and how many bytes they may hold, and how many bad credentials a source may send. */
@Module({
  providers: [
    {
      provide: UsageExchange,
      inject: [Config, DataSource, UsageDatabase],
      useFactory: async (config: Config, dataSource: DataSource, database: UsageDatabase) =>
        new UsageExchange(await storeFor(config, dataSource, database)),
    },
    AnonymousRequests,
    BytesInFlight,
    FailedAuthentications,
    TenantLimits,
  ],
  exports: [AnonymousRequests, BytesInFlight, FailedAuthentications, TenantLimits],
})
export class LimitsModule {}
