import type { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { holdDataDirectory } from './data-directory.js';
import { EmbeddedConnection } from './embedded-connection.js';
import { EmbeddedEngine } from './embedded-engine.js';

/** An embedded PostgreSQL, open in a thread of this process. */
export interface EmbeddedDatabase {
  /** Options for a node-postgres pool: one connection that is dropped only when it breaks. */
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
    const engine = await EmbeddedEngine.open({ directory: join(dataDir, 'pg') }, endProcess);
    return embeddedOn(engine, release, endProcess);
  } catch (error) {
    await release();
    throw error;
  }
}

/**
 * Opens an embedded database in memory.
 * @param dump what it begins with: the files of a database as a tar file; absent: an empty database
 */
export async function openEmbeddedInMemory(dump?: Uint8Array<ArrayBuffer>): Promise<EmbeddedDatabase> {
  return embeddedOn(await EmbeddedEngine.open({ ...(dump && { dump }) }, () => undefined));
}

/**
 * @param release runs after it is closed
 * @param onPanic runs when it has stopped for good, with what it said last
 */
function embeddedOn(
  engine: EmbeddedEngine,
  release: () => Promise<void> = () => Promise.resolve(),
  onPanic: (message: string) => void = () => undefined,
): EmbeddedDatabase {
  return {
    pool: { ...session, ...onlyOne, stream: () => new EmbeddedConnection(engine) },
    watch: (client) => {
      const { connection } = client as unknown as { connection: EventEmitter };
      connection.on('errorMessage', ({ severity, message }: { severity?: string; message: string }) => {
        if (severity === 'PANIC') onPanic(message);
      });
    },
    close: async () => {
      await engine.close();
      await release();
    },
  };
}

// It takes as long to get it as two statements may run, and the engine to open again: who waits longer is refused.
const onlyOne = { max: 1, idleTimeoutMillis: 0, connectionTimeoutMillis: 60_000 };

// Said here, so that PGHOST, PGSSLMODE and the like have nothing to say. There is no server that reads them.
const session = { host: 'localhost', port: 5432, user: 'postgres', password: '', database: 'postgres', ssl: false };

/**
 * Ends the process at once: whoever asked a database that panicked, as PostgreSQL does when it cannot write its log, would
 * wait for ever. What was acknowledged is on the disk, and the next start recovers it.
 */
function endProcess(message: string): never {
  process.stderr.write(`The embedded database has stopped: ${message}\n`);
  process.exit(1);
}
