import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type pg from 'pg';
import { DataSource } from 'typeorm';
import { setTimeout as delay } from 'node:timers/promises';
import { Config } from '../config.js';
import { ScimError } from '../scim/index.js';
import { borrow } from './borrowed.js';
import { connectionsFor } from './connections.js';
import { isServer, pipelinedPool, poolOf } from './data-source.js';
import { isTooLong } from './database-error.js';
import { PreparedNames } from './prepared-names.js';
import { clientCheckInterval, endWithClient, limitSession } from './sessions.js';
import { Shares } from './shares.js';
import { hungUp, type Claimant } from './turns.js';

const second = 1_000;
/** Of the time that a search has, it may wait for a lock for so long: then the database is busy, and not the search large. */
const partForLocks = 0.8;
/** In milliseconds: how long after its client a statement ends on the server at the latest. */
const endsAfterClient = clientCheckInterval + 100;

/** Who searches. */
export interface Searcher extends Claimant {
  /** Calls a listener when the client hangs up. @returns what takes the listener away */
  readonly onGone?: (listener: () => void) => () => void;
}

/**
 * Runs searches, which may take long whatever indexes there are. They have connections of their own, a time limit of
 * their own, and end with their client.
 */
@Injectable()
export class Searches implements OnApplicationShutdown {
  /** The connections that it has for itself; undefined for the embedded database, whose one connection everybody shares. */
  readonly ownPool: pg.Pool | undefined;
  private readonly pool: pg.Pool;
  private readonly names = new PreparedNames('search');
  /** The connections that give each statement another session, because a pooler stands before the database. */
  private readonly pooled = new WeakSet<pg.PoolClient>();
  private readonly statementTimeout: number;

  constructor(
    dataSource: DataSource,
    private readonly shares: Shares,
    private readonly config: Config,
  ) {
    this.statementTimeout = config.searchSeconds * second;
    this.pool = poolOf(dataSource);
    if (!isServer(dataSource)) return;
    // In pipeline mode, so that a transaction around a statement is sent with it.
    const { searches } = connectionsFor(config.databaseConnections);
    this.ownPool = pipelinedPool(this.pool, searches, (client) => this.limit(client));
    this.pool = this.ownPool;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.ownPool?.end();
  }

  /**
   * Runs one search, outside of any transaction.
   * @returns its rows
   * @throws ScimError tooMany when it takes longer than `SEARCH_SECONDS`; tooManyRequests or unavailable when there is no
   * connection for it; else the database's error
   */
  async run<Row extends object>(searcher: Searcher, text: string, values: unknown[]): Promise<Row[]> {
    const taken = this.shares.searches.take(searcher);
    const turn = taken instanceof Promise ? await taken : taken;
    let [isLeft, failure]: [boolean, unknown] = [false, undefined];
    try {
      if (searcher.isGone?.() === true) throw hungUp();
      const { client, giveBack } = await borrow(this.pool);
      const stopListening =
        this.ownPool &&
        searcher.onGone?.(() => {
          isLeft = true;
          // The server notices; a request to cancel might meet the connection's next statement.
          socketOf(client).destroy();
        });
      try {
        return await this.runOn<Row>(client, text, values);
      } catch (error) {
        failure = error;
        throw isLeft ? hungUp() : this.meaningOf(error);
      } finally {
        stopListening?.();
        giveBack(isLeft ? hungUp() : failure);
      }
    } finally {
      // The statement goes on for a moment, and so does the turn: who hangs up often must not get more of them.
      if (isLeft) void delay(endsAfterClient, undefined, { ref: false }).then(() => turn.end());
      else turn.end();
    }
  }

  private async runOn<Row extends object>(client: pg.PoolClient, text: string, values: unknown[]): Promise<Row[]> {
    const name = this.config.preparedStatements ? this.names.nameFor(text) : undefined;
    if (name !== undefined) await this.names.makeRoom(client, name);
    const query: pg.QueryConfig = name === undefined ? { text, values } : { name, text, values };
    // The embedded engine has no time limit of its own.
    if (!this.ownPool) Object.assign(query, { query_timeout: this.statementTimeout });
    if (!this.pooled.has(client)) return (await client.query<Row>(query)).rows;
    const { statementTimeout, lockTimeout } = this;
    const [begun, found, ended] = await Promise.allSettled([
      client.query(
        `BEGIN READ ONLY; SET LOCAL statement_timeout = ${statementTimeout}; SET LOCAL lock_timeout = ${lockTimeout}`,
      ),
      client.query<Row>(query),
      client.query('COMMIT'),
    ]);
    for (const each of [found, begun, ended]) if (each.status === 'rejected') throw each.reason as Error;
    return found.status === 'fulfilled' ? found.value.rows : [];
  }

  private get lockTimeout(): number {
    return Math.floor(this.statementTimeout * partForLocks);
  }

  private async limit(client: pg.PoolClient): Promise<void> {
    const { statementTimeout, lockTimeout } = this;
    const isOwn = await limitSession(client, { statementTimeout, settings: { lock_timeout: String(lockTimeout) } });
    if (isOwn) await endWithClient(client);
    else this.pooled.add(client);
  }

  private meaningOf(error: unknown): unknown {
    if (!isTooLong(error)) return error;
    const { searchSeconds } = this.config;
    const meaning = new ScimError(
      'tooMany',
      `The search took longer than ${searchSeconds} s, which is the limit of this server: narrow the filter, for example ` +
        'by "eq" on id, userName, externalId or emails.value, or sort by one of these.',
    );
    meaning.cause = error;
    return meaning;
  }
}

/** The connection's socket. */
const socketOf = (client: pg.PoolClient): { destroy(): void } =>
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream;
