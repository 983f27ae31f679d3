import { METHODS, STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorMessage, rowForStatus, ScimError } from '../scim/index.js';
import { scimMediaType } from './scim-media-type.js';

const statusByCode: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** An error of Node's HTTP server, with the bytes that it could not read. */
type ClientError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer };

/** Answers a request that is not HTTP, or came too slowly, with a SCIM error, and closes the connection. */
export function answerClientError(error: ClientError, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  if (hasUnknownMethod(error)) return answer(socket, new ScimError('notImplemented', 'This method is not supported.'));
  const row = rowForStatus(statusByCode[error.code ?? ''] ?? 400);
  answer(socket, new ScimError(row, row === 'invalidSyntax' ? 'The request is not valid HTTP.' : undefined));
}

/** Whether the bytes are a request, but for a method that Node's parser does not know. */
function hasUnknownMethod({ code, rawPacket }: ClientError): boolean {
  if (code !== 'HPE_INVALID_METHOD' || !rawPacket) return false;
  const method = /^([\w!#$%&'*+.^`|~-]+) \S+ HTTP\/1\.\d\r\n/.exec(rawPacket.toString('latin1'))?.[1];
  return method !== undefined && !METHODS.includes(method);
}

/** Refuses CONNECT, which Node hands over as a bare connection: this server is no proxy. */
export function refuseConnect(_request: IncomingMessage, socket: Duplex): void {
  answer(socket, new ScimError('notImplemented', 'CONNECT is not supported.'));
}

function answer(socket: Duplex, error: ScimError): void {
  const { status } = error;
  const body = JSON.stringify(errorMessage(error));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${scimMediaType}; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
