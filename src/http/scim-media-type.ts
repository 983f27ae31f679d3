import { LRUCache } from 'lru-cache';
import type { IncomingMessage } from 'node:http';
import { quote, ScimError, type Profile } from '../scim/index.js';

/** The media type of SCIM messages (RFC 7644 section 8.1). */
export const scimMediaType = 'application/scim+json';

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
export function checkContentType(request: IncomingMessage, profile: Profile): void {
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
