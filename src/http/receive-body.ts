import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { HeldBytes } from '../limits/bytes-in-flight.js';
import { limits, ScimError } from '../scim/index.js';
import { ReceivedBytes } from './received-bytes.js';

const lingerMilliseconds = 500;

/** How fast a large body has to come: so many bytes in each of these spans, but for the last. */
export const senderFloor = { milliseconds: 5_000, bytes: 5 * 65_536 } as const;

/** How a body is received. */
interface Receiving {
  /** The most bytes it may have, and what the limit is called. */
  readonly bytes: number;
  readonly name?: string | undefined;
  /** What is held for it: so many bytes as have come. */
  readonly held: HeldBytes;
  /** Called with the first bytes that make a large body of one whose length was not declared. */
  readonly grown: () => void;
}

/** The length that a request declares for its body (RFC 9110 section 8.6); 0 when it declares none. */
export const declaredLength = ({ headers }: IncomingMessage): number => Number(headers['content-length'] ?? 0);

/**
 * Receives a body, counting bytes as they come. Where that fails, `lastWord` makes the error that is answered.
 * @throws ScimError payloadTooLarge naming the limit; tooManyRequests or unavailable when what has come cannot be held;
 *   requestTimeout for a large body that comes too slowly; invalidSyntax when the client goes away in the middle of it
 */
export function receiveBody(request: IncomingMessage, receiving: Receiving): Promise<Buffer> {
  const { bytes, name } = receiving;
  const limit = `${name === undefined ? '' : `${name} = `}${bytes} bytes`;
  const tooLarge = (): ScimError => new ScimError('payloadTooLarge', `The body is larger than ${limit}.`);
  if (declaredLength(request) > bytes) return Promise.reject(tooLarge());
  return collect(request, receiving, tooLarge);
}

/**
 * The error for a body that is not received to its end, after reading on for a moment: a client that is still sending
 * when the connection closes sees a reset instead of the answer.
 */
export async function lastWord(request: IncomingMessage, error: unknown): Promise<unknown> {
  request.resume();
  if (!request.readableEnded && !request.destroyed) {
    await once(request, 'end', { signal: AbortSignal.timeout(lingerMilliseconds) }).catch(() => undefined);
  }
  if (!(error instanceof ScimError)) return error;
  return new ScimError(error.row, error.detail, { ...error.headers, Connection: 'close' });
}

function collect(request: IncomingMessage, { bytes, held, grown }: Receiving, tooLarge: () => ScimError) {
  const received = new ReceivedBytes();
  const isDeclared = declaredLength(request) > limits.bodyBytes;
  return new Promise<Buffer>((resolve, reject) => {
    const settle = (then: () => void): void => {
      watch.stop();
      request.off('data', take).off('end', end).off('close', leave).off('error', leave);
      request.pause();
      then();
    };
    const fail = (error: Error): void => settle(() => reject(error));
    const take = (chunk: Buffer): void => {
      const length = received.length + chunk.length;
      try {
        if (length > bytes) throw tooLarge();
        held.resize(length);
        if (length > limits.bodyBytes && received.length <= limits.bodyBytes && !isDeclared) {
          grown();
          watch.start();
        }
        received.add(chunk);
      } catch (error) {
        fail(error as Error);
      }
    };
    const end = (): void => settle(() => resolve(received.whole()));
    const leave = (): void =>
      fail(new ScimError('invalidSyntax', 'The connection was closed before the body was complete.'));
    const watch = new SpeedWatch(() => received.length, fail);
    if (isDeclared) watch.start();
    request.on('data', take).on('end', end).on('close', leave).on('error', leave);
  });
}

/** Looks whether a large body comes fast enough. */
class SpeedWatch {
  private timer: NodeJS.Timeout | undefined;
  private seen = 0;

  constructor(
    private readonly length: () => number,
    private readonly slow: (error: ScimError) => void,
  ) {}

  start(): void {
    this.timer ??= setInterval(() => {
      const { bytes, milliseconds } = senderFloor;
      const come = this.length() - this.seen;
      this.seen += come;
      if (come >= bytes) return;
      const wanted = `${bytes / 1024} KB in ${milliseconds / 1000} seconds`;
      this.slow(new ScimError('requestTimeout', `A large body has to come faster: at least ${wanted}.`));
    }, senderFloor.milliseconds);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
