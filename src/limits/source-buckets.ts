import type { Rate, TokenBucket } from './token-bucket.js';

/** Among how many of those that took something longest ago the one to forget is chosen. */
const candidates = 16;

/**
 * Token buckets of many sources: one for each that took something lately, a bounded number of them. What is forgotten to
 * make room is a bucket that is nearly full, never one that is empty beside one that is not, so that a flood of sources does
 * not set a blocked one free.
 */
export class SourceBuckets {
  /** Those that took something longest ago come first. */
  private readonly buckets = new Map<string, TokenBucket>();

  /**
   * @param rate how fast a source's bucket fills, and how much it holds
   * @param most how many sources are known
   * @param create makes a full bucket for a source, at a time in milliseconds
   */
  constructor(
    readonly rate: Rate,
    private readonly most: number,
    private readonly create: (source: string, now: number) => TokenBucket,
  ) {}

  /** How many tokens a source has; 0 or less when it has to wait. */
  left(source: string): number {
    return this.filled(source)?.left ?? this.rate.burst;
  }

  /** Whole seconds until a source has a token; 0 when it has one. */
  secondsUntilOne(source: string): number {
    return this.filled(source)?.secondsUntil(1) ?? 0;
  }

  /** Takes tokens, whether or not there are so many. */
  take(source: string, tokens = 1): void {
    const bucket = this.filled(source) ?? this.create(source, Date.now());
    this.buckets.delete(source);
    if (this.buckets.size >= this.most) this.forgetOne();
    this.buckets.set(source, bucket);
    bucket.take(tokens);
  }

  private filled(source: string): TokenBucket | undefined {
    const bucket = this.buckets.get(source);
    bucket?.refill(this.rate, Date.now());
    return bucket;
  }

  private forgetOne(): void {
    let fullest: string | undefined;
    let most = -Infinity;
    let looked = 0;
    for (const source of this.buckets.keys()) {
      const left = this.left(source);
      if (left > most) [fullest, most] = [source, left];
      if (++looked === candidates) break;
    }
    if (fullest !== undefined) this.buckets.delete(fullest);
  }
}
