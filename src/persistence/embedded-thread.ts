import { Worker } from 'node:worker_threads';
import type { EngineData, Reply, Request } from './embedded-worker.js';

/** Where an engine's data is: in a directory, or in memory, with what it begins with as a tar file. */
export type EngineSource = Pick<EngineData, 'directory' | 'dump'>;

/** A statement that runs, and who takes its answer. */
export interface Execution {
  /** Takes a part of the answer. */
  readonly onPart: (bytes: Uint8Array) => void;
  /** Is called when the answer is whole: never, when the thread ends before. */
  readonly onEnd: () => void;
}

/** PostgreSQL says 57P02 (crash_shutdown) when a session ends with the server. */
const crashShutdown = '57P02';

/** The engine ended under a statement, and what it did is not known. */
export const engineEnded = (reason: string): Error =>
  Object.assign(new Error(`The embedded database ended: ${reason}`), { code: crashShutdown });

/** One engine of the embedded database, in a thread of its own: it can be ended whatever it does. */
export class EmbeddedThread {
  /** Is settled when the thread has ended, with what it ended by. */
  readonly exited: Promise<string>;
  private execution: Execution | undefined;
  private readied: ((reply: Reply) => void) | undefined;
  private onExit: ((failure: Error) => void) | undefined;

  private constructor(
    private readonly worker: Worker,
    private readonly unread: Int32Array,
  ) {
    let reason: string | undefined;
    worker.on('error', (error) => (reason = error.message));
    this.exited = new Promise((resolve) => {
      worker.once('exit', (code) => resolve(reason ?? `its thread exited with ${code}`));
    });
    worker.on('message', (reply: Reply) => this.hear(reply));
    void this.exited.then((ended) => {
      this.execution = undefined;
      this.onExit?.(engineEnded(ended));
    });
  }

  /**
   * Opens an engine, and makes its database if there is none.
   * @throws Error when it cannot be opened
   */
  static async open({ directory, dump }: EngineSource): Promise<EmbeddedThread> {
    const unread = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const workerData: EngineData = { ...(directory === undefined ? { ...(dump && { dump }) } : { directory }), unread };
    const worker = new Worker(new URL('./embedded-worker.js', import.meta.url), { workerData, name: 'database' });
    const thread = new EmbeddedThread(worker, unread);
    const reply = await thread.nextReply();
    if (reply.kind === 'ready') return thread;
    await thread.end();
    throw new Error(reply.kind === 'failed' ? reply.message : `Unexpected: ${reply.kind}`);
  }

  /** Whether a statement runs. */
  get isRunning(): boolean {
    return this.execution !== undefined;
  }

  /**
   * Begins a session that has nothing of the one before.
   * @param onExit runs when the thread ends before the next session begins
   * @returns false when the thread has ended
   */
  async begin(onExit: (failure: Error) => void): Promise<boolean> {
    this.ask({ kind: 'begin' });
    if ((await this.nextReply()).kind !== 'ready') return false;
    this.onExit = onExit;
    return true;
  }

  /**
   * Runs messages of PostgreSQL's protocol; none may be running.
   * @param bytes the messages, whose memory goes to the thread
   */
  run(bytes: Uint8Array<ArrayBuffer>, execution: Execution): void {
    this.execution = execution;
    this.ask({ kind: 'run', bytes }, [bytes.buffer]);
  }

  /** Closes the database in order, after what runs. */
  async close(): Promise<void> {
    this.ask({ kind: 'close' });
    await this.nextReply();
    await this.end();
  }

  /** Ends the thread in the middle of what it does: the database is then as after a crash. */
  async end(): Promise<void> {
    await this.worker.terminate();
    await this.exited;
  }

  private ask(request: Request, transferred: ArrayBuffer[] = []): void {
    this.worker.postMessage(request, transferred);
  }

  private nextReply(): Promise<Reply> {
    const replied = new Promise<Reply>((resolve) => (this.readied = resolve));
    const ended = this.exited.then((message): Reply => ({ kind: 'failed', message }));
    return Promise.race([replied, ended]);
  }

  private hear(reply: Reply): void {
    if (reply.kind === 'part') return this.take(reply);
    this.readied?.(reply);
  }

  private take({ bytes, isLast }: Extract<Reply, { kind: 'part' }>): void {
    const execution = this.execution;
    if (bytes.length > 0) execution?.onPart(bytes);
    if (isLast) {
      this.countRead();
      this.execution = undefined;
      execution?.onEnd();
    }
    // Whatever else waits in this thread has its turn before the next parts.
    else setImmediate(() => this.countRead());
  }

  private countRead(): void {
    Atomics.sub(this.unread, 0, 1);
    Atomics.notify(this.unread, 0);
  }
}
