import type { EntityManager } from 'typeorm';
import { NIL } from 'uuid';
import type { Author } from './audit.js';

/** Stands for a tenant in events that are about tenants themselves: that one came or went. */
export const installation = NIL;

/** A change of what operators administer, as the audit trail keeps it. No value of it is a secret or a hash of one. */
export interface AuditEvent {
  /** Whose trail it is in; `installation` for tenants that come and go. */
  readonly tenantId: string;
  readonly operation: 'create' | 'update' | 'delete' | 'suspend' | 'resume' | 'revoke' | 'rotate';
  readonly resourceType: 'Tenant' | 'Token' | 'Client' | 'Issuer';
  readonly resourceId: string;
  readonly before?: object | undefined;
  readonly after?: object | undefined;
  /** What was set and is secret, by name. */
  readonly secrets?: readonly string[];
}

/** Writes an event in the transaction of the change that it is about. */
export async function recordEvent(
  manager: EntityManager,
  { actor, requestId }: Author,
  { tenantId, operation, resourceType, resourceId, before, after, secrets = [] }: AuditEvent,
): Promise<void> {
  await manager.query(
    `INSERT INTO audit_events
       (tenant_id, at, actor, request_id, operation, resource_type, resource_id, before, after, secrets)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      ...[tenantId, new Date(), actor, requestId, operation, resourceType, resourceId],
      ...[before, after].map((image) => (image === undefined ? null : JSON.stringify(image))),
      secrets,
    ],
  );
}
