import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Makes a directory that all tests of a run share: the first that asks fills it, others wait until it is full.
 * @param name its name in the run's own directory
 */
export async function madeOnce(name: string, fill: (directory: string) => Promise<void>): Promise<string> {
  const directory = join(process.env['ROLLCALL_TEST_DIR'] ?? '', name);
  const [done, failed] = [join(directory, '.done'), join(directory, '.failed')];
  try {
    await mkdir(directory);
  } catch {
    while (!existsSync(done) && !existsSync(failed)) await delay(50);
    if (existsSync(failed)) throw new Error(`${name} could not be made; see the test that was first`);
    return directory;
  }
  await fill(directory).then(
    () => writeFile(done, ''),
    async (error: unknown) => {
      await writeFile(failed, '');
      throw error;
    },
  );
  return directory;
}
