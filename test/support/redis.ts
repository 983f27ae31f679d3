import { createServer, type AddressInfo, type Socket } from 'node:net';

/** A server that speaks as much of Redis's protocol (RESP2) as counting needs. */
export interface TestRedis {
  readonly url: string;
  /** What is counted, by key. */
  readonly counts: ReadonlyMap<string, number>;
  /** The seconds that keys are kept, as they were last asked for. */
  readonly kept: ReadonlyMap<string, number>;
  /** Breaks every connection and listens no more. */
  readonly stop: () => Promise<void>;
}

/** Starts a Redis without anything in it. */
export async function startRedis(): Promise<TestRedis> {
  const counts = new Map<string, number>();
  const kept = new Map<string, number>();
  const sockets = new Set<Socket>();
  const answer = ([command = '', key = '', value = '']: readonly string[]): string => {
    switch (command.toUpperCase()) {
      case 'INCRBY':
        counts.set(key, (counts.get(key) ?? 0) + Number(value));
        return `:${counts.get(key)}`;
      case 'EXPIRE':
        kept.set(key, Number(value));
        return ':1';
      case 'PING':
        return '+PONG';
      case 'CLIENT':
      case 'SELECT':
      case 'QUIT':
        return '+OK';
      default:
        return `-ERR unknown command '${command}'`;
    }
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    let pending = '';
    socket.setEncoding('utf8').on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (text: string) => {
      pending += text;
      for (let read = readCommand(pending); read; read = readCommand(pending)) {
        pending = pending.slice(read.length);
        socket.write(`${answer(read.words)}\r\n`);
      }
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()));
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    kept,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Takes the first command, an array of texts, off what came; undefined until all of it is there. */
function readCommand(text: string): { words: string[]; length: number } | undefined {
  const [head, count] = /^\*(\d+)\r\n/.exec(text) ?? [];
  if (head === undefined) return undefined;
  const words: string[] = [];
  let at = head.length;
  while (words.length < Number(count)) {
    const [size, length] = /^\$(\d+)\r\n/.exec(text.slice(at)) ?? [];
    if (size === undefined || text.length < at + size.length + Number(length) + 2) return undefined;
    words.push(text.slice(at + size.length, at + size.length + Number(length)));
    at += size.length + Number(length) + 2;
  }
  return { words, length: at };
}
