import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';

/** Which rows are removed, and how often. */
export interface Removal {
  /** What is removed, for the log. */
  readonly name: string;
  /** A number that all processes on one database agree on, and that nothing else locks. */
  readonly lock: number;
  /** Milliseconds from one time to the next. */
  readonly interval: number;
  /**
   * A statement that deletes a batch and returns how many rows it deleted, as `n`.
   * @param most rows of a batch
   */
  readonly batch: (now: Date, most: number) => { readonly sql: string; readonly values: unknown[] };
}

// Few enough that a batch holds no lock for long, and one after the other lets others in between.
const rowsAtOnce = 1_000;

/** Removes rows that are too old, from time to time and in small batches, in one process at a time. */
export class PeriodicRemoval {
  private readonly logger = new Logger(PeriodicRemoval.name);
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<unknown> | undefined;
  private isStopped = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly removal: Removal,
  ) {}

  start(): void {
    this.timer = setInterval(() => {
      this.running ??= this.run()
        .catch((error: unknown) => this.logger.warn(`${this.removal.name} stay: ${(error as Error).name}`))
        .finally(() => (this.running = undefined));
    }, this.removal.interval).unref();
  }

  /** Stops after the batch that is being removed. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    await this.running;
  }

  /** Removes what is too old, or leaves it to the process that does so now. @returns how many rows went */
  async run(now = new Date()): Promise<number> {
    let removed = 0;
    while (!this.isStopped) {
      const rows = await this.removeBatch(now);
      removed += rows;
      if (rows < rowsAtOnce) break;
    }
    return removed;
  }

  private removeBatch(now: Date): Promise<number> {
    return this.dataSource.transaction(async (manager) => {
      const [{ free } = { free: false }] = await manager.query<{ free: boolean }[]>(
        'SELECT pg_try_advisory_xact_lock($1) AS free',
        [this.removal.lock],
      );
      if (!free) return 0;
      const { sql, values } = this.removal.batch(now, rowsAtOnce);
      const [row] = await manager.query<{ n: number }[]>(sql, values);
      return row?.n ?? 0;
    });
  }
}
