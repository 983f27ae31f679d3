import { LRUCache } from 'lru-cache';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { decodeUtf8, limits, parseJson, quote, ScimError, type JsonValue, type Profile } from '../scim/index.js';

/** The media type of SCIM messages (RFC 7644 section 8.1). */
export const scimMediaType = 'application/scim+json';

const lingerMilliseconds = 500;

const jsonMediaType = 'application/json';

/** A media range of an Accept header: `application/json`, `application/*`. */
interface MediaRange {
  readonly type: string;
  readonly weight: number;
}

const weightPattern = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/** Reads a media range. Of its parameters only the weight counts: all we produce is UTF-8, whatever `charset` says. */
function readRange(text: string): MediaRange | undefined {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice('q='.length) ?? '1';
  return /^[^\s/]+\/[^\s/]+$/.test(type) && weightPattern.test(weight) ? { type, weight: Number(weight) } : undefined;
}

/** How much a media type is wanted: the most specific range that covers it says so. */
function weightOf(mediaType: string, ranges: readonly MediaRange[]): number {
  const covering = [mediaType, 'application/*', '*/*'].map((type) => ranges.find((range) => range.type === type));
  return covering.find((range) => range !== undefined)?.weight ?? 0;
}

/**
 * Chooses the media type of the answer (RFC 7644 section 3.8, RFC 9110 section 12.5.1): SCIM unless plain JSON is wanted more.
 * @param accept the Accept header; absent and malformed ones accept anything
 * @throws ScimError notAcceptable
 */
function responseMediaType(accept: string | undefined): string {
  const ranges = (accept ?? '')
    .split(',')
    .map(readRange)
    .filter((range) => range !== undefined);
  if (ranges.length === 0) return scimMediaType;
  const [scim, json] = [weightOf(scimMediaType, ranges), weightOf(jsonMediaType, ranges)];
  if (scim === 0 && json === 0) throw new ScimError('notAcceptable');
  return scim >= json ? scimMediaType : jsonMediaType;
}

// Clients send the same few headers again and again.
const negotiated = new LRUCache<string, string>({ max: 100 });

/**
 * The Content-Type of the answer.
 * @param accept the Accept header
 * @throws ScimError notAcceptable
 */
export function responseContentType(accept = ''): string {
  let contentType = negotiated.get(accept);
  if (contentType === undefined) {
    contentType = `${responseMediaType(accept)}; charset=utf-8`;
    negotiated.set(accept, contentType);
  }
  return contentType;
}

/** Whether a request has a body (RFC 9112 section 6). */
const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/**
 * Checks that a body is JSON in UTF-8 without a content coding (RFC 7644 section 3.8).
 * @throws ScimError unsupportedMediaType
 */
function checkContentType(request: IncomingMessage, profile: Profile): void {
  const coding = request.headers['content-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'identity') {
    throw new ScimError(
      'unsupportedMediaType',
      `Content-Encoding ${quote(coding)} is not supported; send the body as it is.`,
    );
  }
  const contentType = request.headers['content-type'];
  if (contentType === undefined) {
    if (profile.missingContentType || !hasBody(request)) return;
    throw new ScimError('unsupportedMediaType', `Content-Type is missing; it must be ${scimMediaType}.`);
  }
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
  const isUtf8 = charset === undefined || charset.replaceAll('"', '') === 'utf-8';
  if ((type !== scimMediaType && type !== jsonMediaType) || !isUtf8) {
    throw new ScimError(
      'unsupportedMediaType',
      `Content-Type ${quote(contentType)} is not supported; use ${scimMediaType} in UTF-8.`,
    );
  }
}

/** How large a body may be. */
export interface BodyLimits {
  readonly bytes: number;
  /** The longest array. */
  readonly arrayElements: number;
  /** What the limit is called where it is published. */
  readonly name?: string;
  /** Leaves it to the handler to check the text of strings, part by part. */
  readonly anyText?: boolean;
}

/** The limits of a body that names no other. */
export const defaultBodyLimits: BodyLimits = { bytes: limits.bodyBytes, arrayElements: limits.arrayElements };

/**
 * Reads a request's body as JSON, counting bytes as they come.
 * @throws ScimError unsupportedMediaType, payloadTooLarge naming the limit, or what `parseJson` throws
 */
export async function readBody(
  request: IncomingMessage,
  profile: Profile,
  { bytes, arrayElements, name, anyText }: BodyLimits,
): Promise<JsonValue> {
  checkContentType(request, profile);
  const limit = `${name === undefined ? '' : `${name} = `}${bytes} bytes`;
  if (Number(request.headers['content-length'] ?? 0) > bytes) throw await tooLarge(request, limit);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunksOf(request)) {
    size += chunk.length;
    if (size > bytes) break;
    chunks.push(chunk);
  }
  if (size > bytes) throw await tooLarge(request, limit);
  return parseJson(decodeUtf8(Buffer.concat(chunks)), { maxArray: arrayElements, anyText: anyText ?? false });
}

/**
 * The error for a body that is too large, after reading on for a moment: a client that is still sending when the connection
 * closes sees a reset instead of the answer.
 */
async function tooLarge(request: IncomingMessage, limit: string): Promise<ScimError> {
  request.resume();
  if (!request.readableEnded) {
    await once(request, 'end', { signal: AbortSignal.timeout(lingerMilliseconds) }).catch(() => undefined);
  }
  return new ScimError('payloadTooLarge', `The body is larger than ${limit}.`, { Connection: 'close' });
}

/** The body as it comes. A client that goes away in the middle of it is no failure of ours. */
async function* chunksOf(request: IncomingMessage): AsyncIterable<Buffer> {
  try {
    // Not destroyed on the way out: the connection must still carry the error.
    yield* request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch {
    throw new ScimError('invalidSyntax', 'The connection was closed before the body was complete.');
  }
}
