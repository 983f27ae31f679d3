import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../src/scim/index.js';
import { ScimClient, type Answer } from './client.js';
import { startAdministered, type AdministeredServer } from './admin.js';
import { scimError } from './errors.js';
import type { TestIssuer } from './issuer.js';
import type { TestServer } from './server.js';

/** Starts a server that takes issuers on this machine. */
export const startOAuthServer = (environment: Readonly<Record<string, string>> = {}): Promise<AdministeredServer> =>
  startAdministered({ LOOPBACK_ISSUERS: 'true', ...environment });

/** A client of the token endpoint, as the administration shows it. */
export interface Client extends JsonObject {
  id: string;
  secret: string;
  scopes: string[];
}

/** Creates a client of the token endpoint. */
export async function createClient(
  server: AdministeredServer,
  request: JsonObject = {},
  tenant = 'default',
): Promise<Client> {
  const { status, body, text } = await server.admin.post<Client>(`/tenants/${tenant}/clients`, {
    name: 'test',
    ...request,
  });
  if (status !== 201) throw new Error(`No client was created: ${text}`);
  return body;
}

/** What the token endpoint answers. */
export interface TokenAnswer extends JsonObject {
  access_token: string;
  token_type: string;
  expires_in: number;
  scope: string;
}

/** The credentials of a client, form-encoded, as HTTP Basic. */
export const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`;

/**
 * Sends a token request.
 * @param body its parameters, or the body as it is
 */
export function askForToken(
  { origin }: TestServer,
  body: Readonly<Record<string, string>> | string,
  headers: Readonly<Record<string, string>> = {},
  path = '/oauth/token',
): Promise<Answer<TokenAnswer>> {
  const form = typeof body === 'string' ? body : new URLSearchParams(body).toString();
  return new ScimClient(origin, '').send('POST', path, form, {
    token: null,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
  });
}

/** Gets an access token with a client's credentials. */
export async function accessToken(server: TestServer, client: Client, scope?: string): Promise<string> {
  const parameters = { grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) };
  const { status, body, text } = await askForToken(server, parameters, {
    Authorization: basic(client.id, client.secret),
  });
  if (status !== 200) throw new Error(`No token was issued: ${text}`);
  return body.access_token;
}

/** The audience that test issuers' tokens are for. */
export const audience = 'api://rollcall';

/** How reading users with a token is answered, as `reading` shows it. */
export const reads = {
  taken: [200, null, undefined],
  refused: [
    401,
    'Bearer realm="rollcall", error="invalid_token"',
    scimError(401, undefined, 'The bearer token is not valid: it is unknown, expired or malformed.'),
  ],
  unavailable: [
    503,
    '5',
    scimError(503, undefined, "The keys of the token's issuer cannot be read now; try again later."),
  ],
};

/** Reads users with a token. @returns the status; the challenge, or when to come back; and the body unless it is users */
export async function reading(server: TestServer, token: string): Promise<unknown[]> {
  const { status, headers, body } = await server.scim.get('/Users', { token });
  const header = headers.get(status === 503 ? 'Retry-After' : 'WWW-Authenticate');
  return [status, header, status === 200 ? undefined : body];
}

/** Makes a tenant of its own that accepts an issuer's tokens. @returns its name and the issuer's path */
export async function acceptIssuer(
  { admin }: AdministeredServer,
  { url }: Pick<TestIssuer, 'url'>,
  definition: JsonObject = {},
): Promise<{ tenant: string; path: string }> {
  const tenant = `customer-${randomUUID()}`;
  await admin.post('/tenants', { name: tenant });
  const request = { issuer: url, audience, scopes: ['read', 'write', 'bulk'], ...definition };
  const { status, body, text } = await admin.post<{ id: string }>(`/tenants/${tenant}/issuers`, request);
  if (status !== 201) throw new Error(text);
  return { tenant, path: `/tenants/${tenant}/issuers/${body.id}` };
}
