import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { DataSource } from 'typeorm';
import { Config } from '../config.js';
import { borrow } from './borrowed.js';
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
    private readonly config: Config,
  ) {
    this.pool = (dataSource.driver as unknown as { master: pg.Pool }).master;
  }

  /**
   * Runs a statement in the scope's transaction, or on any connection and then by itself.
   * @returns its rows
   */
  async run<Row extends object>(scope: TenantScope, text: string, values: unknown[]): Promise<Row[]> {
    const name = this.config.preparedStatements ? this.nameOf(text) : undefined;
    const query = name === undefined ? { text, values } : { name, text, values };
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

  private nameOf(text: string): string | undefined {
    const known = this.names.get(text);
    if (known !== undefined || this.names.size >= mostPrepared) return known;
    const name = `rollcall_${this.names.size}`;
    this.names.set(text, name);
    return name;
  }
}
