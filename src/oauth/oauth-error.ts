import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import { ScimError } from '../scim/index.js';

/** Error codes of the token endpoint (RFC 6749 section 5.2), and what it answers when it cannot serve now. */
const statuses = {
  invalid_request: 400,
  invalid_client: 401,
  unsupported_grant_type: 400,
  invalid_scope: 400,
  temporarily_unavailable: 503,
} as const;
export type OAuthErrorCode = keyof typeof statuses;

const challenge = { 'WWW-Authenticate': 'Basic realm="rollcall", charset="UTF-8"' };

/** A token request that failed (RFC 6749 section 5.2). */
export class OAuthError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  /** @param description what was wrong and what would be right, in ASCII; holds no secret */
  constructor(
    readonly code: OAuthErrorCode,
    description: string,
    { status, headers = {} }: { status?: number; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(description);
    this.status = status ?? statuses[code];
    this.headers = code === 'invalid_client' ? { ...challenge, ...headers } : headers;
  }
}

/** Answers a failed token request as its clients expect it. What is no fault of theirs meets the filter of all routes. */
@Catch(OAuthError, ScimError)
export class OAuthErrorFilter implements ExceptionFilter<OAuthError | ScimError> {
  catch(error: OAuthError | ScimError, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
    const code = error instanceof OAuthError ? error.code : 'temporarily_unavailable';
    response.status(error.status).json({ error: code, error_description: error.message });
  }
}
