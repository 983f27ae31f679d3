import type { NextFunction, Request, Response } from 'express';
import { v4 as uuid } from 'uuid';
import type { Logger } from 'pino';
import type { RequestMetrics } from './metrics-requests.js';

/** Whoever looks at requests that are done. */
export interface FinishedRequests {
  /** @param milliseconds from the request's headers to its connection being done with it */
  finished(request: Request, response: Response, milliseconds: number): void;
}

const requestIdPattern = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * Gives each request an id, answers it in X-Request-Id, and logs and measures the request when it is done: method, path,
 * status and duration in milliseconds, and shows it to the recorder. The query string is not logged, because filters hold
 * personal data (RFC 7644 section 7.5.2).
 */
export function requestLog(
  logger: Logger,
  metrics: RequestMetrics,
  recorder: FinishedRequests,
): (request: Request, response: Response, next: NextFunction) => void {
  return (request, response, next) => {
    const given = request.headers['x-request-id'];
    const requestId = typeof given === 'string' && requestIdPattern.test(given) ? given : uuid();
    const started = performance.now();
    request.id = requestId;
    response.setHeader('X-Request-Id', requestId);
    metrics.started();
    response.on('close', () => {
      const milliseconds = performance.now() - started;
      metrics.finished(request, response, milliseconds / 1000);
      recorder.finished(request, response, milliseconds);
      if (!logger.isLevelEnabled('info')) return;
      logger.info(
        {
          requestId,
          method: request.method,
          path: request.originalUrl.split('?', 1)[0]?.slice(0, 256),
          // Nothing was answered to a client that went away first.
          status: response.headersSent ? response.statusCode : undefined,
          // An answer that waits in a connection when that ends counts as finished, too.
          complete: response.writableFinished && !request.socket.destroyed,
          durationMs: Math.round(milliseconds),
          tenant: request.context?.tenant.name,
        },
        'request',
      );
    });
    next();
  };
}
