import type { NextFunction, Request, Response } from 'express';
import type { Server as HttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { quote, ScimError } from '../scim/index.js';
import { unrouted } from './unrouted.js';

/** Operators are few, and have connections of their own. */
const mostConnections = 100;

/** What is for operators: the admin API, its page and its document. */
const adminPaths = /^\/(?:admin|docs\/admin|openapi-admin\.json)(?=[/?#]|$)/i;

/** Connections that came in by the operators' port. */
const connections = new WeakSet<Socket>();

/**
 * Opens the operators' port. Its connections are served by the HTTP server as all others are, and end with it.
 * @param port 0 for a free one
 * @returns once it listens; `close` it when the HTTP server closes
 */
export function openAdminPort(server: HttpServer, port: number, host: string): Promise<Server> {
  // As an HTTP server makes its own connections.
  const opened = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    connections.add(socket);
    server.emit('connection', socket);
  });
  opened.maxConnections = mostConnections;
  return new Promise((resolve, reject) => {
    opened.once('error', reject);
    opened.listen(port, host, () => resolve(opened));
  });
}

/**
 * Serves what is for operators on their port only, and nothing else there.
 * @throws ScimError notFound for what is on the other port
 */
export function separateAdminPort(request: Request, _response: Response, next: NextFunction): void {
  const isAdminPort = connections.has(request.socket);
  if (isAdminPort === adminPaths.test(request.url)) return next();
  if (!isAdminPort) throw unrouted(request, []);
  throw new ScimError('notFound', `There is nothing at ${quote(request.path)} on this port; it serves /admin/v1.`);
}
