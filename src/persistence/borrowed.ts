import type pg from 'pg';

/** A connection that the pool lends. */
export interface Borrowed {
  readonly client: pg.PoolClient;
  /** Gives it back. @param failure what work with it failed with: a connection that broke is not lent again */
  readonly giveBack: (failure?: unknown) => void;
}

/**
 * Borrows a connection. Not by `pool.query`, which ends the connection of every statement that fails, such as one that
 * violates a constraint.
 */
export async function borrow(pool: pg.Pool): Promise<Borrowed> {
  const client = await pool.connect();
  // One that breaks fails the statement that runs, which tells it; nobody else has to hear it, and the process goes on.
  const ignore = (): void => undefined;
  client.on('error', ignore);
  return {
    client,
    giveBack: (failure) => {
      client.off('error', ignore);
      client.release(failure === undefined || isOfStatement(failure) ? undefined : (failure as Error));
    },
  };
}

/** Whether it is only the statement that failed. After what is fatal the server ends the connection. */
const isOfStatement = (failure: unknown): boolean => (failure as { severity?: unknown }).severity === 'ERROR';
