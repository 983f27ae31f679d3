import type { NextFunction, Request, Response } from 'express';
import { ScimError } from '../scim/index.js';

const header = 'authorization';

/**
 * Refuses a request with two Authorization headers (RFC 9110 section 5.3). Node would take the first; a proxy in front of
 * it that takes the last would have checked other credentials than those used here.
 */
export function oneAuthorization({ rawHeaders }: Request, _response: Response, next: NextFunction): void {
  let found = 0;
  // Names and values take turns. Node's own list of all values by name costs more than the rest of this request's checks.
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length === header.length && name.toLowerCase() === header) found++;
  }
  if (found > 1) throw new ScimError('invalidSyntax', 'The Authorization header is given twice.');
  next();
}
