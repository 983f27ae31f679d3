/** Where the protocol is served (RFC 7644 section 3.13 puts the version in the path). */
export const basePath = '/scim/v2';

/** Whether a path, or a URL without its origin, is the protocol's. */
export const isScimPath = (path: string): boolean => path.startsWith('/scim/');
