import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { TokenBucket, type Rate } from './token-bucket.js';
import { UsageStore } from './usage-store.js';

const interval = 1_000;
const warningInterval = 60_000;
// Between two exchanges. What is beyond it is counted by this process only.
const mostBuckets = 50_000;

/**
 * Tells the other processes once a second what this one admitted, and learns what they did: one round trip for all
 * buckets, and none for a request. While the store is away each process goes on by its own counts.
 */
@Injectable()
export class UsageExchange implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(UsageExchange.name);
  private readonly used = new Set<TokenBucket>();
  private readonly note = (bucket: TokenBucket): void => {
    if (this.used.size < mostBuckets) this.used.add(bucket);
  };
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private warnedAt = -Infinity;

  /** @param store null where this is the only process */
  constructor(private readonly store: UsageStore | null) {}

  onModuleInit(): void {
    if (this.store) this.timer = setInterval(() => void this.exchange(), interval).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
    await this.store?.close();
  }

  /** Makes a bucket, full, that is shared with the processes that make one of the same key. */
  bucket(key: string, rate: Rate, now: number): TokenBucket {
    return new TokenBucket(key, rate, this.store ? this.note : () => undefined, now);
  }

  /** Exchanges what was admitted since the last time. Never fails; only one runs at a time. */
  exchange(): Promise<void> {
    this.running ??= this.run().finally(() => (this.running = undefined));
    return this.running;
  }

  private async run(): Promise<void> {
    if (!this.store || this.used.size === 0) return;
    const buckets = [...this.used];
    this.used.clear();
    const told = buckets.map((bucket) => ({ key: bucket.key, count: bucket.tell() }));
    try {
      const totals = await this.store.add(told);
      buckets.forEach((bucket, index) => {
        const total = totals.get(bucket.key);
        if (total !== undefined) bucket.learn(total, told[index]?.count ?? 0);
      });
    } catch (error) {
      this.warn(error);
    }
  }

  private warn(error: unknown): void {
    if (Date.now() - this.warnedAt < warningInterval) return;
    this.warnedAt = Date.now();
    const { code, name } = error as NodeJS.ErrnoException;
    this.logger.warn(
      `Rate limits are not shared with other processes now: their store cannot be used (${code ?? name})`,
    );
  }
}
