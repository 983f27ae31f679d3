import { setImmediate as turn } from 'node:timers/promises';

/** Waits until something is so, which it asks again and again; everything else goes on meanwhile. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await turn();
}
