import { Duplex } from 'node:stream';
import type { EmbeddedEngine } from './embedded-engine.js';
import type { EmbeddedThread } from './embedded-thread.js';

// In milliseconds. As on a server (statement_timeout).
const statementLimit = 20_000;
/** What PostgreSQL says of a statement that it ended. */
const queryCanceled = '57014';

/** What a server answers to the start of a session: AuthenticationOk and ReadyForQuery. */
const welcome = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);

/** How the messages of a client begin that the engine need not see: the start of a session, and its end. */
const [startup, terminate] = [0, 0x58];

type Done = (error?: Error | null) => void;

/**
 * What node-postgres takes for the socket of a server, and is a connection to the embedded engine. Destroying it while a
 * statement runs ends the engine, and so does a statement that runs longer than `timeout`.
 */
export class EmbeddedConnection extends Duplex {
  /** How many milliseconds a statement may run; 0: without end. */
  timeout = statementLimit;
  private thread: EmbeddedThread | undefined;
  private limit: NodeJS.Timeout | undefined;

  constructor(private readonly engine: EmbeddedEngine) {
    super();
  }

  /** Sets `timeout`, as of a socket. */
  setTimeout(milliseconds: number): this {
    this.timeout = milliseconds;
    return this;
  }

  /** Waits for the engine, and emits `connect`. */
  connect(): this {
    this.engine.join(this).then(
      (thread) => {
        this.thread = thread;
        this.emit('connect');
      },
      (error: Error) => this.destroy(error),
    );
    return this;
  }

  /** There is no network. */
  setNoDelay(): this {
    return this;
  }

  /** There is no network. */
  setKeepAlive(): this {
    return this;
  }

  /** The engine keeps the process until it is closed. */
  ref(): this {
    return this;
  }

  /** The engine keeps the process until it is closed. */
  unref(): this {
    return this;
  }

  // What comes from the engine is pushed when it comes.
  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.send([chunk], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: Done): void {
    this.send(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: Done): void {
    this.push(null);
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.endLimit();
    if (this.thread?.isRunning) this.engine.end(this.thread);
    done(error);
  }

  /** Runs messages, and is done when they are answered. */
  private send(chunks: readonly Buffer[], done: Done): void {
    const kind = chunks[0]?.[0];
    if (kind === terminate) return done();
    if (kind === startup) {
      this.push(welcome);
      return done();
    }
    const limit = this.timeout > 0 ? setTimeout(() => this.expire(limit), this.timeout) : undefined;
    this.limit = limit;
    this.thread?.run(joined(chunks), {
      onPart: (bytes) => this.push(bytes),
      onEnd: () => {
        this.endLimit();
        done();
      },
    });
  }

  private endLimit(): void {
    clearTimeout(this.limit);
    this.limit = undefined;
  }

  /** Ends a statement, unless its answer is there already and was not read yet, because this thread was busy. */
  private expire(limit: NodeJS.Timeout | undefined): void {
    setImmediate(() => {
      if (this.limit !== limit) return;
      const message = `canceling statement due to statement timeout (${this.timeout} ms)`;
      this.destroy(Object.assign(new Error(message), { code: queryCanceled }));
    });
  }
}

/** Copies what node-postgres may go on using. */
function joined(chunks: readonly Buffer[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
