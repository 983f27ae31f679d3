import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorMessage, rowForStatus, ScimError } from '../scim/index.js';
import { scimMediaType } from './scim-media-type.js';

const statusByCode: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Answers a request that is not HTTP, or came too slowly, with a SCIM error, and closes the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = statusByCode[error.code ?? ''] ?? 400;
  const row = rowForStatus(status);
  const detail = row === 'invalidSyntax' ? 'The request is not valid HTTP.' : undefined;
  const body = JSON.stringify(errorMessage(new ScimError(row, detail)));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${scimMediaType}; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
