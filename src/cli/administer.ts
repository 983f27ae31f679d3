import type { Command } from 'commander';
import type { Listed } from '../admin/admin-api.js';
import type { Config } from '../config.js';
import type { Administration, Query } from './administration.js';
import { withJson, type ResultOptions, type Surroundings } from './command.js';
import { overHttp } from './over-http.js';
import { TokenMissing, UsageError } from './refusals.js';

/** How a command reaches what it administers, and how its result is written. */
export interface AdminOptions extends ResultOptions {
  readonly server?: string;
}

/** Gives a command the options of those that administer. */
export const administering = (command: Command): Command =>
  withJson(command).option('--server <url>', 'ask this server, with ADMIN_TOKEN, instead of the database');

/**
 * Does work with the administration: that of the server that is named, or of the one that has the embedded database open,
 * or, in this process, on the database of the configuration.
 * @throws TokenMissing when there is a server to ask and no ADMIN_TOKEN
 * @throws UsageError for an address that is none
 */
export async function administer<T>(
  { readConfig, withDatabase, findServer }: Surroundings,
  { server }: AdminOptions,
  work: (administration: Administration) => Promise<T>,
): Promise<T> {
  const named = server === undefined ? undefined : addressOf(server);
  const config = await readConfig();
  if (named !== undefined) {
    if (config.adminToken === undefined) throw new TokenMissing('Set ADMIN_TOKEN to that of the server.');
    return work(overHttp(named, config.adminToken));
  }
  const running = config.databaseUrl === undefined ? await findServer?.(config.dataDir) : undefined;
  if (running !== undefined) return work(overHttp(running.origin, tokenFor(config, running)));
  // Loaded while the database opens.
  const loading = import('./in-process.js');
  try {
    return await withDatabase(config, async (database) => (await loading).inProcess(config, database, work));
  } finally {
    await loading;
  }
}

function tokenFor(
  { adminToken, dataDir }: Config,
  { origin, administered }: { readonly origin: string; readonly administered: boolean },
): string {
  const inUse = `${dataDir} is in use by the server at ${origin}`;
  if (!administered)
    throw new TokenMissing(`${inUse}, which has no ADMIN_TOKEN. Stop it, or start it with ADMIN_TOKEN.`);
  if (adminToken !== undefined) return adminToken;
  throw new TokenMissing(`${inUse}. Set ADMIN_TOKEN to that of the server, or stop the server.`);
}

/** The address of a server, without a slash at its end. */
function addressOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isAddress = url && /^https?:$/.test(url.protocol) && url.username + url.password + url.search + url.hash === '';
  if (!isAddress) throw new UsageError('--server must be an address such as https://scim.example.com.');
  return url.href.replace(/\/+$/, '');
}

const mostOfPage = 200;

/**
 * Reads a list page by page.
 * @param read gives the page that a query asks for
 * @param limit how many items at most
 */
export async function* pages<T>(
  read: (query: Query) => Promise<Listed<T>>,
  query: Query,
  limit = Infinity,
): AsyncGenerator<T[], void, undefined> {
  let left = limit;
  let cursor: string | undefined;
  do {
    const count = String(Math.min(left, mostOfPage));
    const page = await read({ ...query, count, ...(cursor === undefined ? {} : { cursor }) });
    if (page.items.length > 0) yield page.items;
    left -= page.items.length;
    cursor = page.nextCursor;
  } while (cursor !== undefined && left > 0);
}

/** Reads a whole list. */
export async function all<T>(read: (query: Query) => Promise<Listed<T>>, query: Query = {}): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pages(read, query)) items.push(...page);
  return items;
}
