/** What was used of something, by the key of its bucket. */
export interface Usage {
  readonly key: string;
  readonly count: number;
}

/** Where processes tell each other what they admitted. */
export abstract class UsageStore {
  /**
   * Adds to the counts of all processes.
   * @returns what all processes counted, by key. A count that nobody added to for ten minutes begins anew.
   */
  abstract add(used: readonly Usage[]): Promise<ReadonlyMap<string, number>>;

  /** Lets go of what it holds open. */
  abstract close(): Promise<void>;
}

/** How long a count is kept after the last time it was added to, in seconds. */
export const keptSeconds = 600;
