import { DataDirectoryInUse } from '../persistence/data-directory.js';
import { isEmbeddedIn } from '../persistence/embedded.js';
import { move, MoveRefused, type MovedTable } from '../persistence/move.js';
import type { Surroundings } from './command.js';
import { connected } from './database-state.js';
import { UsageError } from './refusals.js';

/**
 * Moves everything from an embedded database to the one of the configuration.
 * @throws UsageError when there is nothing to move from or to
 * @throws MoveRefused
 */
export async function moveFrom(from: string, { readConfig, withDatabase }: Surroundings): Promise<MovedTable[]> {
  const config = await readConfig();
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
