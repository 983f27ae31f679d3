import type { Command } from 'commander';
import { DataDirectoryInUse } from '../persistence/data-directory.js';
import { isEmbeddedIn } from '../persistence/embedded.js';
import { move, MoveRefused, type MovedTable } from '../persistence/move.js';
import { UsageError, withJson, writeResult, type ResultOptions, type Surroundings } from './command.js';
import { connected } from './database-state.js';
import { table } from './terminal.js';

interface MoveOptions extends ResultOptions {
  readonly from: string;
}

/** Adds `rollcall move`. */
export function addMoveCommand(program: Command, surroundings: Surroundings): void {
  withJson(program.command('move'))
    .description('copy everything from an embedded database to the empty PostgreSQL at DATABASE_URL')
    .requiredOption('--from <directory>', 'the DATA_DIR of the embedded database; no server may have it open')
    .action(async ({ from, ...options }: MoveOptions) => {
      const tables = await moveFrom(from, surroundings);
      const text = (): string => `${table(tables, ['name', 'rows'])}Everything is at DATABASE_URL. ${advice(from)}\n`;
      writeResult(surroundings.terminal, options, { from, tables }, text);
    });
}

const advice = (from: string): string =>
  `Start the server with it, and keep ${from} as a backup: do not serve from it again.`;

/**
 * @throws UsageError when there is nothing to move from or to
 * @throws MoveRefused
 */
async function moveFrom(from: string, { readConfig, withDatabase }: Surroundings): Promise<MovedTable[]> {
  const config = readConfig();
  const { databaseUrl, ...embedded } = config;
  if (databaseUrl === undefined) throw new UsageError('Set DATABASE_URL to the database to move to.');
  if (!isEmbeddedIn(from)) throw new UsageError(`There is no embedded database in ${from}.`);
  const work = (source: Parameters<typeof connected>[0]): Promise<MovedTable[]> =>
    connected(source, (reader) => connected(databaseUrl, (writer) => move(reader, writer)));
  return withDatabase({ ...embedded, dataDir: from }, work).catch((error: unknown) => {
    if (!(error instanceof DataDirectoryInUse)) throw error;
    throw new MoveRefused(`${from} is in use: stop the server first, for what it writes meanwhile would be lost.`);
  });
}
