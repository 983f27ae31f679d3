import type { NextFunction, Request, Response } from 'express';
import { ScimError } from '../scim/index.js';

const header = 'authorization';

/** How many header lines a request may have. */
export const mostHeaderLines = 100;

/**
 * Checks the header lines of a request, as they were sent.
 * @throws ScimError headersTooLarge beyond 100 lines (RFC 6585 section 5): Node would leave lines out without a word, and with
 * them an If-Match or a second Authorization; invalidSyntax for two Authorization lines (RFC 9110 section 5.3): Node would
 * take the first, and a proxy in front of it that takes the last would have checked other credentials
 */
export function checkHeaderLines({ rawHeaders }: Request, _response: Response, next: NextFunction): void {
  // Names and values take turns. Node's own list of all values by name costs more than the rest of this request's checks.
  if (rawHeaders.length > 2 * mostHeaderLines) {
    throw new ScimError('headersTooLarge', `The request has more than ${mostHeaderLines} header lines.`);
  }
  let found = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length === header.length && name.toLowerCase() === header) found++;
  }
  if (found > 1) throw new ScimError('invalidSyntax', 'The Authorization header is given twice.');
  next();
}
