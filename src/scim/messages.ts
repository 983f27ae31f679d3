import type { ScimError } from './errors.js';
import type { JsonValue } from './resource.js';

/** Message schema URNs (RFC 7644 section 8.2). */
export const messageUrn = {
  error: 'urn:ietf:params:scim:api:messages:2.0:Error',
  listResponse: 'urn:ietf:params:scim:api:messages:2.0:ListResponse',
  patchOp: 'urn:ietf:params:scim:api:messages:2.0:PatchOp',
  bulkRequest: 'urn:ietf:params:scim:api:messages:2.0:BulkRequest',
  bulkResponse: 'urn:ietf:params:scim:api:messages:2.0:BulkResponse',
  searchRequest: 'urn:ietf:params:scim:api:messages:2.0:SearchRequest',
} as const;

/** The Error message (RFC 7644 section 3.12). `status` is a JSON string. */
export interface ErrorMessage {
  schemas: [typeof messageUrn.error];
  status: string;
  scimType?: string;
  detail: string;
}

/** Renders an error as its message (RFC 7644 section 3.12). */
export function errorMessage(error: ScimError): ErrorMessage {
  return {
    schemas: [messageUrn.error],
    status: String(error.status),
    ...(error.scimType === undefined ? {} : { scimType: error.scimType }),
    detail: error.detail,
  };
}

/** The ListResponse message (RFC 7644 section 3.4.2). */
export interface ListResponse<R = JsonValue> {
  schemas: [typeof messageUrn.listResponse];
  totalResults: number;
  startIndex: number;
  itemsPerPage: number;
  Resources: R[];
}

/**
 * Renders one page as a ListResponse (RFC 7644 section 3.4.2).
 * @param resources the page's resources; itemsPerPage is their true number
 * @param totalResults how many resources the query matches in all
 * @param startIndex the 1-based index of the page's first resource
 */
export function listResponse<R>(resources: R[], totalResults: number, startIndex: number): ListResponse<R> {
  return {
    schemas: [messageUrn.listResponse],
    totalResults,
    startIndex,
    itemsPerPage: resources.length,
    Resources: resources,
  };
}
