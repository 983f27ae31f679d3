import { connect, type Socket } from 'node:net';

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** By lower-case name; repeated headers joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** All that the server sent, to look for a second answer or an echo. */
  readonly text: string;
}

/**
 * Sends bytes exactly as given, which HTTP clients refuse to do, and reads until the server closes the connection. Well-formed
 * requests need `Connection: close` for that.
 * @param origin such as http://127.0.0.1:41234
 * @param parts what to write, one after the other
 */
export async function exchange(origin: string, ...parts: readonly (string | Uint8Array)[]): Promise<RawAnswer> {
  const socket = open(origin);
  const received = readAll(socket);
  for (const part of parts) socket.write(part);
  return parseAnswer(await received);
}

/** Opens a connection and leaves it to the caller what to do with it. */
export function open(origin: string): Socket {
  const { hostname, port } = new URL(origin);
  return connect(Number(port), hostname);
}

/** Reads until the server closes the connection, also when it resets it because it will read no more. */
export function readAll(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
}

/** Takes the first answer of what a server sent apart. */
export function parseAnswer(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return { status: Number(statusLine.split(' ')[1]), headers, body: rest.join('\r\n\r\n'), text };
}

/**
 * Writes the head of a request.
 * @param lines header lines beside Host and Connection: close
 */
export function head(method: string, target: string, ...lines: readonly string[]): string {
  return [`${method} ${target} HTTP/1.1`, 'Host: rollcall.test', 'Connection: close', ...lines, '', ''].join('\r\n');
}
