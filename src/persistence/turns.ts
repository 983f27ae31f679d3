/** One that waits for its turn. */
interface Waiting {
  readonly begin: (end: (() => void) | undefined) => void;
  readonly timer: NodeJS.Timeout;
}

/** What a tenant does and waits for. */
interface Line {
  running: number;
  readonly waiting: Waiting[];
}

/**
 * Lets tenants take turns at something of which there is a number. None has more than its share at once, and those who wait
 * come one of each tenant in turn.
 */
export class Turns {
  private readonly lines = new Map<string, Line>();
  private running = 0;

  /**
   * @param size how many can have a turn at once
   * @param share how many of one tenant
   */
  constructor(
    private readonly size: number,
    private readonly share: number,
  ) {}

  /**
   * Waits for a turn.
   * @param patience for how many milliseconds at most
   * @returns what ends the turn, to be called once; undefined when none came in time
   */
  take(tenantId: string, patience: number): Promise<(() => void) | undefined> {
    let line = this.lines.get(tenantId);
    if (!line) this.lines.set(tenantId, (line = { running: 0, waiting: [] }));
    const own = line;
    if (this.running < this.size && own.running < this.share) return Promise.resolve(this.begin(tenantId, own));
    return new Promise((begin) => {
      const timer = setTimeout(() => {
        own.waiting.splice(own.waiting.indexOf(waiting), 1);
        this.forget(tenantId, own);
        begin(undefined);
      }, patience);
      const waiting: Waiting = { begin, timer };
      own.waiting.push(waiting);
    });
  }

  private begin(tenantId: string, line: Line): () => void {
    this.running++;
    line.running++;
    return () => {
      this.running--;
      line.running--;
      this.forget(tenantId, line);
      this.next();
    };
  }

  /** Gives what is free to those who wait; whoever had a turn goes to the end. */
  private next(): void {
    for (const [tenantId, line] of this.lines) {
      if (this.running >= this.size) return;
      if (line.running >= this.share) continue;
      const waiting = line.waiting.shift();
      if (!waiting) continue;
      clearTimeout(waiting.timer);
      this.lines.delete(tenantId);
      this.lines.set(tenantId, line);
      waiting.begin(this.begin(tenantId, line));
      return;
    }
  }

  private forget(tenantId: string, line: Line): void {
    if (line.running === 0 && line.waiting.length === 0 && this.lines.get(tenantId) === line)
      this.lines.delete(tenantId);
  }
}
