import type { Request, Response } from 'express';
import { Logger } from '@nestjs/common';
import { once } from 'node:events';
import type { TextInParts } from './representation.js';

const logger = new Logger('Answers');

/** From how many characters on a text is sent as bytes: Node would copy it behind the headers first. */
const longText = 8_192;
/** From how many bytes on an answer counts among those that the tenant holds until it is sent. */
const largeAnswer = 65_536;

/**
 * Sends a text. Express would look the media type up again.
 * @throws ScimError tooManyRequests or unavailable, with Retry-After, when the text is large and too much is held
 */
export function sendText(response: Response, text: string): void {
  const body = text.length < longText ? text : Buffer.from(text);
  const bytes = Buffer.byteLength(body);
  if (bytes >= largeAnswer) hold(response, bytes);
  response.setHeader('Content-Length', bytes);
  response.end(body);
}

/**
 * Sends a text in parts, no faster than they are taken. What fails after the first part ends the connection, so that the
 * client sees that the text is cut off.
 * @returns settles when the text has been sent, or will not be; undefined where there is nothing to send
 * @throws ScimError as `sendText`
 */
export function sendParts(response: Response, text: TextInParts): Promise<void> | undefined {
  if (response.req.method === 'HEAD') {
    response.end();
    return undefined;
  }
  hold(response, text.bytes);
  return pump(response, text.parts).catch((error: unknown) => {
    const { name, code } = error as { name: string; code?: unknown };
    if (!response.destroyed) logger.warn(`An answer was cut off: ${name}${typeof code === 'string' ? ` ${code}` : ''}`);
    response.destroy();
  });
}

async function pump(response: Response, parts: AsyncIterable<string>): Promise<void> {
  for await (const part of parts) {
    // Leaving the loop ends the parts.
    if (response.destroyed) return;
    if (!response.write(part)) await drained(response);
  }
  response.end();
}

/** Waits until there is room for more, or nobody to send it to. */
async function drained(response: Response): Promise<void> {
  if (response.destroyed) return;
  const done = new AbortController();
  await Promise.race([once(response, 'drain', done), once(response, 'close', done)]).finally(() => done.abort());
}

/**
 * Holds bytes until the answer is sent or its connection is gone. A change that was made is answered even where too much is
 * held: its body was held before.
 */
function hold(response: Response, bytes: number): void {
  // One that is closed already would never say so.
  if (response.destroyed) return;
  const request = response.req as Request;
  const { context } = request;
  if (!context) return;
  try {
    const held = context.hold(bytes);
    response.on('close', () => held.release());
  } catch (error) {
    if (isRead(request)) throw error;
  }
}

const isRead = ({ method, path }: Request): boolean => method === 'GET' || path.endsWith('/.search');
