import { ExpressAdapter } from '@nestjs/platform-express';
import type { Express, Request, Response } from 'express';
import { etag, matchesEtag, messageUrn } from '../scim/index.js';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createExpressServer } from './express-server.js';
import { ResourcePage, ResourceRepresentation, TextInParts } from './representation.js';

const stalledAfter = 30_000;

/** Sends what handlers return: a resource with its ETag and Location, a page as a ListResponse, and text as it is. */
export class ScimExpressAdapter extends ExpressAdapter {
  override initHttpServer(): void {
    this.httpServer = createExpressServer(this.getInstance<Express>());
  }

  override reply(response: Response, body: unknown, status?: number): unknown {
    if (status !== undefined) response.statusCode = status;
    if (body instanceof ResourceRepresentation) return sendResource(response, body);
    if (body instanceof ResourcePage) return sendText(response, listResponse(body));
    if (body instanceof TextInParts) return sendParts(response, body.parts);
    if (typeof body === 'string') return sendText(response, body);
    return super.reply(response, body);
  }
}

/** Sends one resource, or 304 to a client that has this version (RFC 7644 section 3.14). */
function sendResource(response: Response, resource: ResourceRepresentation): void {
  response.setHeader('ETag', etag(resource.version));
  response.setHeader('Location', resource.location);
  if (isKnown(response.req, resource.version)) {
    leave(resource.json);
    return sendNothing(response, 304);
  }
  if (!resource.isReturned) return sendNothing(response, 204);
  if (typeof resource.json === 'string') return sendText(response, resource.json);
  sendParts(response, resource.json);
}

/** A ListResponse message (RFC 7644 section 3.4.2). The resources' text is passed on as it is. */
function listResponse({ texts, totalResults, place }: ResourcePage): string {
  const head = { schemas: [messageUrn.listResponse], totalResults, ...place, itemsPerPage: texts.length };
  const start = `${JSON.stringify(head).slice(0, -1)},"Resources":[`;
  const [first = '', ...others] = texts;
  // The ends are joined with the rest, because a long text that is added to is copied once more.
  const last = others.pop();
  return last === undefined ? `${start}${first}]}` : [start + first, ...others, `${last}]}`].join();
}

/** Sends a text in parts, no faster than they are taken. A client that stalls, or goes, ends it. */
function sendParts(response: Response, parts: AsyncIterableIterator<string>): void {
  if (response.req.method === 'HEAD') {
    leave(parts);
    return void response.end();
  }
  response.setTimeout(stalledAfter, () => response.destroy());
  // Nothing is left to be said after the first part: the client sees that the text is cut off.
  pipeline(Readable.from(parts, { objectMode: false }), response).catch(() => response.destroy());
}

/** Lets go of what a text that nobody reads was read from. */
function leave(json: ResourceRepresentation['json']): void {
  if (typeof json !== 'string') void json.return?.();
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

/** From how many characters on a text is sent as bytes: Node would copy it behind the headers first. */
const longText = 8_192;

// Express would look the media type up again.
function sendText(response: Response, text: string): void {
  const body = text.length < longText ? text : Buffer.from(text);
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(body);
}
