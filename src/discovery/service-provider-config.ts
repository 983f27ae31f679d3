import { discoveryUrn, limits, type JsonObject } from '../scim/index.js';

/**
 * What this server supports (RFC 7643 section 5), from what it does and the limits it enforces.
 * @param baseUrl the SCIM base URL, without a trailing slash
 * @param documentationUri where people read about the server
 */
export function serviceProviderConfig(baseUrl: string, documentationUri: string): JsonObject {
  return {
    schemas: [discoveryUrn.serviceProviderConfig],
    documentationUri,
    patch: { supported: true },
    bulk: { supported: true, maxOperations: limits.bulkOperations, maxPayloadSize: limits.bulkBytes },
    filter: { supported: true, maxResults: limits.maxResults },
    changePassword: { supported: true },
    sort: { supported: true },
    etag: { supported: true },
    pagination: {
      cursor: true,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize: limits.defaultCount,
      maxPageSize: limits.maxResults,
      cursorTimeout: limits.cursorSeconds,
    },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'OAuth Bearer Token',
        description: 'A bearer token in the Authorization header',
        specUri: 'https://www.rfc-editor.org/info/rfc6750',
        primary: true,
      },
    ],
    meta: { resourceType: 'ServiceProviderConfig', location: `${baseUrl}/ServiceProviderConfig` },
  };
}
