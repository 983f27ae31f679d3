import type { Duplex } from 'node:stream';
import { EmbeddedThread, engineEnded, type EngineSource } from './embedded-thread.js';

// In milliseconds.
const minute = 60_000;
/** How often the engine may end by itself within a minute: more often, and it would not get anything done. */
const mostExits = 5;

/**
 * The engine of the embedded database. It runs in a thread, which is ended with a statement that runs for too long: the
 * engine does not look at PostgreSQL's timeouts. On a directory it is then opened again, as after a crash: what was
 * committed is there. What was in memory is lost, and every connection afterwards fails.
 */
export class EmbeddedEngine {
  /** The thread that takes statements. */
  private current: EmbeddedThread | undefined;
  private opening: Promise<EmbeddedThread>;
  /** Is settled when no connection has the engine any more. */
  private free: Promise<unknown> = Promise.resolve();
  private exits: number[] = [];
  private isClosing = false;

  private constructor(
    private readonly source: EngineSource,
    private readonly onFailure: (reason: string) => void,
    thread: EmbeddedThread,
  ) {
    this.opening = Promise.resolve(this.adopt(thread));
  }

  /**
   * Opens an engine.
   * @param onFailure runs when it ends by itself again and again, or cannot be opened again, with the last reason
   * @throws Error when it cannot be opened
   */
  static async open(source: EngineSource, onFailure: (reason: string) => void): Promise<EmbeddedEngine> {
    return new EmbeddedEngine(source, onFailure, await EmbeddedThread.open(source));
  }

  /**
   * Waits until the engine is open and no other connection has it: it has one session.
   * @returns its thread, with a session that has nothing of the one before
   * @throws Error with the code 57P02 when its data is lost
   */
  async join(connection: Duplex): Promise<EmbeddedThread> {
    const before = this.free;
    this.free = Promise.all([before, new Promise<void>((resolve) => void connection.once('close', () => resolve()))]);
    await before;
    for (;;) {
      const thread = await this.opening;
      if (await thread.begin((failure) => connection.destroy(failure))) return thread;
    }
  }

  /** Ends a thread in the middle of a statement, and opens another on the same data. */
  end(thread: EmbeddedThread): void {
    if (this.current !== thread) return;
    this.open(thread.end());
  }

  /** Closes it in order, after what runs. */
  async close(): Promise<void> {
    this.isClosing = true;
    const thread = await this.opening.catch(() => undefined);
    await thread?.close();
  }

  /** @param ended is settled when the thread that was before has ended */
  private open(ended: Promise<unknown>): void {
    this.current = undefined;
    this.opening = ended.then(() => this.reopen());
    this.opening.catch(() => undefined);
  }

  private async reopen(): Promise<EmbeddedThread> {
    if (this.source.directory === undefined) throw engineEnded('what it held was in memory and is lost');
    for (;;) {
      try {
        return this.adopt(await EmbeddedThread.open(this.source));
      } catch (error) {
        this.countExit((error as Error).message);
      }
    }
  }

  private adopt(thread: EmbeddedThread): EmbeddedThread {
    this.current = thread;
    void thread.exited.then((reason) => {
      if (this.current !== thread || this.isClosing) return;
      this.open(Promise.resolve().then(() => this.countExit(reason)));
    });
    return thread;
  }

  /** @throws Error when it was too often */
  private countExit(reason: string): void {
    const now = performance.now();
    this.exits = [...this.exits.filter((time) => time > now - minute), now];
    if (this.exits.length <= mostExits) return;
    this.onFailure(reason);
    throw engineEnded(reason);
  }
}
