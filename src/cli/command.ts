import type { Command } from 'commander';
import type { Config } from '../config.js';
import type { ServerAddress } from '../persistence/server-address.js';
import type { WithDatabase } from './open-database.js';
import type { Terminal } from './terminal.js';

/** What commands run with. */
export interface Surroundings {
  readonly terminal: Terminal;
  /** @throws ConfigError */
  readonly readConfig: () => Config | Promise<Config>;
  readonly withDatabase: WithDatabase;
  /** Finds the server of this machine that holds a data directory; absent: none is looked for. */
  readonly findServer?: (dataDir: string) => Promise<ServerAddress | undefined>;
}

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
