import { createHook } from 'node:async_hooks';

/** What Node's threads were asked to derive by scrypt, counted where it is asked. */
export interface CountedHashes {
  /** How many were begun since. */
  readonly begun: () => number;
  /** How many were under way at the same time, at most. */
  readonly most: () => number;
  readonly stop: () => void;
}

/** Counts the hashes that this process makes from now on. */
export function countHashes(): CountedHashes {
  const running = new Set<number>();
  let begun = 0;
  let most = 0;
  const hook = createHook({
    init(id, type) {
      if (type !== 'SCRYPTREQUEST') return;
      begun++;
      running.add(id);
      most = Math.max(most, running.size);
    },
    before(id) {
      running.delete(id);
    },
  }).enable();
  return { begun: () => begun, most: () => most, stop: () => void hook.disable() };
}
