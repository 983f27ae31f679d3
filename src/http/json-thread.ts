import { Worker } from 'node:worker_threads';
import { ScimError } from '../scim/index.js';
import type { JsonRead, JsonRefused, JsonTask } from './json-worker.js';

/** Bodies that wait for the thread: of a tenant, and of all. What waits holds its bytes. */
const mostWaiting = { tenant: 8, all: 32 } as const;
// Far beyond what any body takes: the work on it is in proportion to its bytes.
const timeLimit = 20_000;

const busy = (): ScimError =>
  new ScimError('unavailable', 'The server reads as many large bodies as it can; try again later.', {
    'Retry-After': '1',
  });

/** A body that waits for its turn, or is being read. */
interface Turn {
  readonly tenant: string;
  readonly task: JsonTask;
  readonly settle: (read: JsonRead) => void;
  readonly fail: (error: ScimError) => void;
}

/**
 * Reads large bodies as JSON in a thread of its own, one at a time, so that they hold nobody up. The thread starts with the
 * first of them. When it ends by accident, the body it was reading fails, and the next has a new thread.
 */
export class JsonThread {
  private worker: Worker | undefined;
  private current: Turn | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly waiting: Turn[] = [];

  /**
   * @param tenant in whose name it waits
   * @param task whose bytes are taken over: they cannot be used any more
   * @throws ScimError what is wrong with the body; tooManyRequests or unavailable when too many wait, or the thread ended
   */
  async read(tenant: string, task: JsonTask): Promise<JsonRead> {
    if (this.waiting.length >= mostWaiting.all) throw busy();
    if (this.waiting.filter((turn) => turn.tenant === tenant).length >= mostWaiting.tenant) {
      throw new ScimError('tooManyRequests', 'Too many large bodies of this tenant are being read; wait for answers.', {
        'Retry-After': '1',
      });
    }
    return new Promise((settle, fail) => {
      this.waiting.push({ tenant, task, settle, fail });
      this.next();
    });
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    await this.worker?.terminate();
  }

  private next(): void {
    if (this.current) return;
    this.current = this.waiting.shift();
    if (!this.current) return;
    this.timer = setTimeout(() => void this.worker?.terminate(), timeLimit);
    const { task } = this.current;
    this.worker ??= this.start();
    this.worker.postMessage(task, [task.bytes.buffer as ArrayBuffer]);
  }

  private start(): Worker {
    const worker = new Worker(new URL('./json-worker.js', import.meta.url));
    // It keeps the process alive only while it reads.
    worker.unref();
    worker.on('message', (answer: JsonRead | JsonRefused) =>
      this.done(({ settle, fail }) => {
        if ('row' in answer) fail(new ScimError(answer.row, answer.detail));
        else settle(answer);
      }),
    );
    const ended = (): void => {
      if (this.worker !== worker) return;
      this.worker = undefined;
      this.done(({ fail }) => fail(busy()));
    };
    worker.on('error', ended);
    worker.on('exit', ended);
    return worker;
  }

  private done(settle: (turn: Turn) => void): void {
    const { current } = this;
    this.current = undefined;
    clearTimeout(this.timer);
    if (current) settle(current);
    this.next();
  }
}
