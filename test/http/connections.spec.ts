import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { whileNeighbourReads } from '../support/neighbour.js';
import { startServer, type TestServer } from '../support/server.js';

let server: TestServer;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.close();
});

interface Connection {
  readonly socket: Socket;
  closed: boolean;
}

async function untilClosed({ socket, closed }: Connection): Promise<void> {
  if (!closed) await once(socket, 'close');
}

/** Opens connections. @returns them, with whether each was closed by the server so far */
async function open(count: number): Promise<Connection[]> {
  const port = Number(new URL(server.origin).port);
  const opened = Array.from({ length: count }, () => {
    const connection: Connection = { socket: connect(port, '127.0.0.1'), closed: false };
    sockets.push(connection.socket);
    connection.socket.on('error', () => undefined).on('close', () => (connection.closed = true));
    return connection;
  });
  await Promise.all(opened.map(({ socket }) => once(socket, 'connect')));
  return opened;
}

describe('connections', () => {
  it('that are idle or slow are of no consequence to others, a hundred of each', async () => {
    server = await startServer();
    const { body: user } = await server.scim.post<{ id: string }>('/Users', { userName: 'ann' });
    await open(100);
    const slow = await open(100);
    for (const { socket } of slow) socket.write('POST /scim/v2/Users HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    const { failures } = await whileNeighbourReads(server.scim, `/Users/${user.id}`, async () => {
      for (let round = 0; round < 10; round++) {
        for (const { socket } of slow) socket.write('x');
        await new Promise((done) => setImmediate(done));
      }
    });
    expect(failures).toEqual([]);
    expect(slow.filter(({ closed }) => closed)).toEqual([]);
  });

  it('of one address are half of those there may be, and the log says when more come', async () => {
    server = await startServer({ HTTP_CONNECTIONS: '40' });
    const opened = await open(30);
    // Each that is too many is closed before it is served, so this one's answer comes after.
    const refused = opened.slice(20);
    await Promise.all(refused.map(untilClosed));
    expect(opened.filter(({ closed }) => closed)).toHaveLength(10);
    expect(server.logged()).toContainEqual(
      expect.objectContaining({ connections: 40, msg: 'connections are refused: there are too many' }),
    );
    for (const { socket } of opened) socket.destroy();
  });

  it('that wait for their next request make room for others', async () => {
    server = await startServer({ HTTP_CONNECTIONS: '20', TRUST_PROXY: 'loopback' });
    const opened = await open(15);
    await Promise.all(
      opened.map(({ socket }) => {
        socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
        return once(socket, 'data');
      }),
    );
    await open(3);
    await Promise.all(opened.map(untilClosed));
    expect((await server.scim.get('/Users')).status).toBe(200);
  });
});
