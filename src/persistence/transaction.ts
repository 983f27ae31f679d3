import { Injectable } from '@nestjs/common';
import pRetry, { AbortError } from 'p-retry';
import { DataSource, type EntityManager } from 'typeorm';
import { isRetryable, toScimError } from './database-error.js';
import { Shares } from './shares.js';
import type { Searcher } from './searches.js';

/** Whose rows a statement may touch, and the transaction it belongs to, if any. First argument of every repository method. */
export interface TenantScope extends Searcher {
  readonly manager?: EntityManager;
}

/** A scope inside a transaction. */
export type TransactionScope = TenantScope & { readonly manager: EntityManager };

const attempts = 6;

/** Runs work on the database wholly or not at all. */
@Injectable()
export class Transaction {
  /** How often work was tried once more, and how often it was given up after its last try, in this process. */
  readonly conflicts = { retries: 0, givenUp: 0 };

  constructor(
    private readonly dataSource: DataSource,
    private readonly shares: Shares,
  ) {}

  /**
   * Runs `work` in a transaction: all of it happens, or nothing. When another transaction gets in the way
   * (serialization failure, deadlock) it is tried again, at most 6 times, so `work` must have no effect outside the
   * database. Each try is one turn on the tenant's share of the connections, whatever it does in it.
   * @throws ScimError for what a client can mend: a unique value that is taken, a reference to nothing, a database away,
   * too many requests of the tenant at once
   * @param work gets the scope bound to the transaction and must use no other for its statements
   */
  run<S extends TenantScope, T>(scope: S, work: (scope: S & TransactionScope) => Promise<T>): Promise<T> {
    return this.retried(() =>
      this.shares.requests.within(scope, () => this.dataSource.transaction((manager) => work({ ...scope, manager }))),
    );
  }

  /**
   * Runs `work` that writes with one statement at most: that is atomic by itself and saves the round trips of a
   * transaction. It is tried again and fails as in `run`.
   */
  single<T>(work: () => Promise<T>): Promise<T> {
    return this.retried(work);
  }

  private async retried<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isRetryable(error)) throw meaningOf(error);
    }
    const attempt = async (): Promise<T> => {
      this.conflicts.retries++;
      try {
        return await work();
      } catch (error) {
        throw isRetryable(error) ? error : new AbortError(error instanceof Error ? error : new Error(String(error)));
      }
    };
    try {
      return await pRetry(attempt, { retries: attempts - 2, minTimeout: 10, maxTimeout: 250, randomize: true });
    } catch (error) {
      if (isRetryable(error)) this.conflicts.givenUp++;
      throw meaningOf(error);
    }
  }
}

/** What an error means to a client, with the error as its cause: the log tells it, and the answer does not. */
function meaningOf(error: unknown): unknown {
  const known = toScimError(error);
  if (known) known.cause = error;
  return known ?? error;
}
