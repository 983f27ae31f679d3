import { QueryFailedError } from 'typeorm';
import { ScimError } from '../scim/index.js';

/** What PostgreSQL says of a failed statement. */
interface DriverError {
  readonly code?: string;
  readonly constraint?: string;
}

/** What a client did to violate a constraint. The constraint's name says which rule it is. */
const violations: Readonly<Record<string, () => ScimError>> = {
  users_user_name: () => new ScimError('uniqueness', 'Another user has this userName.'),
  users_external_id: () => new ScimError('uniqueness', 'Another user has this externalId.'),
  groups_external_id: () => new ScimError('uniqueness', 'Another group has this externalId.'),
  tenants_name: () => new ScimError('uniqueness', 'Another tenant has this name.'),
  issuers_issuer: () => new ScimError('uniqueness', 'A tenant has this issuer with this audience already.'),
  // The tenant was erased while the request was on its way.
  users_tenant_id_fkey: () => new ScimError('unauthorized'),
  groups_tenant_id_fkey: () => new ScimError('unauthorized'),
  // The same, where operators make credentials of it.
  tokens_tenant_id_fkey: () => new ScimError('notFound', 'There is no such tenant any more.'),
  oauth_clients_tenant_id_fkey: () => new ScimError('notFound', 'There is no such tenant any more.'),
  issuers_tenant_id_fkey: () => new ScimError('notFound', 'There is no such tenant any more.'),
  groups_display_name: () => new ScimError('uniqueness', 'Another group has this displayName.'),
  // The member was there when it was looked up and is gone now.
  group_members_user: () => new ScimError('invalidValue', 'members: a member does not exist.'),
  group_members_nested: () => new ScimError('invalidValue', 'members: a member does not exist.'),
};

const serializationFailure = '40001';
const deadlockDetected = '40P01';

/**
 * Conditions under which the database cannot be used now: connection errors, shutdown, too many clients, disk full, a
 * lock that is held for too long; a password or database that is no more; a certificate that cannot be trusted.
 */
const unavailable =
  /^(?:08|28|3D|57P0|53|25006|55P03|57014|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENOSPC|CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_)/;
const unavailableMessage =
  /timeout exceeded when trying to connect|timeout expired|Query read timeout|Connection terminated|Client has encountered a connection error|does not support SSL connections/;

/** Whether the server, or this process, ended a statement because it took too long. */
export function isTooLong(error: unknown): boolean {
  const { code, message } = driverError(error);
  return code === '57014' || message === 'Query read timeout';
}

function driverError(error: unknown): DriverError & { message?: string } {
  if (error instanceof QueryFailedError) return error.driverError as DriverError & { message?: string };
  return typeof error === 'object' && error !== null ? error : {};
}

/** Whether the same transaction may succeed when it is tried again. */
export function isRetryable(error: unknown): boolean {
  const { code } = driverError(error);
  return code === serializationFailure || code === deadlockDetected;
}

/**
 * Translates a database error that has a meaning to a client.
 * @returns undefined for one that has not: a defect, to be answered with 500
 */
export function toScimError(error: unknown): ScimError | undefined {
  const { code, constraint, message } = driverError(error);
  const violation = constraint === undefined ? undefined : violations[constraint];
  if (violation && (code === '23505' || code === '23503')) return violation();
  const cannotBeUsed = unavailable.test(code ?? '') || unavailableMessage.test(message ?? '');
  if (cannotBeUsed || isRetryable(error)) {
    return new ScimError('unavailable', 'The directory cannot be reached now; try again later.', {
      'Retry-After': '5',
    });
  }
  return undefined;
}
