import type { Socket } from 'node:net';
import type pg from 'pg';
import type { DataSource } from 'typeorm';

// A statement is planned once and not anew for each set of values: planning takes longer than running it, and a plan that
// does not depend on values takes the same time for everybody.
const planOnce = { plan_cache_mode: 'force_generic_plan', jit: 'off' };

/** In milliseconds; 0 for no end. */
type Timeouts = Readonly<Record<'statement_timeout' | 'idle_in_transaction_session_timeout', number>>;

// A transaction whose client is gone, or reads nothing for a minute, must not hold its locks and connection for longer.
const usualTimeouts: Timeouts = { statement_timeout: 20_000, idle_in_transaction_session_timeout: 60_000 };

/** What a client has beside its public types. */
interface ConnectedClient {
  readonly connection: { readonly stream: Socket };
  /** Whether no answer is due. */
  readonly readyForQuery: boolean;
  /** The session's process in the server, as it was told when it connected. */
  readonly processID: number | null;
}

/** Sets up a session that nobody else has, whatever number its server gives it. */
export const setUpSession = (client: pg.PoolClient): Promise<unknown> =>
  client.query('SELECT set_config(key, value, FALSE) FROM jsonb_each_text($1::jsonb)', [JSON.stringify(planOnce)]);

/**
 * Takes the timeouts out of a database's URL, because as parameters of a session's start pgbouncer refuses them.
 * @returns the URL without them, and the usual ones where it has none
 */
export function takeTimeouts(url: string): { readonly url: string; readonly timeouts: Timeouts } {
  const [address = '', query = ''] = url.split(/\?(.*)/s);
  const parameters = query.split('&').map((parameter) => parameter.split('='));
  const isTimeout = ([name = '']: readonly string[]): boolean => Object.hasOwn(usualTimeouts, name);
  const given = parameters.filter(isTimeout).map(([name = '', value = '']) => [name, parseInt(value, 10) || 0]);
  const others = parameters.filter((parameter) => !isTimeout(parameter)).map((parameter) => parameter.join('='));
  const timeouts = { ...usualTimeouts, ...Object.fromEntries(given) } as Timeouts;
  return { url: [address, others.join('&')].filter((part) => part !== '').join('?'), timeouts };
}

/**
 * Sets up a session of a database server: how it plans, and how long it may take. Behind a pooler in transaction mode it
 * leaves it as it is: what is set there would stay with some connection of the pooler's, and the next statement may run on
 * another. A pooler shows by the process that it names, which is not the one that answers. There the role's settings have
 * to say all this (`missingSettings`).
 */
export async function setUpServerSession(pooled: pg.PoolClient, timeouts: Timeouts): Promise<void> {
  const client = pooled as pg.PoolClient & ConnectedClient;
  endWhenSilent(client, timeouts.statement_timeout);
  await client.query(
    'SELECT set_config(key, value, FALSE) FROM jsonb_each_text($1::jsonb) WHERE pg_backend_pid() = $2::integer',
    [JSON.stringify({ ...planOnce, ...timeouts }), client.processID],
  );
}

/** What a session of its own may do besides. */
export interface SessionLimits {
  /** How long a statement may take, in milliseconds; where sessions have a shorter limit, that one stays. */
  readonly statementTimeout: number;
  /** Other settings by name. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * Limits a session of a database server, which is set up already.
 * @returns false behind a pooler, where nothing is set
 */
export async function limitSession(
  pooled: pg.PoolClient,
  { statementTimeout, settings = {} }: SessionLimits,
): Promise<boolean> {
  const { processID } = pooled as pg.PoolClient & ConnectedClient;
  const { rows } = await pooled.query(
    `SELECT set_config('statement_timeout', least($1::integer, nullif(setting::integer, 0))::text, FALSE),
       (SELECT count(set_config(key, value, FALSE)) FROM jsonb_each_text($2::jsonb))
     FROM pg_settings WHERE name = 'statement_timeout' AND pg_backend_pid() = $3::integer`,
    [statementTimeout, JSON.stringify(settings), processID],
  );
  return rows.length > 0;
}

/**
 * Lets a session's statement end when its client is gone, which the server looks at twice a second (PostgreSQL 14). Some
 * systems that PostgreSQL runs on cannot: there the statement's time limit ends it.
 */
export async function endWithClient(pooled: pg.PoolClient): Promise<void> {
  const set = `SELECT set_config('client_connection_check_interval', '${clientCheckInterval}', FALSE)`;
  await pooled.query(set).catch(() => undefined);
}

/** How often a server looks whether the client of a running statement is there, in milliseconds. */
export const clientCheckInterval = 500;

// How much longer an answer may take than the server lets a statement run.
const silence = 5_000;

/**
 * Ends a connection over which an answer is due and nothing comes, when the server would have ended the statement by
 * itself: something between swallows what is sent, and TCP would take a quarter of an hour to notice.
 */
function endWhenSilent(client: ConnectedClient, statementTimeout: number): void {
  if (!(statementTimeout > 0)) return;
  const { stream } = client.connection;
  stream.setTimeout(statementTimeout + silence, () => {
    if (client.readyForQuery) return;
    stream.destroy(Object.assign(new Error('The database server does not answer'), { code: 'ETIMEDOUT' }));
  });
}

/**
 * Looks for what sessions behind a pooler lack, because the role, the database or the pooler has to set it.
 * @returns names of settings; none where sessions are set up by this process
 */
export async function missingSettings(dataSource: DataSource): Promise<string[]> {
  const { master } = dataSource.driver as unknown as { master: pg.Pool };
  const client = await master.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT name FROM pg_settings LEFT JOIN jsonb_each_text($1::jsonb) AS wanted ON key = name
       WHERE pg_backend_pid() <> $2::integer AND (setting <> value OR name = ANY ($3) AND setting = '0') ORDER BY name`,
      [JSON.stringify(planOnce), (client as unknown as ConnectedClient).processID, Object.keys(usualTimeouts)],
    );
    return rows.map(({ name }) => name);
  } finally {
    client.release();
  }
}
