import { ScimError } from '../scim/index.js';

/** How many may hold a slot: of all, and of one tenant. */
interface SlotLimits {
  readonly all: number;
  readonly tenant: number;
  /** How long one waits for its turn, in milliseconds. */
  readonly wait: number;
  /** What is being done in a slot, as the error names it: "large bodies". */
  readonly what: string;
}

/** Somebody who waits for a slot. */
interface Waiter {
  readonly tenant: string;
  readonly enter: () => void;
}

/**
 * A few slots for work that takes much memory or time. Each tenant has its share of them, and those who wait come in turn,
 * passing over those whose tenant has its share already. Who has waited too long is refused.
 */
export class Slots {
  private taken = 0;
  private readonly takenBy = new Map<string, number>();
  private waiting: Waiter[] = [];

  constructor(private readonly limits: SlotLimits) {}

  /** How many are taken. */
  get inUse(): number {
    return this.taken;
  }

  /**
   * Takes a slot as soon as there is one.
   * @param gone ends the waiting: nobody wants the slot any more
   * @returns gives the slot back; may be called again
   * @throws ScimError tooManyRequests when the tenant's share is taken, unavailable when all slots are, with Retry-After
   */
  async take(tenant: string, gone: AbortSignal): Promise<() => void> {
    if (this.isFree(tenant)) this.enter(tenant);
    else await this.turn(tenant, gone);
    return this.leaving(tenant);
  }

  /** Takes a slot if there is one, as `take` does. */
  takeNow(tenant: string): () => void {
    if (!this.isFree(tenant)) throw this.refusal(tenant);
    this.enter(tenant);
    return this.leaving(tenant);
  }

  private leaving(tenant: string): () => void {
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.leave(tenant);
    };
  }

  private isFree(tenant: string): boolean {
    return this.taken < this.limits.all && this.heldBy(tenant) < this.limits.tenant;
  }

  private heldBy(tenant: string): number {
    return this.takenBy.get(tenant) ?? 0;
  }

  private enter(tenant: string): void {
    this.taken += 1;
    this.takenBy.set(tenant, this.heldBy(tenant) + 1);
  }

  private leave(tenant: string): void {
    this.taken -= 1;
    const left = this.heldBy(tenant) - 1;
    if (left > 0) this.takenBy.set(tenant, left);
    else this.takenBy.delete(tenant);
    const next = this.waiting.find((waiter) => this.isFree(waiter.tenant));
    if (!next) return;
    // Taken for it now, so that nobody slips in before it goes on.
    this.enter(next.tenant);
    next.enter();
  }

  private turn(tenant: string, gone: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        gone.removeEventListener('abort', leave);
        this.waiting = this.waiting.filter((other) => other !== waiter);
        then();
      };
      const leave = (): void => settle(() => reject(this.refusal(tenant)));
      const waiter: Waiter = { tenant, enter: () => settle(resolve) };
      const timer = setTimeout(leave, this.limits.wait);
      gone.addEventListener('abort', leave);
      this.waiting.push(waiter);
    });
  }

  private refusal(tenant: string): ScimError {
    const { what } = this.limits;
    const retry = { 'Retry-After': '2' };
    return this.heldBy(tenant) >= this.limits.tenant
      ? new ScimError('tooManyRequests', `This tenant sends too many ${what} at once; send one after the other.`, retry)
      : new ScimError('unavailable', `The server takes as many ${what} as it can; try again later.`, retry);
  }
}
