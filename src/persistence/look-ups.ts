import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { Config } from '../config.js';

// In milliseconds. A look-up takes a fraction of one; behind one that waits for a lock the others wait, too.
const patience = 5_000;

/**
 * Runs statements that find a row by its key. They go over one connection without waiting for each other's answers, so
 * that the statements of several requests are one message each way and one process of the server answers them, instead of
 * as many as there are requests. Whatever may take long, or wait for a lock, would hold the others up and has no place here.
 */
@Injectable()
export class LookUps implements OnApplicationShutdown {
  /** The pool of the connection; undefined where look-ups have none, and run as other statements do. */
  readonly ownPool: pg.Pool | undefined;
  private connection: Promise<Connection> | undefined;

  constructor(dataSource: DataSource, { preparedStatements }: Config) {
    const { master } = dataSource.driver as unknown as { master: pg.Pool };
    // The embedded database has one connection, which everybody needs; a pooler gives each statement another.
    if (master.options.max === 1 || !preparedStatements) return;
    this.ownPool = new pg.Pool({ ...master.options, max: 1, pipeline: true });
    this.ownPool.on('error', () => undefined);
  }

  async onApplicationShutdown(): Promise<void> {
    (await this.connection?.catch(() => undefined))?.giveBack();
    await this.ownPool?.end();
  }

  /**
   * Runs a statement on `pool`, which is `ownPool`.
   * @returns its rows
   * @throws the database's error, or one of the connection: every statement under way on it fails with it
   */
  async run<Row extends object>(pool: pg.Pool, query: pg.QueryConfig): Promise<Row[]> {
    const { client } = await (this.connection ??= this.connect(pool));
    // When it takes longer, pg ends the connection, and those who wait behind it need not.
    return (await client.query<Row>({ ...query, query_timeout: patience } as pg.QueryConfig)).rows;
  }

  private async connect(pool: pg.Pool): Promise<Connection> {
    try {
      const client = await pool.connect();
      let isHeld = true;
      const giveBack = (failure?: Error): void => {
        if (!isHeld) return;
        isHeld = false;
        this.connection = undefined;
        client.release(failure);
      };
      // Also after it was given back, when nobody has to hear of it any more.
      client.on('error', giveBack);
      return { client, giveBack };
    } catch (error) {
      this.connection = undefined;
      throw error;
    }
  }
}

/** The connection, for as long as it does not break. */
interface Connection {
  readonly client: pg.PoolClient;
  /** Gives it back to its pool, once. @param failure what it broke with */
  readonly giveBack: (failure?: Error) => void;
}
