import { readFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';

const limitFiles = [
  // Version 2 and version 1 of Linux's control groups, as a container sees its own.
  '/sys/fs/cgroup/memory.max',
  '/sys/fs/cgroup/memory/memory.limit_in_bytes',
];
// A machine of today has less. Version 1 says "no limit" by a number near 2^63, version 2 by a word.
const unlimited = 2 ** 46;

/**
 * How much memory this process can use.
 * @param read reads a file; throws when there is none
 * @param heap the most bytes that V8 gives to JavaScript
 * @returns bytes: the limit of the control group or of the heap, whichever is smaller
 */
export function availableMemory(
  read: (file: string) => string = (file) => readFileSync(file, 'utf8'),
  heap: number = getHeapStatistics().heap_size_limit,
): number {
  const limits = limitFiles.map((file) => {
    try {
      return Number.parseInt(read(file), 10);
    } catch {
      return NaN;
    }
  });
  return Math.min(heap, ...limits.filter((limit) => limit > 0 && limit < unlimited));
}
