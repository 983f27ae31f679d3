import { ExpressAdapter } from '@nestjs/platform-express';
import type { Express, NextFunction, Request, Response } from 'express';
import { etag, matchesEtag } from '../scim/index.js';
import { createExpressServer } from './express-server.js';
import { listResponse, longListResponse } from './list-response.js';
import { ResourcePage, ResourceRepresentation, TextInParts } from './representation.js';
import { sendParts, sendText } from './sending.js';
import { endSlowReaders } from './slow-readers.js';

/** What is in memory of a page that is sent in parts: one of them, and the resource that reached its end. */
const longPageBytes = 5_000_000;

declare module 'http' {
  interface ServerResponse {
    /** Settles when the handler of the request has ended, guards and exception filter included; absent before it begins. */
    handled?: unknown;
  }
}

type Handler = (request: Request, response: Response, next: NextFunction) => unknown;

/** The methods by which Nest registers handlers. */
const methods = ['get', 'post', 'put', 'patch', 'delete', 'all'] as const;

/** Keeps what a handler returns, its promise, with the response: a client that hangs up does not end the work. */
const kept =
  (handler: Handler): Handler =>
  (request, response, next) =>
    (response.handled = handler(request, response, next));

/** Sends what handlers return: a resource with its ETag and Location, a page as a ListResponse, and text as it is. */
export class ScimExpressAdapter extends ExpressAdapter {
  constructor() {
    super();
    const app = this.getInstance<Express>();
    for (const method of methods) {
      Object.assign(this, { [method]: (path: string, handler: Handler) => app[method](path, kept(handler)) });
    }
  }

  override initHttpServer(): void {
    this.httpServer = createExpressServer(this.getInstance<Express>());
    endSlowReaders(this.httpServer);
  }

  override reply(response: Response, body: unknown, status?: number): unknown {
    if (status !== undefined) response.statusCode = status;
    if (body instanceof ResourceRepresentation) return sendResource(response, body);
    if (body instanceof ResourcePage) return sendPage(response, body);
    if (body instanceof TextInParts) return sendParts(response, body);
    if (typeof body === 'string') return sendText(response, body);
    return super.reply(response, body);
  }
}

/** Sends one resource, or 304 to a client that has this version (RFC 7644 section 3.14). */
function sendResource(response: Response, resource: ResourceRepresentation): Promise<void> | undefined {
  response.setHeader('ETag', etag(resource.version));
  response.setHeader('Location', resource.location);
  if (isKnown(response.req, resource.version)) sendNothing(response, 304);
  else if (!resource.isReturned) sendNothing(response, 204);
  else if (typeof resource.json !== 'string') return sendParts(response, resource.json);
  else sendText(response, resource.json);
  return undefined;
}

function sendPage(response: Response, page: ResourcePage): Promise<void> | undefined {
  if (page.long) return sendParts(response, new TextInParts(longListResponse(page, page.long), longPageBytes));
  sendText(response, listResponse(page));
  return undefined;
}

function isKnown({ method, headers }: Request, version: number): boolean {
  const ifNoneMatch = headers['if-none-match'];
  return ifNoneMatch !== undefined && (method === 'GET' || method === 'HEAD') && matchesEtag(ifNoneMatch, version);
}

function sendNothing(response: Response, status: number): void {
  response.statusCode = status;
  response.removeHeader('Content-Type');
  response.end();
}
