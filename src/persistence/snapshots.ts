import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { borrow } from './borrowed.js';

/** Reads rows within one snapshot of the database. */
export type SnapshotQuery = <Row extends object>(text: string, values: readonly unknown[]) => Promise<Row[]>;

const mostAtOnce = 4;

/** Reads what is too large for one statement's answer, as it was at one moment. */
@Injectable()
export class Snapshots implements OnApplicationShutdown {
  /** The connections that it has for itself. */
  readonly ownPool: pg.Pool | undefined;
  private readonly pool: pg.Pool;

  constructor(dataSource: DataSource) {
    const { master } = dataSource.driver as unknown as { master: pg.Pool };
    // The embedded database has one connection, and everybody needs it.
    const isShared = master.options.max === 1;
    // A reader may be slow and holds a connection meanwhile; it must not be one that others wait for.
    this.ownPool = isShared ? undefined : new pg.Pool({ ...master.options, max: mostAtOnce });
    this.ownPool?.on('error', () => undefined);
    this.pool = this.ownPool ?? master;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.ownPool?.end();
  }

  /**
   * Yields the parts that `read` makes out of one snapshot, as fast as they are taken. On a shared connection they are
   * all read before the first is yielded.
   */
  async *parts<T>(read: (query: SnapshotQuery) => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    if (this.ownPool) return yield* this.inSnapshot(read);
    const parts: T[] = [];
    for await (const part of this.inSnapshot(read)) parts.push(part);
    yield* parts;
  }

  private async *inSnapshot<T>(read: (query: SnapshotQuery) => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    const { client, giveBack } = await borrow(this.pool);
    let failure: unknown;
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      yield* read(async <Row extends object>(text: string, values: readonly unknown[]) => {
        return (await client.query<Row>(text, [...values])).rows;
      });
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      // Also reached when whoever takes the parts stops taking them.
      const ended = await client.query('ROLLBACK').then(
        () => undefined,
        (error: unknown) => error as Error,
      );
      giveBack(ended ?? failure);
    }
  }
}
