import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { borrow, type Borrowed } from './borrowed.js';
import { isServer, poolOf } from './data-source.js';
import type { TenantScope } from './transaction.js';
import { Turns } from './turns.js';

const connections = 4;
/** Of these connections, how many one tenant's answers use at once. */
const shareOfTenant = 2;
/** In milliseconds: how long a statement waits for its turn where an answer can still be refused, and where it has begun. */
const patience = { begin: 2_000, goOn: 60_000 } as const;

/** A statement and its values. */
export type Statement = Readonly<Record<'text', string> & Record<'values', unknown[]>>;

/** Whether an answer begins with a statement, so that it can be refused, or goes on with it. */
export type Stage = keyof typeof patience;

/**
 * Runs the statements by which large answers are read portion by portion, on connections of their own. A connection is held
 * for one short statement and not while a client takes what it read, and tenants take turns.
 */
@Injectable()
export class Portions implements OnApplicationShutdown {
  /** The connections that it has for itself; undefined on the embedded database, which has one for all. */
  readonly ownPool: pg.Pool | undefined;
  private readonly pool: pg.Pool;
  private readonly turns: Turns;

  constructor(dataSource: DataSource) {
    const shared = poolOf(dataSource);
    this.ownPool = isServer(dataSource) ? new pg.Pool({ ...shared.options, max: connections }) : undefined;
    this.ownPool?.on('error', () => undefined);
    this.pool = this.ownPool ?? shared;
    // On the one connection of the embedded database others come in between.
    const [total, share] = this.ownPool ? [connections, shareOfTenant] : [1, 1];
    const { begin, goOn } = patience;
    this.turns = new Turns({ name: 'large answers', total, share, patience: begin, longestWait: goOn });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.ownPool?.end();
  }

  /**
   * Runs a statement that reads a portion.
   * @returns its rows
   * @throws ScimError tooManyRequests or unavailable, with Retry-After, when it waits too long
   */
  async run<Row extends object>(scope: TenantScope, text: string, values: unknown[]): Promise<Row[]> {
    const { client, giveBack } = await this.connect(scope, 'goOn');
    return settled(client.query<Row>({ text, values }), giveBack);
  }

  /**
   * Runs two statements that see the same moment. The second goes on when the first is answered, and holds the connection
   * until it has ended, whether or not somebody waits for it.
   * @returns their rows
   * @throws ScimError as `run`
   */
  async pair<First extends object, Second extends object>(
    scope: TenantScope,
    [first, second]: readonly [first: Statement, second: Statement],
    stage: Stage,
  ): Promise<{ readonly first: First[]; readonly second: Promise<Second[]> }> {
    const { client, giveBack } = await this.connect(scope, stage);
    const begun = client
      .query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
      .then(() => client.query<First>(first));
    const both = begun.then(async (answer) => ({ answer, rest: await client.query<Second>(second) }));
    const ended = both.finally(() => client.query('ROLLBACK'));
    const rows = settled(
      ended.then(({ rest }) => rest),
      giveBack,
    );
    // Its failure is for whoever waits for it.
    rows.catch(() => undefined);
    return { first: (await begun).rows, second: rows };
  }

  /** Waits for a turn and a connection; both are given back together. */
  private async connect(scope: TenantScope, stage: Stage): Promise<Borrowed> {
    const taken = this.turns.take(scope, patience[stage]);
    const turn = taken instanceof Promise ? await taken : taken;
    try {
      const { client, giveBack } = await borrow(this.pool);
      return {
        client,
        giveBack: (failure) => {
          giveBack(failure);
          turn.end();
        },
      };
    } catch (error) {
      turn.end();
      throw error;
    }
  }
}

/** The rows of a statement, after which its connection is given back. */
async function settled<Row extends object>(
  answer: Promise<pg.QueryResult<Row>>,
  giveBack: Borrowed['giveBack'],
): Promise<Row[]> {
  try {
    const { rows } = await answer;
    giveBack();
    return rows;
  } catch (error) {
    giveBack(error);
    throw error;
  }
}
