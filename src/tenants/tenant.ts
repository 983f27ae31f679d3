import { settingsFrom } from '../scim/index.js';
import type { Tenant } from './principal.js';
import type { TenantEntity } from './tenant.entity.js';

/** What the name of a tenant looks like: a label as in host names, for it stands in addresses. */
export const tenantNamePattern = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** After how many seconds clients of a suspended tenant are to try again. */
export const suspensionRetrySeconds = 300;

/** A tenant as its operators see it. */
export interface TenantRecord extends Tenant {
  readonly createdAt: Date;
  /** When its erasure began; null unless it is being erased. */
  readonly erasingSince: Date | null;
}

/** Reads a row. */
export function tenantRecord(row: TenantEntity): TenantRecord {
  const { id, name, state, profile, settings, createdAt, erasingSince } = row;
  return Object.freeze({ id, name, state, settings: settingsFrom({ ...settings, profile }), createdAt, erasingSince });
}
