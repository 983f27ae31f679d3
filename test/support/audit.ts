import type { JsonObject } from '../../src/scim/index.js';
import type { DocumentChange } from '../../src/persistence/document-changes.js';
import type { AdminClient, AdminList } from './admin.js';

/** An event of the audit trail as operators see it. */
export interface AuditEvent {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly requestId: string;
  readonly operation: string;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly before: JsonObject | null;
  readonly after: JsonObject | null;
  /** In place of before and after, where the resource is large. */
  readonly changes?: readonly DocumentChange[];
  readonly changed: readonly string[];
  readonly secrets: readonly string[];
  readonly members: JsonObject | null;
}

/** A request of the request log as operators see it. */
export interface LoggedRequest {
  readonly id: string;
  readonly at: string;
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly status: number | null;
  readonly scimType: string | null;
  readonly detail: string | null;
  readonly durationMs: number;
  readonly actor: string;
  readonly requestBody: JsonObject | null;
  readonly responseBody: JsonObject | null;
}

/** Reads a list of the administration to its end, page by page. */
export async function allPages<T>(admin: AdminClient, path: string): Promise<T[]> {
  const items: T[] = [];
  let cursor = '';
  for (;;) {
    const separator = path.includes('?') ? '&' : '?';
    const { status, body, text } = await admin.get<AdminList<T>>(path + (cursor && `${separator}cursor=${cursor}`));
    if (status !== 200) throw new Error(text);
    items.push(...body.items);
    if (body.nextCursor === undefined) return items;
    cursor = body.nextCursor;
  }
}

/** Asks again until an answer is right: what is written in the background comes in a moment. */
export async function eventually<T>(ask: () => Promise<T>, isRight: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isRight(answer)) return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A tenant's request log, once it has as many: a request is logged when its connection is done with it. */
export const loggedRequests = (
  admin: AdminClient,
  tenant: string,
  count: number,
  query = '',
): Promise<LoggedRequest[]> =>
  eventually(
    () => allPages<LoggedRequest>(admin, `/tenants/${tenant}/requests${query}`),
    ({ length }) => length >= count,
  );

/** The document after some changes, as JSON Patch would apply them (RFC 6902 section 4). */
export function withChanges(document: JsonObject, changes: readonly DocumentChange[]): JsonObject {
  const result = structuredClone(document);
  for (const { path, before, after } of changes) {
    const names = path.split('/').slice(1);
    const keys = names.map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop() ?? '';
    const parent = keys.reduce<unknown>((value, key) => (value as JsonObject)[key], result);
    if (Array.isArray(parent)) {
      const replaced = before === undefined ? 0 : 1;
      parent.splice(Number(last), replaced, ...(after === undefined ? [] : [structuredClone(after)]));
    } else if (after === undefined) delete (parent as JsonObject)[last];
    else (parent as JsonObject)[last] = structuredClone(after);
  }
  return result;
}
