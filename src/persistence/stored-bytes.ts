import type { JsonObject, JsonValue } from '../scim/index.js';

/** Bytes of a row beside its JSON, with its part of the indexes, about. */
export const rowBytes = { resource: 600, member: 200, event: 300, request: 300 } as const;

/** A short string is about as many bytes as characters; a longer one may be worth a count. */
const shortString = 64;

/** How many bytes the JSON text of a value has, about. */
export function bytesOf(value: JsonValue | undefined): number {
  if (typeof value === 'string') return 2 + (value.length < shortString ? value.length : Buffer.byteLength(value));
  if (typeof value !== 'object' || value === null) return 5;
  let bytes = 2;
  if (Array.isArray(value)) for (const item of value) bytes += 1 + bytesOf(item);
  else for (const name in value) bytes += 4 + name.length + bytesOf(value[name]);
  return bytes;
}

/** What a new resource takes: its document, the folded one, and its image in the audit trail. */
export function bytesOfNew(document: JsonValue): number {
  return 3 * bytesOf(document) + rowBytes.resource + rowBytes.event;
}

/**
 * What becomes of the bytes when a document takes another's place.
 * @param changes the text that the audit trail keeps of it; absent where it keeps both documents
 */
export function bytesOfUpdate(before: JsonValue, after: JsonValue, changes: string | undefined): number {
  const [was, is] = [bytesOf(before), bytesOf(after)];
  return 2 * (is - was) + rowBytes.event + (changes === undefined ? was + is : Buffer.byteLength(changes));
}

/** What becomes of the bytes when a resource goes with its members, and its image stays in the audit trail. */
export function bytesOfDeletion({ bytes, members }: { readonly bytes: number; readonly members: number }): number {
  return rowBytes.event - rowBytes.resource - bytes - members * rowBytes.member;
}

/** More than `"active":false` takes. */
const deactivation = 32;

/** By how many bytes a document grows. Deactivation is no growth: it has to work where there is no room left. */
export function growthOf(before: JsonObject, after: JsonObject): number {
  const isDeactivation = before['active'] !== false && after['active'] === false;
  return bytesOf(after) - bytesOf(before) - (isDeactivation ? deactivation : 0);
}
