import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** How slowly a client may take what is sent to it. Times in milliseconds. */
export interface ReadingPace {
  /** How often is looked. */
  readonly interval: number;
  /** For how long a client may take nothing. */
  readonly stalledAfter: number;
  /** For how long it may be as slow as it likes. */
  readonly grace: number;
  /** What it takes of a second after that, on average, at least. */
  readonly bytesPerSecond: number;
  /** How long something may be left to be taken, at all. */
  readonly deadline: number;
}

const usualPace: ReadingPace = {
  interval: 1_000,
  stalledAfter: 30_000,
  grace: 10_000,
  bytesPerSecond: 32_768,
  deadline: 600_000,
};

/** How a client takes what waits for it. */
interface Reading {
  /** Since when something waits, and how much had been taken then. */
  readonly since: number;
  readonly before: number;
  /** How much has been taken, and when that was first seen. */
  taken: number;
  takenAt: number;
  /** Bytes that Node counts as sent, and the most that the system still had to send of them since. */
  sent: number;
  queued: number;
}

/**
 * Ends the connections of clients that do not take what is sent to them, or too slowly: what waits for them is in memory.
 * One look at all connections now and then, so that requests pay nothing for it. A client for which nothing waits, because
 * it has taken everything or its answer is still being made, is not slow.
 */
export function endSlowReaders(server: Server, pace: ReadingPace = usualPace): void {
  const connections = new Map<Socket, Reading | undefined>();
  server.on('connection', (socket) => {
    connections.set(socket, undefined);
    socket.once('close', () => connections.delete(socket));
  });
  const timer = setInterval(() => {
    const now = performance.now();
    for (const [socket, reading] of connections) {
      const seen = socket.writableLength === 0 ? undefined : look(socket, reading, now);
      if (seen && isTooSlow(seen, now, pace)) socket.destroy();
      else if (seen !== reading) connections.set(socket, seen);
    }
  }, pace.interval).unref();
  server.once('close', () => clearInterval(timer));
}

/** What the system still has to send of the bytes that Node gave it. Node's own time-out of connections looks there, too. */
function queueOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle?: { writeQueueSize?: number } | null };
  return handle?.writeQueueSize ?? 0;
}

function look(socket: Socket, reading: Reading | undefined, now: number): Reading {
  // A long text is one piece to Node, which counts it as sent when the last of it is.
  const sent = socket.bytesWritten - socket.writableLength;
  const queue = queueOf(socket);
  if (!reading) return { since: now, before: sent, taken: sent, takenAt: now, sent, queued: queue };
  if (sent !== reading.sent || queue > reading.queued) {
    reading.sent = sent;
    reading.queued = queue;
  }
  const taken = sent + reading.queued - queue;
  if (taken > reading.taken) {
    reading.taken = taken;
    reading.takenAt = now;
  }
  return reading;
}

function isTooSlow(reading: Reading, now: number, pace: ReadingPace): boolean {
  const time = now - reading.since;
  if (now - reading.takenAt >= pace.stalledAfter || time >= pace.deadline) return true;
  return time >= pace.grace && reading.taken - reading.before < (pace.bytesPerSecond * time) / 1000;
}
