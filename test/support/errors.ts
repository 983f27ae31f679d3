import { expect } from '@jest/globals';

/**
 * Matches the whole body of an error (RFC 7644 section 3.12), whatever its detail says.
 * @param scimType absent where the RFC names none for the status
 */
export function scimError(status: number, scimType?: string, detail: unknown = expect.any(String)): object {
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: String(status),
    ...(scimType === undefined ? {} : { scimType }),
    detail,
  };
}
