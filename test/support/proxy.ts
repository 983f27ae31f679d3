import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a database that can be disturbed. */
export interface Proxy {
  /** The database's URL by way of the proxy. */
  readonly url: string;
  /** Breaks every connection and refuses new ones. */
  readonly cut: () => Promise<void>;
  /** Breaks every connection, perhaps in the middle of a statement; new ones work. */
  readonly drop: () => void;
  /** Takes what is sent, also over new connections, and passes nothing on: a network that swallows packets. */
  readonly stall: () => void;
  /** Lets new connections through again. What was stalled stays silent for ever. */
  readonly mend: () => Promise<void>;
  /** Sends new connections to another server. */
  readonly moveTo: (url: string) => void;
}

interface Target {
  readonly host: string;
  readonly port: number;
}

const targetOf = (url: string): Target => ({ host: new URL(url).hostname, port: Number(new URL(url).port || 5432) });

/** Puts a proxy before a database server. */
export async function proxyTo(url: string): Promise<Proxy> {
  let target = targetOf(url);
  let isStalled = false;
  const sockets = new Set<Socket>();
  const silent = new Set<Socket>();
  const keep = (socket: Socket, other?: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      // Nor does the end of a connection get through where nothing does.
      if (!silent.delete(socket)) other?.destroy();
    });
  };
  const server = createServer((near) => {
    if (isStalled) {
      keep(near);
      near.resume();
      return;
    }
    const far = connect(target.port, target.host);
    keep(near, far);
    keep(far, near);
    near.pipe(far);
    far.pipe(near);
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => void server.listen(port, '127.0.0.1', () => resolve()));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const proxied = new URL(url);
  proxied.host = `127.0.0.1:${port}`;
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: proxied.toString(),
    drop,
    cut: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        drop();
      }),
    stall: () => {
      isStalled = true;
      for (const socket of sockets) {
        silent.add(socket);
        socket.unpipe().resume();
      }
    },
    mend: async () => {
      isStalled = false;
      if (!server.listening) await listen(port);
    },
    moveTo: (other) => {
      target = targetOf(other);
    },
  };
}
