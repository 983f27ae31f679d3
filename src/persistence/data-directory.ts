import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';

/** Another process has the data directory open. */
export class DataDirectoryInUse extends Error {
  constructor(directory: string) {
    super(`${directory} is in use by another Rollcall process; stop it, or set DATA_DIR or DATABASE_URL.`);
  }
}

interface Holder {
  readonly pid: number;
  readonly host: string;
}

/**
 * Takes the data directory for this process, creating it if need be: two processes on one embedded database would lose
 * each other's rows.
 * @returns releases the directory
 * @throws DataDirectoryInUse
 */
export async function holdDataDirectory(directory: string): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const lockfilePath = join(directory, 'rollcall.lock');
  const holderPath = join(directory, 'rollcall.pid');
  const take = (): Promise<() => Promise<void>> =>
    lock(directory, { lockfilePath, stale: 20_000, update: 5_000, retries: 0 });
  let release: () => Promise<void>;
  try {
    release = await take();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOCKED' || !(await isHolderDead(holderPath))) {
      throw (error as NodeJS.ErrnoException).code === 'ELOCKED' ? new DataDirectoryInUse(directory) : error;
    }
    // Its holder was killed: age the lock so that it counts as stale now rather than after its time.
    await utimes(lockfilePath, 0, 0);
    release = await take();
  }
  await writeFile(holderPath, JSON.stringify({ pid: process.pid, host: hostname() } satisfies Holder), { mode: 0o600 });
  return release;
}

/** Whether the process that took the lock ran on this host and is gone. Anything unclear counts as alive. */
async function isHolderDead(holderPath: string): Promise<boolean> {
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
