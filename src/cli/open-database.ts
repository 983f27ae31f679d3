import 'reflect-metadata';
import type { Config } from '../config.js';
import { isEmbeddedIn, openEmbedded, type EmbeddedDatabase } from '../persistence/embedded.js';

/** There is no embedded database, and none was to be made. */
export class NoDatabaseYet extends Error {
  constructor(directory: string) {
    super(`There is no database yet in ${directory}; rollcall migrate or a start makes it.`);
  }
}

/** Does work with a database, and closes it. An embedded one is made first, unless it has to be there already. */
export type WithDatabase = <T>(
  config: Config,
  work: (database: string | EmbeddedDatabase) => Promise<T>,
  options?: { readonly mustExist: boolean },
) => Promise<T>;

/**
 * Opens the database of the configuration.
 * @throws DataDirectoryInUse while another process, such as the server, has the embedded one
 * @throws NoDatabaseYet
 */
export const withDatabase: WithDatabase = async (config, work, { mustExist } = { mustExist: false }) => {
  if (config.databaseUrl !== undefined) return work(config.databaseUrl);
  if (mustExist && !isEmbeddedIn(config.dataDir)) throw new NoDatabaseYet(config.dataDir);
  const embedded = await openEmbedded(config.dataDir);
  try {
    return await work(embedded);
  } finally {
    await embedded.close();
  }
};
