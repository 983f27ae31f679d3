import type { TokenBucket } from './token-bucket.js';

/**
 * What a request of many operations is charged (RFC 7644 section 3.7): all of them before the first, so that requests at the
 * same time cannot spend what is not there; what was not begun is given back at the end.
 */
export class OperationCharge {
  private readonly held: number;
  private begun = 0;

  /** @param bucket the tenant's; absent where nothing is limited */
  constructor(
    private readonly bucket: TokenBucket | undefined,
    operations: number,
  ) {
    this.held = bucket?.hold(operations) ?? 0;
  }

  /** Notes that an operation begins. */
  begin(): void {
    this.begun++;
    this.bucket?.use(1);
  }

  /** Gives back what was not begun. Call it once. */
  end(): void {
    this.bucket?.giveBack(Math.max(0, this.held - this.begun));
  }
}
