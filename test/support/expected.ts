import { expect } from '@jest/globals';
import { publicUrl } from './server.js';

/** URNs as clients spell them: literals, so that a wrong constant of the server's shows. */
export const urn = {
  user: 'urn:ietf:params:scim:schemas:core:2.0:User',
  group: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  enterprise: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
  error: 'urn:ietf:params:scim:api:messages:2.0:Error',
  list: 'urn:ietf:params:scim:api:messages:2.0:ListResponse',
  patch: 'urn:ietf:params:scim:api:messages:2.0:PatchOp',
} as const;

/** Where a resource is, by the public URL. */
export const locationOf = (resourceType: 'User' | 'Group', id: string): string =>
  `${publicUrl}/scim/v2/${resourceType}s/${id}`;

const time: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

/** The `meta` that a resource must have after so many changes (RFC 7643 section 3.1). */
export const metaOf = (resourceType: 'User' | 'Group', id: string, version: number) => ({
  resourceType,
  created: time as string,
  lastModified: time as string,
  location: locationOf(resourceType, id),
  version: `W/"${version}"`,
});

/** The list that finds nothing (RFC 7644 section 3.4.2). */
export const emptyList = { schemas: [urn.list], totalResults: 0, startIndex: 1, itemsPerPage: 0, Resources: [] };
