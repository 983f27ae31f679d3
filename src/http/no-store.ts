import type { NextFunction, Request, Response } from 'express';
import { basePath } from './scim-path.js';

/** Keeps resources out of every cache: they hold personal data (RFC 7644 section 7.5). */
export function noStore(request: Request, response: Response, next: NextFunction): void {
  if (request.path.startsWith(basePath)) response.setHeader('Cache-Control', 'no-store');
  next();
}
