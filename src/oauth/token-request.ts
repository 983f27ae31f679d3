import type { Request } from 'express';
import { bodiesOf } from '../http/request-bodies.js';
import { ScimError } from '../scim/index.js';
import { OAuthError } from './oauth-error.js';

const mediaType = 'application/x-www-form-urlencoded';
const largestBody = 8_192;

/** A request for a token by client credentials (RFC 6749 section 4.4.2). */
export interface TokenRequest {
  readonly clientId: string;
  readonly clientSecret: string;
  /** The scopes asked for; absent for all the client may have. */
  readonly scope?: string | undefined;
}

/**
 * Reads a token request, with the client's credentials from the Authorization header or the body (RFC 6749 section 2.3.1).
 * @throws OAuthError invalid_request, invalid_client or unsupported_grant_type
 */
export async function readTokenRequest(request: Request): Promise<TokenRequest> {
  const parameters = await readForm(request);
  const grantType = parameters.get('grant_type');
  if (grantType === undefined) throw new OAuthError('invalid_request', 'grant_type is missing.');
  if (grantType !== 'client_credentials') {
    throw new OAuthError('unsupported_grant_type', 'The only grant_type here is client_credentials.');
  }
  return { ...readCredentials(request.headers.authorization, parameters), scope: parameters.get('scope') };
}

/** Reads the parameters of the body. Those without a value count as left out (RFC 6749 section 3.2). */
async function readForm(request: Request): Promise<ReadonlyMap<string, string>> {
  if (!isForm(request)) throw new OAuthError('invalid_request', `The body must be ${mediaType}.`);
  const coding = request.headers['content-encoding'] ?? 'identity';
  if (coding.toLowerCase() !== 'identity') {
    throw new OAuthError('invalid_request', 'Content-Encoding is not supported; send the body as it is.');
  }
  const body = await bodiesOf(request)
    .bytesOf(request, largestBody)
    .catch((error: unknown) => Promise.reject(unreadable(error)));
  const found = new Map<string, string>();
  const seen = new Set<string>();
  for (const [name, value] of new URLSearchParams(body.toString('utf8'))) {
    if (seen.has(name)) throw new OAuthError('invalid_request', 'A parameter is given twice.');
    seen.add(name);
    if (value !== '') found.set(name, value);
  }
  return found;
}

/** Whether the body is a form in UTF-8. */
function isForm({ headers }: Request): boolean {
  const [type = '', ...parameters] = (headers['content-type'] ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
  const isUtf8 = charset === undefined || charset.replaceAll('"', '') === 'utf-8';
  return type === mediaType && isUtf8;
}

function unreadable(error: unknown): Error {
  if (!(error instanceof ScimError) || (error.row !== 'payloadTooLarge' && error.row !== 'invalidSyntax')) {
    return error as Error;
  }
  const isTooLarge = error.row === 'payloadTooLarge';
  const description = isTooLarge ? `The body is larger than ${largestBody} bytes.` : 'The body cannot be read.';
  return new OAuthError('invalid_request', description, isTooLarge ? { status: 413, headers: error.headers } : {});
}

function readCredentials(
  authorization: string | undefined,
  parameters: ReadonlyMap<string, string>,
): Pick<TokenRequest, 'clientId' | 'clientSecret'> {
  const [clientId, clientSecret] = [parameters.get('client_id'), parameters.get('client_secret')];
  if (authorization === undefined) {
    if (clientId !== undefined && clientSecret !== undefined) return { clientId, clientSecret };
    throw new OAuthError('invalid_client', 'Client credentials are missing: send them as HTTP Basic or in the body.');
  }
  if (clientSecret !== undefined) {
    throw new OAuthError('invalid_request', 'Client credentials are given both in the header and in the body.');
  }
  const credentials = readBasic(authorization);
  if (clientId !== undefined && clientId !== credentials.clientId) {
    throw new OAuthError('invalid_request', 'client_id differs from the client in the Authorization header.');
  }
  return credentials;
}

/** Reads HTTP Basic credentials, whose parts are form-encoded first (RFC 6749 section 2.3.1, RFC 7617). */
function readBasic(authorization: string): Pick<TokenRequest, 'clientId' | 'clientSecret'> {
  const encoded = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization)?.[1] ?? '';
  const [, id, secret] = /^([^:]+):(.+)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
  if (id !== undefined && secret !== undefined) {
    try {
      const [clientId, clientSecret] = [id, secret].map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
      return { clientId: clientId ?? '', clientSecret: clientSecret ?? '' };
    } catch {
      // Not form-encoded.
    }
  }
  throw new OAuthError('invalid_client', 'The Authorization header has no HTTP Basic credentials.');
}
