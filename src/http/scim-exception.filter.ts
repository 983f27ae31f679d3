import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import { errorMessage, rowForStatus, ScimError } from '../scim/index.js';
import { responseContentType } from './scim-media-type.js';

declare module 'http' {
  interface IncomingMessage {
    /** What the request was answered with, when it failed. */
    failure?: ScimError;
  }
}

/** Translates an error of another layer, such as the database; undefined when it has no meaning to a client. */
export type ErrorTranslation = (error: unknown) => ScimError | undefined;

/** Answers every failure with the SCIM Error message (RFC 7644 section 3.12). Nothing else writes error bodies. */
@Catch()
export class ScimExceptionFilter implements ExceptionFilter {
  constructor(
    private readonly logger: Logger,
    private readonly translate: ErrorTranslation,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const error = this.scimError(thrown, request);
    request.failure = error;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
    response.removeHeader('ETag');
    response.setHeader('Content-Type', errorContentType(request));
    response.status(error.status).send(JSON.stringify(errorMessage(error)));
  }

  private scimError(thrown: unknown, request: Request): ScimError {
    const known = thrown instanceof ScimError ? thrown : this.translate(thrown);
    if (known) {
      const reason: unknown = thrown instanceof ScimError ? thrown.cause : thrown;
      // The log says why; the client learns only that it should come back.
      if (known.status >= 500 && reason !== undefined) {
        this.logger.error({ err: reason, requestId: request.id }, 'request failed');
      }
      return known;
    }
    const status = httpStatus(thrown);
    if (status === 400)
      return new ScimError('invalidSyntax', 'The request cannot be read: its path or headers are malformed.');
    if (status !== undefined && status < 500) return new ScimError(rowForStatus(status));
    this.logger.error({ err: thrown, requestId: request.id }, 'unexpected error');
    return new ScimError(
      'internal',
      `The server met an unexpected condition; its log has the details under ${request.id}.`,
    );
  }
}

/** The status an error of Nest or Express carries. */
function httpStatus(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus();
  const status = (thrown as { status?: unknown } | null | undefined)?.status;
  return typeof status === 'number' ? status : undefined;
}

function errorContentType(request: Request): string {
  try {
    return responseContentType(request.headers.accept);
  } catch {
    return responseContentType();
  }
}
