import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { DataSource } from 'typeorm';
import { Config } from '../config.js';
import { borrow } from './borrowed.js';
import { isServer, poolOf } from './data-source.js';
import { isTooLong } from './database-error.js';
import { BehindPooler, LookUps } from './look-ups.js';
import { PreparedNames } from './prepared-names.js';
import { Searches } from './searches.js';
import { Shares } from './shares.js';
import type { TenantScope } from './transaction.js';

/** In milliseconds: the embedded engine has no time limit of its own. */
const embeddedTimeout = 20_000;

/**
 * Runs the statements of requests, each on a connection that its tenant has a turn on. Those that come again are prepared:
 * each connection parses and plans each once.
 */
@Injectable()
export class Statements {
  private readonly pool: pg.Pool;
  private readonly names = new PreparedNames('request');
  private readonly timeout: { readonly query_timeout?: number };

  constructor(
    dataSource: DataSource,
    private readonly lookUps: LookUps,
    private readonly searches: Searches,
    private readonly shares: Shares,
    private readonly config: Config,
  ) {
    this.pool = poolOf(dataSource);
    this.timeout = isServer(dataSource) ? {} : { query_timeout: embeddedTimeout };
  }

  /**
   * Runs a statement in the scope's transaction, or on any connection and then by itself.
   * @returns its rows
   * @throws ScimError tooManyRequests or unavailable when there is no connection for it; else the database's error
   */
  async run<Row extends object>(scope: TenantScope, text: string, values: unknown[]): Promise<Row[]> {
    const { queryRunner } = scope.manager ?? {};
    if (queryRunner) return this.runOn((await queryRunner.connect()) as pg.PoolClient, text, values);
    return this.shares.requests.within(scope, async () => {
      const { client, giveBack } = await borrow(this.pool);
      try {
        const rows = await this.runOn<Row>(client, text, values);
        giveBack();
        return rows;
      } catch (error) {
        giveBack(error);
        throw error;
      }
    });
  }

  /**
   * Runs a statement that may take long whatever indexes there are, with the time limit of searches; in a transaction, as
   * `run` does.
   * @returns its rows
   * @throws ScimError as `Searches.run`
   */
  search<Row extends object>(scope: TenantScope, text: string, values: unknown[]): Promise<Row[]> {
    return scope.manager ? this.run(scope, text, values) : this.searches.run(scope, text, values);
  }

  /**
   * Runs a statement that reads a row by its key, which takes next to no time: beside those of other requests where it can.
   * One that takes longer than expected, or has a null for its `json` because it would, runs again as `run` does.
   * @param isReserved whether the code alone makes the text: it stays prepared then, whatever clients ask
   * @returns its rows
   */
  async lookUp<Row extends object>(
    scope: TenantScope,
    text: string,
    values: unknown[],
    isReserved = false,
  ): Promise<Row[]> {
    const { ownPool } = this.lookUps;
    if (scope.manager || !ownPool) return this.run(scope, text, values);
    try {
      const rows = await this.shares.lookUps.within(scope, () =>
        this.lookUps.run<Row & { json?: unknown }>(ownPool, { text, values }, isReserved),
      );
      if (rows.every(({ json }) => json !== null)) return rows;
    } catch (error) {
      if (!(error instanceof BehindPooler) && !isEndedByServer(error)) throw error;
    }
    return this.run(scope, text, values);
  }

  private async runOn<Row extends object>(client: pg.PoolClient, text: string, values: unknown[]): Promise<Row[]> {
    const name = this.config.preparedStatements ? this.names.nameFor(text) : undefined;
    if (name !== undefined) await this.names.makeRoom(client, name);
    const query: pg.QueryConfig = name === undefined ? { text, values } : { name, text, values };
    return (await client.query<Row>(Object.assign(query, this.timeout))).rows;
  }
}

/** What the server says of a statement that was to be prepared by one before it, which was ended before it was. */
const notPrepared = '26000';

/** Only the statement was ended. Where the connection was, nothing was heard of the server, and others would not be either. */
function isEndedByServer(error: unknown): boolean {
  const { severity, code } = error as { severity?: unknown; code?: unknown };
  return severity === 'ERROR' && (isTooLong(error) || code === notPrepared);
}
