import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import { join } from 'node:path';
import { holdDataDirectory } from './data-directory.js';

/** An embedded PostgreSQL, open in this process. */
export interface EmbeddedDatabase {
  /** Options for a node-postgres pool: one connection that is never dropped. */
  readonly pool: object;
  readonly close: () => Promise<void>;
}

/**
 * Opens the embedded database under a directory, creating it if need be.
 * @throws DataDirectoryInUse when another process has it open
 */
export async function openEmbedded(dataDir: string): Promise<EmbeddedDatabase> {
  const release = await holdDataDirectory(dataDir);
  try {
    const database = await PGlite.create({ dataDir: join(dataDir, 'pg') });
    return embeddedIn(database, release);
  } catch (error) {
    await release();
    throw error;
  }
}

/** Wraps an open PGlite. `release` runs after it is closed. */
export function embeddedIn(database: PGlite, release: () => Promise<void> = () => Promise.resolve()): EmbeddedDatabase {
  return {
    pool: { ...createPgConfig(database), max: 1, idleTimeoutMillis: 0 },
    close: async () => {
      await database.close();
      await release();
    },
  };
}
