import { readConfig } from '../../src/config.js';
import { ScimClient, type Answer, type RequestOptions } from './client.js';
import { startServer, type TestServer } from './server.js';

/** The operators' token of test servers. */
export const adminToken = 'operators-token-of-32-characters-or-more';

/** A tenant as operators see it. */
export interface AdminTenant {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly scimUrl: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
}

/** A token as operators see it; with its secret when it was just made. */
export interface AdminToken {
  readonly id: string;
  readonly name: string;
  readonly prefix: string | null;
  readonly scopes: readonly string[];
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly revokedAt: string | null;
  readonly lastUsedAt: string | null;
  readonly secret: string;
}

/** A page of a list of the administration. */
export interface AdminList<T> {
  readonly items: readonly T[];
  readonly nextCursor?: string;
}

/** A client of the administration: plain JSON, with the operators' token. */
export class AdminClient extends ScimClient {
  override send<B>(
    method: string,
    path: string,
    body: string | Uint8Array<ArrayBuffer> | undefined,
    { headers = {}, ...options }: RequestOptions = {},
  ): Promise<Answer<B>> {
    const json = { Accept: 'application/json', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) };
    return super.send<B>(method, path, body, { ...options, headers: { ...json, ...headers } });
  }

  /** Creates a tenant with a token. @returns a client of it, whose address names the tenant */
  async connect(name: string, token: Readonly<Record<string, string | string[]>> = {}): Promise<ScimClient> {
    await this.post('/tenants', { name });
    const issued = await this.post<AdminToken>(`/tenants/${name}/tokens`, { name: 'test', ...token });
    return new ScimClient(`${new URL(this.baseUrl).origin}/tenants/${name}/scim/v2`, issued.body.secret);
  }
}

/** A server with the administration on. */
export interface AdministeredServer extends TestServer {
  readonly admin: AdminClient;
}

/** Starts a server in this process with the administration on. */
export async function startAdministered(
  environment: Readonly<Record<string, string>> = {},
): Promise<AdministeredServer> {
  const server = await startServer({ ADMIN_TOKEN: adminToken, ...environment });
  return Object.assign(server, { admin: new AdminClient(`${server.adminOrigin}/admin/v1`, adminToken) });
}

/** The configuration of a program that is not a server, without anything of the tests' own environment. */
export const configuration = (environment: Readonly<Record<string, string>>) => readConfig(environment);
