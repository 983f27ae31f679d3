import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** What an answer is made of. */
export interface Content {
  /** With its character set, where it is a text. */
  readonly type: string;
  readonly bytes: Buffer;
}

/** An answer that is the same for everybody, ready to be sent. */
interface Kept extends Content {
  readonly compressed: Buffer;
  /** A strong entity tag (RFC 9110 section 8.8.3), without its quotes. */
  readonly tag: string;
}

/** Called before an answer is sent, with how many bytes it will have. @throws ScimError when it must not be */
export type Admit = (request: Request, bytes: number) => void;

const compress = promisify(gzip);

/**
 * Answers GET with content that is made on the first request, compressed once, and kept.
 * @param make called once, and again only if it failed
 * @param version what the query is where the address names a version; such an answer may be kept for a year
 */
export function keptAnswer(make: () => Content | Promise<Content>, admit: Admit, version?: string): RequestHandler {
  let kept: Promise<Kept> | undefined;
  const answer = async (request: Request, response: Response): Promise<void> => {
    kept ??= prepare(make);
    const ready = await kept.catch((error: unknown) => {
      kept = undefined;
      throw error;
    });
    const isVersioned = version !== undefined && request.url.endsWith(`?${version}`);
    send(request, response, ready, isVersioned ? 'public, max-age=31536000, immutable' : 'no-cache', admit);
  };
  return (request: Request, response: Response, next: NextFunction) => void answer(request, response).catch(next);
}

async function prepare(make: () => Content | Promise<Content>): Promise<Kept> {
  const content = await make();
  const tag = createHash('sha256').update(content.bytes).digest('base64url').slice(0, 22);
  return { ...content, tag, compressed: await compress(content.bytes) };
}

function send(request: Request, response: Response, kept: Kept, cacheControl: string, admit: Admit): void {
  const isCompressed = takesGzip(request.headers['accept-encoding']);
  const bytes = isCompressed ? kept.compressed : kept.bytes;
  // Another representation has another tag.
  const tag = `"${kept.tag}${isCompressed ? '-gzip' : ''}"`;
  const isKnown = (request.headers['if-none-match'] ?? '').split(',').some((known) => known.trim() === tag);
  admit(request, isKnown || request.method === 'HEAD' ? 0 : bytes.length);
  response.setHeader('ETag', tag);
  response.setHeader('Cache-Control', cacheControl);
  response.setHeader('Vary', 'Accept-Encoding');
  if (isKnown) return void response.writeHead(304).end();
  response.setHeader('Content-Type', kept.type);
  response.setHeader('Content-Length', bytes.length);
  if (isCompressed) response.setHeader('Content-Encoding', 'gzip');
  response.end(bytes);
}

/** Whether gzip is among the codings that a client takes (RFC 9110 section 12.5.3). */
const takesGzip = (accepted = ''): boolean =>
  accepted.split(',').some((coding) => /^\s*(?:x-)?gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/i.test(coding));
