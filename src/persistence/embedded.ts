import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import type { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { holdDataDirectory } from './data-directory.js';

/** An embedded PostgreSQL, open in this process. */
export interface EmbeddedDatabase {
  /** Options for a node-postgres pool: one connection that is never dropped. */
  readonly pool: object;
  /** To be called with each connection that the pool makes. */
  readonly watch: (client: pg.PoolClient) => void;
  readonly close: () => Promise<void>;
}

/** Whether there is an embedded database under a directory: opening it would make one. */
export const isEmbeddedIn = (dataDir: string): boolean => existsSync(join(dataDir, 'pg', 'PG_VERSION'));

/**
 * Opens the embedded database under a directory, creating it if need be.
 * @throws DataDirectoryInUse when another process has it open
 */
export async function openEmbedded(dataDir: string): Promise<EmbeddedDatabase> {
  const release = await holdDataDirectory(dataDir);
  try {
    const database = await PGlite.create({ dataDir: join(dataDir, 'pg') });
    return embeddedIn(database, release, endProcess);
  } catch (error) {
    await release();
    throw error;
  }
}

/**
 * Wraps an open PGlite.
 * @param release runs after it is closed
 * @param onPanic runs when it has stopped for good, with what it said last
 */
export function embeddedIn(
  database: PGlite,
  release: () => Promise<void> = () => Promise.resolve(),
  onPanic: (message: string) => void = () => undefined,
): EmbeddedDatabase {
  return {
    pool: { ...createPgConfig(database), max: 1, idleTimeoutMillis: 0 },
    watch: (client) => {
      const { connection } = client as unknown as { connection: EventEmitter };
      connection.on('errorMessage', ({ severity, message }: { severity?: string; message: string }) => {
        if (severity === 'PANIC') onPanic(message);
      });
    },
    close: async () => {
      await database.close();
      await release();
    },
  };
}

/**
 * Ends the process at once: whoever asked a database that panicked, as PostgreSQL does when it cannot write its log, would
 * wait for ever. What was acknowledged is on the disk, and the next start recovers it.
 */
function endProcess(message: string): never {
  process.stderr.write(`The embedded database has stopped: ${message}\n`);
  process.exit(1);
}
