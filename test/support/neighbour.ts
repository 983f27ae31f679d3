import type { ScimClient } from './client.js';

/** What a quiet tenant met while somebody else was busy. */
export interface Watched<T> {
  /** What the work came to. */
  readonly result: T;
  /** How many requests the neighbour sent. */
  readonly requests: number;
  /** The answers that were not 200, each once: none, where nobody pays for another. */
  readonly failures: readonly string[];
  /** How long its requests took, in milliseconds, in ascending order. For comparing with an idle run, never with a clock. */
  readonly durations: readonly number[];
}

/**
 * Lets a quiet tenant read one resource again and again, one request at a time, while work goes on, and at least `least` times.
 * @param path what it reads, such as `/Users/<id>`
 */
export async function whileNeighbourReads<T>(
  neighbour: ScimClient,
  path: string,
  work: () => Promise<T>,
  least = 10,
): Promise<Watched<T>> {
  const failures = new Set<string>();
  const durations: number[] = [];
  const state = { isOver: false };
  const running = work().finally(() => (state.isOver = true));
  // Its failure is told at the end, not as an unhandled one.
  running.catch(() => undefined);
  while (!state.isOver || durations.length < least) {
    const began = performance.now();
    try {
      const { status, text } = await neighbour.get(path);
      if (status !== 200) failures.add(`${status} ${text.slice(0, 200)}`);
    } catch (error) {
      failures.add(String((error as Error).cause ?? error));
    }
    durations.push(performance.now() - began);
  }
  const result = await running;
  return { result, requests: durations.length, failures: [...failures], durations: durations.sort((a, b) => a - b) };
}

/** The duration that a part of the requests did not exceed, such as 0.99 of them. */
export function quantile({ durations }: Pick<Watched<unknown>, 'durations'>, part: number): number {
  return durations[Math.min(durations.length - 1, Math.floor(durations.length * part))] ?? NaN;
}
