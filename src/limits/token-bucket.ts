/** How fast a bucket fills, and how much it holds. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

// However much was taken at once or elsewhere, nobody waits longer for the next token.
const longestWaitSeconds = 60;

/**
 * A token bucket that several processes fill and empty together. Each decides by itself, and learns from time to time what
 * the others took, so in the long run they admit together what one would. On top comes what they have not told each other
 * yet. With an exchange every second that is, for each further process, at most a burst and two seconds' tokens, and once
 * after a process began a burst and one second's: it does not know when the others took what they took before.
 */
export class TokenBucket {
  private tokens: number;
  /** What came while the bucket was full. Others had it, when they say that they took something. */
  private spilled = 0;
  private unsent = 0;
  /** What all processes ever took, as of the last exchange. */
  private total: number | undefined;

  /**
   * @param key names the bucket among processes
   * @param taken called with the first tokens that are taken since the last exchange
   * @param at the time, in milliseconds
   */
  constructor(
    readonly key: string,
    private rate: Rate,
    private readonly taken: (bucket: TokenBucket) => void,
    private at: number,
  ) {
    this.tokens = rate.burst;
  }

  /** Whole tokens that are left; negative when more was taken than there was. */
  get left(): number {
    return Math.floor(this.tokens);
  }

  /** Fills the bucket up to a time. A clock that goes back takes nothing away. */
  refill(rate: Rate, now: number): void {
    this.rate = rate;
    if (now !== this.at) {
      this.tokens += (Math.max(0, now - this.at) / 1000) * rate.perSecond;
      this.at = now;
    }
    if (this.tokens > rate.burst) {
      this.spilled += this.tokens - rate.burst;
      this.tokens = rate.burst;
    }
  }

  /** Takes tokens, whether or not there are so many: what is missing has to come before anything else is admitted. */
  take(tokens: number): void {
    this.hold(tokens);
    this.use(tokens);
  }

  /**
   * Takes tokens that are used one by one later, as `take`; other processes do not hear of them yet.
   * @returns how many the bucket lost: fewer where it was nearly as empty as it can be
   */
  hold(tokens: number): number {
    const before = this.tokens;
    this.lower(tokens);
    return before - this.tokens;
  }

  /** Notes that tokens which are held are used now, for the other processes. */
  use(tokens: number): void {
    if (this.unsent === 0) this.taken(this);
    this.unsent += tokens;
  }

  /** Puts tokens back that were held and not used. */
  giveBack(tokens: number): void {
    this.tokens = Math.min(this.rate.burst, this.tokens + tokens);
  }

  /** Whole seconds until there are so many tokens; 0 when there are. */
  secondsUntil(tokens: number): number {
    return Math.max(0, Math.ceil((tokens - this.tokens) / this.rate.perSecond));
  }

  /** What was taken here and not told yet. It counts as told from now on. */
  tell(): number {
    const told = this.unsent;
    this.unsent = 0;
    return told;
  }

  /**
   * Learns what all processes took.
   * @param total by the shared count, which may have begun anew
   * @param told what this process just added to it
   */
  learn(total: number, told: number): void {
    const before = this.total;
    this.total = total;
    // A process that comes in does not know how long ago the others took what they took.
    if (before === undefined) return;
    const others = total < before + told ? Math.max(0, total - told) : total - told - before;
    this.lower(Math.max(0, others - this.spilled));
    this.spilled = 0;
  }

  private lower(tokens: number): void {
    this.tokens = Math.max(this.tokens - tokens, -longestWaitSeconds * this.rate.perSecond);
  }
}
