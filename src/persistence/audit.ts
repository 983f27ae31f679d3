import { literal, type SqlContext } from './filter-sql/columns.js';

/** What is said of a change beside the resource before and after it. */
export interface ChangeNote {
  readonly operation: 'create' | 'replace' | 'patch' | 'delete' | 'update';
  /** The names of attributes whose values are secret and changed. */
  readonly secrets?: readonly string[];
  /** Members that came and went. */
  readonly members?: MemberChanges;
}

/** SQL expressions for what an event says of the document: the whole before and after the change, or what changed in it. */
export interface Images {
  readonly before: string;
  readonly after: string;
  /** The changes as JSON, where the document is large; before and after are NULL then. */
  readonly changes?: string;
}

/** The ids of members that were added and removed. */
export interface MemberChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Who changes something, and in which request. */
export interface Author {
  readonly actor: string;
  readonly requestId: string;
}

// An event stays readable and small, whatever the size of the change.
const mostIds = 1000;

/**
 * A common table expression that writes the change of the row `r` to the audit trail, in the statement that makes it.
 */
export function auditSql(
  { actor, requestId }: Author,
  resourceType: string,
  { operation, secrets, members }: ChangeNote,
  { before, after, changes = 'NULL' }: Images,
  { parameter }: SqlContext,
): string {
  return `audit AS (
    INSERT INTO audit_events
      (tenant_id, at, actor, request_id, operation, resource_type, resource_id, before, after, changes, secrets, members)
    SELECT r.tenant_id, ${parameter(new Date())}::timestamptz, ${parameter(actor)}::text, ${parameter(requestId)}::text, ${literal(operation)},
      ${literal(resourceType)}, r.id, ${before}, ${after}, ${changes}, ${parameter(secrets ?? [])}::text[],
      ${parameter(members ? JSON.stringify(summary(members)) : null)}::json
    FROM r)`;
}

function summary({ added, removed }: MemberChanges): object {
  return {
    added: added.slice(0, mostIds),
    removed: removed.slice(0, mostIds),
    addedCount: added.length,
    removedCount: removed.length,
  };
}
