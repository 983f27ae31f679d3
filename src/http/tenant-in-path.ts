import type { NextFunction, Request, Response } from 'express';

/** `/tenants/{name}` before a path that can have it. */
const tenantPrefix = /^\/tenants\/([a-z0-9][a-z0-9-]{0,62})(?=\/(?:scim|oauth)(?:[/?#]|$))/i;

declare module 'express' {
  interface Request {
    /** The name of the tenant in the request's address, as it was written; absent where it names none. */
    addressedTenant?: string;
  }
}

/**
 * Takes the tenant out of the address, so that the same routes serve `/tenants/{name}/scim/v2` and `/scim/v2` (RFC 7644
 * section 6). Whoever authenticates the request has to compare `addressedTenant` with the credentials' tenant.
 * `originalUrl` stays what the client sent.
 */
export function tenantInPath(request: Request, _response: Response, next: NextFunction): void {
  const [prefix, tenant] = tenantPrefix.exec(request.url) ?? [];
  if (prefix !== undefined && tenant !== undefined) {
    request.addressedTenant = tenant;
    request.url = request.url.slice(prefix.length);
  }
  next();
}
