import { ExpressAdapter } from '@nestjs/platform-express';
import type { Request, Response } from 'express';
import { etag, matchesEtag } from '../scim/index.js';
import { ResourceRepresentation } from './representation.js';

/** Sends what handlers return: a resource with its ETag and Location, and text as it is. */
export class ScimExpressAdapter extends ExpressAdapter {
  override reply(response: Response, body: unknown, status?: number): unknown {
    if (status !== undefined) response.statusCode = status;
    if (body instanceof ResourceRepresentation) return sendResource(response, body);
    if (typeof body === 'string') return sendText(response, body);
    return super.reply(response, body);
  }
}

/** Sends one resource, or 304 to a client that has this version (RFC 7644 section 3.14). */
function sendResource(response: Response, resource: ResourceRepresentation): void {
  response.setHeader('ETag', etag(resource.version));
  response.setHeader('Location', resource.location);
  if (isKnown(response.req, resource.version)) return sendNothing(response, 304);
  if (!resource.isReturned) return sendNothing(response, 204);
  sendText(response, resource.json);
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

// Express would look the media type up again and make a buffer of the text.
function sendText(response: Response, text: string): void {
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}
