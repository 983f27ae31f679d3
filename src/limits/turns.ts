/** What became of asking for a turn. */
export type Turn = 'taken' | 'refused' | 'late';

/** How many may wait for a turn, and for how many milliseconds. */
export interface Patience {
  readonly waiting: number;
  readonly milliseconds: number;
}

/** One who waits, in the order of coming. */
interface Waiter {
  readonly room: () => number;
  readonly answer: (turn: Turn) => void;
}

/** Lets as many run at the same time as there is room for; the others wait in order, a bounded number for a bounded time. */
export class Turns {
  private running = 0;
  private readonly waiters = new Set<Waiter>();

  constructor(private readonly patience: Patience) {}

  /** Whether nothing runs and nothing waits. */
  get isIdle(): boolean {
    return this.running + this.waiters.size === 0;
  }

  /**
   * Asks for a turn.
   * @param room how many may run now, those that run included; below 1 nothing may, and whatever waits is refused
   * @returns 'taken': call `give` when the work has ended; 'refused': there is no room, or too many wait; 'late': waited in vain
   */
  take(room: () => number): Turn | Promise<Turn> {
    const now = room();
    if (now < 1) return 'refused';
    if (this.waiters.size === 0 && this.running < now) {
      this.running += 1;
      return 'taken';
    }
    return this.waiters.size < this.patience.waiting ? this.wait(room) : 'refused';
  }

  /** Gives a turn back, to the next that waits. */
  give(): void {
    this.running -= 1;
    for (const waiter of this.waiters) {
      const room = waiter.room();
      if (room >= 1 && this.running >= room) return;
      if (room >= 1) this.running += 1;
      waiter.answer(room < 1 ? 'refused' : 'taken');
    }
  }

  private wait(room: () => number): Promise<Turn> {
    return new Promise((resolve) => {
      const answer = (turn: Turn): void => {
        clearTimeout(timer);
        this.waiters.delete(waiter);
        resolve(turn);
      };
      const waiter: Waiter = { room, answer };
      const timer = setTimeout(answer, this.patience.milliseconds, 'late' satisfies Turn).unref();
      this.waiters.add(waiter);
    });
  }
}
