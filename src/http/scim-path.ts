/** Where the protocol is served (RFC 7644 section 3.13 puts the version in the path). */
export const basePath = '/scim/v2';

/** Whether a path, or a URL without its origin, is the protocol's. */
export const isScimPath = (path: string): boolean => path.startsWith('/scim/');

/** Where the protocol is served when the address names the tenant (RFC 7644 section 6). */
export const tenantBasePath = (tenant: string): string => `/tenants/${tenant}${basePath}`;

/**
 * The SCIM base URL, without a trailing slash.
 * @param publicUrl the address of the server as clients see it
 * @param tenant the tenant that the request's address names, if it does
 */
export function scimBaseUrl(publicUrl: string, tenant: string | undefined): string {
  return publicUrl + (tenant === undefined ? basePath : tenantBasePath(tenant));
}
