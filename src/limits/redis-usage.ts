import { createClient } from '@redis/client';
import { keptSeconds, UsageStore, type Usage } from './usage-store.js';

const prefix = 'rollcall:requests:';
const connectTimeout = 5_000;
const longestReconnectDelay = 10_000;

/** Counts in Redis. While it cannot be reached, `add` fails at once and the connection is tried again. */
export class RedisUsage extends UsageStore {
  private readonly client;

  /** @param url such as redis://user:password@host:6379/0, or rediss:// for TLS */
  constructor(url: string) {
    super();
    this.client = createClient({
      url,
      // The older protocol is enough, and everything that calls itself Redis speaks it.
      RESP: 2,
      disableOfflineQueue: true,
      socket: {
        connectTimeout,
        reconnectStrategy: (retries) => Math.min(250 * 2 ** Math.min(retries, 10), longestReconnectDelay),
      },
    });
    // An error without a listener would end the process. What is told of it is told by whoever adds.
    this.client.on('error', () => undefined);
    this.client.connect().catch(() => undefined);
  }

  override async add(used: readonly Usage[]): Promise<ReadonlyMap<string, number>> {
    // Sent in one go, but no transaction: the keys may be on different nodes.
    const totals = await Promise.all(
      used.map(async ({ key, count }) => {
        const [total] = await Promise.all([
          this.client.incrBy(prefix + key, count),
          this.client.expire(prefix + key, keptSeconds),
        ]);
        return [key, Number(total)] as const;
      }),
    );
    return new Map(totals);
  }

  override async close(): Promise<void> {
    if (this.client.isReady) await this.client.close();
    else this.client.destroy();
  }
}
