import type { JsonObject } from '../../src/scim/index.js';
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
