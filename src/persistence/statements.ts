import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { DataSource } from 'typeorm';
import { Config } from '../config.js';
import { borrow } from './borrowed.js';
import { LookUps } from './look-ups.js';
import type { TenantScope } from './transaction.js';

// Each connection keeps what it prepared, so what is prepared has a bound. The first texts are the ones clients repeat.
const mostPrepared = 200;

/** Runs the statements of requests. They are prepared: each connection parses and plans each once. */
@Injectable()
export class Statements {
  private readonly pool: pg.Pool;
  private readonly names = new Map<string, string>();

  constructor(
    dataSource: DataSource,
    private readonly lookUps: LookUps,
    private readonly config: Config,
  ) {
    this.pool = (dataSource.driver as unknown as { master: pg.Pool }).master;
  }

  /**
   * Runs a statement in the scope's transaction, or on any connection and then by itself.
   * @returns its rows
   */
  async run<Row extends object>(scope: TenantScope, text: string, values: unknown[]): Promise<Row[]> {
    const query = this.prepared(text, values);
    const { queryRunner } = scope.manager ?? {};
    if (queryRunner) return (await ((await queryRunner.connect()) as pg.PoolClient).query<Row>(query)).rows;
    const { client, giveBack } = await borrow(this.pool);
    try {
      const { rows } = await client.query<Row>(query);
      giveBack();
      return rows;
    } catch (error) {
      giveBack(error);
      throw error;
    }
  }

  /**
   * Runs a statement that reads a row by its key, which takes next to no time whatever there is: as `run` does, and beside
   * those of other requests where it can.
   * @returns its rows
   */
  lookUp<Row extends object>(scope: TenantScope, text: string, values: unknown[]): Promise<Row[]> {
    const { ownPool } = this.lookUps;
    if (scope.manager || !ownPool) return this.run(scope, text, values);
    return this.lookUps.run<Row>(ownPool, this.prepared(text, values));
  }

  private prepared(text: string, values: unknown[]): pg.QueryConfig {
    const name = this.config.preparedStatements ? this.nameOf(text) : undefined;
    return name === undefined ? { text, values } : { name, text, values };
  }

  private nameOf(text: string): string | undefined {
    const known = this.names.get(text);
    if (known !== undefined || this.names.size >= mostPrepared) return known;
    const name = `rollcall_${this.names.size}`;
    this.names.set(text, name);
    return name;
  }
}
