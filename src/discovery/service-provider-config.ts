import { discoveryUrn, limits, type JsonObject, type TenantSettings } from '../scim/index.js';

/**
 * What this server supports (RFC 7643 section 5), from what it does and the limits it enforces.
 * @param baseUrl the SCIM base URL, without a trailing slash
 * @param documentationUri where people read about the server
 * @param settings the tenant's, which may give less than the server
 */
export function serviceProviderConfig(
  baseUrl: string,
  documentationUri: string,
  { maxPageSize, maxBulkOperations, maxBulkPayloadBytes }: TenantSettings,
): JsonObject {
  const maxResults = maxPageSize ?? limits.maxResults;
  return {
    schemas: [discoveryUrn.serviceProviderConfig],
    documentationUri,
    patch: { supported: true },
    bulk: {
      supported: true,
      maxOperations: maxBulkOperations ?? limits.bulkOperations,
      maxPayloadSize: maxBulkPayloadBytes ?? limits.bulkBytes,
    },
    filter: { supported: true, maxResults },
    changePassword: { supported: true },
    sort: { supported: true },
    etag: { supported: true },
    pagination: {
      cursor: true,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize: Math.min(limits.defaultCount, maxResults),
      maxPageSize: maxResults,
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
      {
        type: 'oauth2',
        name: 'OAuth 2.0',
        description: "An access token of the token endpoint, /oauth/token, or of the tenant's identity provider",
        specUri: 'https://www.rfc-editor.org/info/rfc6749',
        primary: false,
      },
    ],
    meta: { resourceType: 'ServiceProviderConfig', location: `${baseUrl}/ServiceProviderConfig` },
  };
}
