import { mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';

/** Another process has the data directory open. */
export class DataDirectoryInUse extends Error {
  constructor(directory: string) {
    super(`${directory} is in use by another Rollcall process; stop it, or set DATA_DIR or DATABASE_URL.`);
  }
}

// A turn takes milliseconds. That of a process that was killed in it is over after two seconds.
const turn = { stale: 2_000, retries: { retries: 50, factor: 1, minTimeout: 100 } };

interface Holder {
  readonly pid: number;
  readonly host: string;
}

/** Where a server that holds a data directory writes down its address. */
export const addressPath = (directory: string): string => join(directory, 'server.json');

const isLocked = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ELOCKED';

/**
 * Takes the data directory for this process, creating it if need be: two processes on one embedded database would lose
 * each other's rows.
 * @returns releases the directory
 * @throws DataDirectoryInUse
 */
export async function holdDataDirectory(directory: string): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  try {
    // One process at a time: of two that find the lock of a dead one, the second would remove the lock of the first.
    const endTurn = await lock(join(directory, 'rollcall.start'), { realpath: false, ...turn });
    return await take(directory).finally(endTurn);
  } catch (error) {
    throw isLocked(error) ? new DataDirectoryInUse(directory) : error;
  }
}

async function take(directory: string): Promise<() => Promise<void>> {
  const lockfilePath = join(directory, 'rollcall.lock');
  const holderPath = join(directory, 'rollcall.pid');
  const options = { lockfilePath, stale: 20_000, update: 5_000, retries: 0 };
  const release = await lock(directory, options).catch(async (error: unknown) => {
    if (!isLocked(error) || !(await isHolderDead(holderPath))) throw error;
    // Its holder was killed: age the lock so that it counts as stale now rather than after its time.
    await utimes(lockfilePath, 0, 0);
    return lock(directory, options);
  });
  // That of a server that was killed says nothing any more.
  const forgetAddress = (): Promise<void> => rm(addressPath(directory), { force: true });
  await forgetAddress();
  await writeFile(holderPath, JSON.stringify({ pid: process.pid, host: hostname() } satisfies Holder), { mode: 0o600 });
  return () => forgetAddress().finally(release);
}

/** Whether the process that took the lock ran on this host and is gone. Anything unclear counts as alive. */
export async function isHolderDead(holderPath: string): Promise<boolean> {
  try {
    const { pid, host } = JSON.parse(await readFile(holderPath, 'utf8')) as Holder;
    if (host !== hostname()) return false;
    // In a container every start has the same pid, so this one's own pid is that of its killed predecessor.
    if (pid === process.pid) return true;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
