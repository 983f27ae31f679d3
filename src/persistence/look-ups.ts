import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type pg from 'pg';
import { DataSource } from 'typeorm';
import { Config } from '../config.js';
import { isServer, pipelinedPool, poolOf } from './data-source.js';
import { PreparedNames } from './prepared-names.js';
import { limitSession } from './sessions.js';

// In milliseconds. A look-up takes a fraction of one. The server ends one that takes longer, and those behind it go on.
const statementTimeout = 1_000;
/** In milliseconds: when nothing comes back for so long, the connection is ended. */
const patience = 5_000;

/**
 * A setting of the connection of look-ups alone: the most groups that a statement there may collect. One that would need
 * more has a null in place of the text, which other connections answer.
 */
export const mostGroupsSetting = 'rollcall.most_groups';
const mostGroups = 500;

/** The connection gives each statement another session, so that look-ups cannot have a time limit of their own. */
export class BehindPooler extends Error {}

/**
 * Runs statements that find a row by its key. They go over one connection without waiting for each other's answers, so
 * that the statements of several requests are one message each way and one process of the server answers them, instead of
 * as many as there are requests. Whatever may take long, or wait for a lock, would hold the others up and has no place here.
 */
@Injectable()
export class LookUps implements OnApplicationShutdown {
  /** The pool of the connection; undefined where look-ups have none, and run as other statements do. */
  readonly ownPool: pg.Pool | undefined;
  /** The names of its statements. */
  readonly names = new PreparedNames('look_up');
  private connection: Promise<Connection> | undefined;
  private isBehindPooler = false;

  constructor(dataSource: DataSource, { preparedStatements }: Config) {
    // The embedded database has one connection, which everybody needs; a pooler gives each statement another.
    if (!isServer(dataSource) || !preparedStatements) return;
    const settings = { [mostGroupsSetting]: String(mostGroups) };
    this.ownPool = pipelinedPool(poolOf(dataSource), 1, async (client) => {
      this.isBehindPooler = !(await limitSession(client, { statementTimeout, settings }));
    });
  }

  async onApplicationShutdown(): Promise<void> {
    (await this.connection?.catch(() => undefined))?.giveBack();
    await this.ownPool?.end();
  }

  /**
   * Runs a statement on `pool`, which is `ownPool`.
   * @param isReserved whether the code alone makes the text, so that it stays prepared whatever else there is
   * @returns its rows
   * @throws BehindPooler where a pooler stands before the database; the database's error, which for a statement that took
   * a second is that it was ended; or an error of the connection: every statement under way on it fails with it
   */
  async run<Row extends object>(pool: pg.Pool, query: pg.QueryConfig, isReserved = false): Promise<Row[]> {
    if (this.isBehindPooler) throw new BehindPooler();
    const { client } = await (this.connection ??= this.connect(pool));
    if (this.isBehindPooler) throw new BehindPooler();
    const name = isReserved ? this.names.reservedFor(query.text) : this.names.nameFor(query.text);
    if (name !== undefined && !isReserved) void this.names.makeRoom(client, name);
    // When it takes longer, pg ends the connection, and those who wait behind it need not.
    const patiently = { ...query, ...(name === undefined ? {} : { name }), query_timeout: patience };
    return (await client.query<Row>(patiently as pg.QueryConfig)).rows;
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
