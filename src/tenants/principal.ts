import type { Scope } from '../http/scope.js';
import type { TenantSettings } from '../scim/index.js';

export type { Scope };

/** A tenant as its requests meet it. */
export interface Tenant {
  readonly id: string;
  readonly name: string;
  /** A suspended tenant's requests are told to come back later, so that identity providers lose nothing. */
  readonly state: 'active' | 'suspended';
  readonly settings: TenantSettings;
}

/** Who makes a request. */
export interface Principal {
  readonly tenant: Tenant;
  /** `token:<id>`, `client:<id>` or `issuer:<sub>`; never a secret. */
  readonly actor: string;
  readonly scopes: readonly Scope[];
  /** When the credentials end. */
  readonly expiresAt: Date;
}
