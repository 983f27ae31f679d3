import type { EntityManager } from 'typeorm';
import { ScimError, type TenantSettings } from '../scim/index.js';

const uniqueViolation = '23505';

/**
 * Makes a tenant's rows say what its settings say of uniqueness; the database holds them to it.
 * @throws ScimError uniqueness when resources share a value that is to be unique
 */
export async function applyUniqueness(
  manager: EntityManager,
  tenantId: string,
  { uniqueExternalId, uniqueGroupDisplayName }: TenantSettings,
): Promise<void> {
  // A large tenant takes longer than a request's statements may.
  await manager.query('SET LOCAL statement_timeout = 0');
  for (const table of ['users', 'groups']) {
    const isUnique = "$2 AND external_id IS DISTINCT FROM ''";
    await set(manager, table, 'external_id_unique', isUnique, [tenantId, uniqueExternalId]);
  }
  await set(manager, 'groups', 'display_name_unique', '$2', [tenantId, uniqueGroupDisplayName]);
}

async function set(
  manager: EntityManager,
  table: string,
  column: string,
  isUnique: string,
  values: readonly [tenantId: string, setting: boolean],
): Promise<void> {
  try {
    await manager.query(
      `UPDATE ${table} SET ${column} = (${isUnique}) WHERE tenant_id = $1 AND ${column} <> (${isUnique})`,
      [...values],
    );
  } catch (error) {
    if ((error as { driverError?: { code?: string } }).driverError?.code !== uniqueViolation) throw error;
    const name = column === 'external_id_unique' ? 'externalId' : 'displayName';
    throw new ScimError('uniqueness', `Some ${table} of the tenant share their ${name}; change those first.`);
  }
}
