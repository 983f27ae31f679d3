import type { NextFunction, Request, Response } from 'express';
import { ScimError } from '../scim/index.js';

/**
 * Refuses a request with two Authorization headers (RFC 9110 section 5.3). Node would take the first; a proxy in front of
 * it that takes the last would have checked other credentials than those used here.
 */
export function oneAuthorization(request: Request, _response: Response, next: NextFunction): void {
  if ((request.headersDistinct['authorization']?.length ?? 0) > 1) {
    throw new ScimError('invalidSyntax', 'The Authorization header is given twice.');
  }
  next();
}
