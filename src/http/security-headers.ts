import type { NextFunction, Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';

/** Where browsers are shown pages. */
const pages = /^\/docs(?:\/|$|\?)/;

/** Answers that are data: nothing of them runs, is framed, is sniffed or is kept (RFC 7644 section 7.5). */
const dataHeaders: readonly (readonly [name: string, value: string])[] = [
  ['Cache-Control', 'no-store'],
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
  ['Referrer-Policy', 'no-referrer'],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
];

const year = 365 * 24 * 60 * 60;

/**
 * Sets the headers that browsers heed. Pages get all that helmet has; data gets what matters for data.
 * @param isSecure whether clients reach the server by https
 */
export function securityHeaders(isSecure: boolean): RequestHandler {
  const forPages = helmet({
    contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
    strictTransportSecurity: isSecure,
  });
  const headers = isSecure
    ? [...dataHeaders, ['Strict-Transport-Security', `max-age=${year}; includeSubDomains`] as const]
    : dataHeaders;
  return (request: Request, response: Response, next: NextFunction) => {
    if (pages.test(request.url)) {
      response.setHeader('Cache-Control', 'no-store');
      forPages(request, response, next);
      return;
    }
    for (const [name, value] of headers) response.setHeader(name, value);
    next();
  };
}
