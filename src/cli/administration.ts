import type { AuditEventDto } from '../admin/audit.dto.js';
import type { Listed } from '../admin/admin-api.js';
import type { IssuerDto } from '../admin/issuers.dto.js';
import type { ClientDto, IssuedClientDto } from '../admin/oauth-clients.dto.js';
import type { LoggedRequestDto } from '../admin/requests.dto.js';
import type { TenantDto } from '../admin/tenants.dto.js';
import type { IssuedTokenDto, TokenDto } from '../admin/tokens.dto.js';
import type { JsonObject, TenantSettings } from '../scim/index.js';

/** The query parameters of a request. */
export type Query = Readonly<Record<string, string>>;

/** The tenants. */
export interface Tenants {
  readonly create: (tenant: JsonObject) => Promise<TenantDto>;
  readonly list: (query: Query) => Promise<Listed<TenantDto>>;
  readonly read: (name: string) => Promise<TenantDto>;
  readonly change: (name: string, changes: JsonObject) => Promise<TenantDto>;
  readonly suspend: (name: string) => Promise<TenantDto>;
  readonly resume: (name: string) => Promise<TenantDto>;
  readonly erase: (name: string) => Promise<void>;
  readonly readSettings: (name: string) => Promise<TenantSettings>;
  readonly changeSettings: (name: string, settings: JsonObject) => Promise<TenantSettings>;
}

/** The bearer tokens of a tenant. */
export interface Tokens {
  readonly create: (tenant: string, token: JsonObject) => Promise<IssuedTokenDto>;
  readonly list: (tenant: string, query: Query) => Promise<Listed<TokenDto>>;
  readonly revoke: (tenant: string, id: string) => Promise<void>;
  readonly rotate: (tenant: string, id: string, rotation: JsonObject) => Promise<IssuedTokenDto>;
}

/** The clients of a tenant at the token endpoint. */
export interface Clients {
  readonly create: (tenant: string, client: JsonObject) => Promise<IssuedClientDto>;
  readonly list: (tenant: string, query: Query) => Promise<Listed<ClientDto>>;
  readonly read: (tenant: string, id: string) => Promise<ClientDto>;
  readonly revoke: (tenant: string, id: string) => Promise<void>;
  readonly rotate: (tenant: string, id: string, rotation: JsonObject) => Promise<IssuedClientDto>;
}

/** The outside issuers whose access tokens a tenant accepts. */
export interface OutsideIssuers {
  readonly create: (tenant: string, definition: JsonObject) => Promise<IssuerDto>;
  readonly list: (tenant: string, query: Query) => Promise<Listed<IssuerDto>>;
  readonly read: (tenant: string, id: string) => Promise<IssuerDto>;
  readonly replace: (tenant: string, id: string, definition: JsonObject) => Promise<IssuerDto>;
  readonly remove: (tenant: string, id: string) => Promise<void>;
}

/**
 * What commands ask for: the operations of the admin API, with its bodies, queries and answers. They are carried out in
 * this process on the database, or by a server that is asked over HTTP. Bodies and queries come unchecked.
 * @throws ScimError in this process, ServerRefused over HTTP; both give the same reasons
 */
export interface Administration {
  readonly tenants: Tenants;
  readonly tokens: Tokens;
  readonly clients: Clients;
  readonly issuers: OutsideIssuers;
  /** Reads the trail of a tenant, or, without one, which tenants came and went. */
  readonly audit: (tenant: string | undefined, query: Query) => Promise<Listed<AuditEventDto>>;
  readonly requests: (tenant: string, query: Query) => Promise<Listed<LoggedRequestDto>>;
}
