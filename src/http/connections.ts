import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** From which part of the connections on those without a request are closed, so that others find room. */
const crowded = 0.9;
/** Which part of the connections one address may have. */
const shareOfOne = 0.5;

/** How many connections there may be. */
export interface ConnectionBounds {
  /** All together; what comes beyond is closed at once. */
  readonly most: number;
  /** Whether one address may have at most half of them; not where a proxy stands before the server. */
  readonly byAddress: boolean;
}

/**
 * Bounds the connections to a server. Near the bound, connections that wait for their next request are closed.
 * @param refused called for each connection that is closed because there are too many
 */
export function boundConnections(server: Server, { most, byAddress }: ConnectionBounds, refused: () => void): void {
  const mostOfOne = byAddress ? Math.ceil(most * shareOfOne) : most;
  const addresses = new Map<string, number>();
  let open = 0;
  server.maxConnections = most;
  server.on('drop', refused);
  server.prependListener('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket;
    const ofAddress = (addresses.get(remoteAddress) ?? 0) + 1;
    addresses.set(remoteAddress, ofAddress);
    open += 1;
    socket.once('close', () => {
      open -= 1;
      const left = (addresses.get(remoteAddress) ?? 1) - 1;
      if (left > 0) addresses.set(remoteAddress, left);
      else addresses.delete(remoteAddress);
    });
    if (open >= most * crowded || ofAddress >= mostOfOne * crowded) server.closeIdleConnections();
    if (ofAddress <= mostOfOne) return;
    refused();
    socket.destroy();
  });
}
