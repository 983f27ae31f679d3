import type { Command } from 'commander';
import type { Config } from '../config.js';
import { withServices, type Services, type WithDatabase } from './services.js';
import type { Terminal } from './terminal.js';

/** What commands run with. */
export interface Surroundings {
  readonly terminal: Terminal;
  /** @throws ConfigError */
  readonly readConfig: () => Config;
  readonly withDatabase: WithDatabase;
}

/** A command that was given what cannot be meant. */
export class UsageError extends Error {}

/** A command that did its work and found that something is wrong. It has said what. */
export class Failed extends Error {}

/** How a command's result is written. */
export interface ResultOptions {
  readonly json?: boolean;
}

/** Gives a command the option that every one has. */
export const withJson = (command: Command): Command => command.option('--json', 'write the result as JSON');

/** Writes a result, as JSON where that is wanted. @param text it for people */
export function writeResult<T>(
  { write }: Terminal,
  { json }: ResultOptions,
  result: T,
  text: (result: T) => string,
): void {
  write(json ? `${JSON.stringify(result, null, 2)}\n` : text(result));
}

/** Does work with the services on the configuration's database. */
export function useServices<T>({ readConfig, withDatabase }: Surroundings, work: (services: Services) => Promise<T>) {
  const config = readConfig();
  return withDatabase(config, (database) => withServices(config, database, work));
}

/**
 * All items of a list that comes in pages.
 * @param read gives at most `count` items behind `after`
 * @param cursorOf what the next page is behind
 */
export async function all<T>(
  read: (page: { count: number; after?: string }) => Promise<T[]>,
  cursorOf: (item: T) => string,
): Promise<T[]> {
  const count = 200;
  const items: T[] = [];
  for (;;) {
    const last = items.at(-1);
    const page = await read({ count, ...(last === undefined ? {} : { after: cursorOf(last) }) });
    items.push(...page);
    if (page.length < count) return items;
  }
}
