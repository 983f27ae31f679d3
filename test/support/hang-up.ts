import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { TestServer } from './server.js';
import { until } from './until.js';

/** Breaks connections, and waits until the server has noticed that nobody is connected any more. */
export async function hangUp({ app }: TestServer, ...sockets: readonly Socket[]): Promise<void> {
  for (const socket of sockets) socket.resetAndDestroy();
  const http = app.getHttpServer();
  const connected = () => new Promise<number>((resolve) => http.getConnections((_error, count) => resolve(count)));
  await until(async () => {
    http.closeIdleConnections();
    return (await connected()) === 0;
  });
  // A connection is counted off first, and its response hears of it within the same turn of the event loop.
  await turn();
  await turn();
}
