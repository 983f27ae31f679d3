import type { NextFunction, Request, Response } from 'express';

/** Keeps answers out of every cache: resources hold personal data (RFC 7644 section 7.5), and probes must not be old. */
export function noStore(_request: Request, response: Response, next: NextFunction): void {
  response.setHeader('Cache-Control', 'no-store');
  next();
}
