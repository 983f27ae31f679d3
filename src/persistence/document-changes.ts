import { isJsonObject, sameJson, type JsonObject, type JsonValue } from '../scim/index.js';

/**
 * What became of one place of a document. Without `before` the value was added, without `after` it was removed. In an
 * array, elements behind one that is added or removed move, as in JSON Patch (RFC 6902 section 4).
 */
export interface DocumentChange {
  /** A JSON Pointer (RFC 6901), such as `/emails/0/value`. */
  readonly path: string;
  readonly before?: JsonValue;
  readonly after?: JsonValue;
}

/**
 * Characters of a document, about, from which an update is kept as changes. Up to here two images are cheaper: they
 * take no work in this process, and PostgreSQL compresses them.
 */
export const largeDocument = 16_384;

/** Whether a value has more characters than `largeDocument`, about. It looks at no more than that. */
export function isLarge(value: JsonValue): boolean {
  return roomAfter(value, largeDocument) < 0;
}

function roomAfter(value: JsonValue | undefined, room: number): number {
  if (typeof value === 'string') return room - value.length - 2;
  if (typeof value !== 'object' || value === null) return room - 5;
  let left = room - 2;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length && left >= 0; index++) left = roomAfter(value[index], left);
    return left;
  }
  for (const key in value) {
    left = roomAfter(value[key], left - key.length - 3);
    if (left < 0) break;
  }
  return left;
}

/**
 * What turns one document into another, to be applied in order, or taken back from the last to the first. Where elements
 * of an array come or go, those that stay are not part of it. Takes time in proportion to both documents.
 */
export function documentChanges(before: JsonObject, after: JsonObject): DocumentChange[] {
  const changes: DocumentChange[] = [];
  compareObjects(before, after, '', changes);
  return changes;
}

function compare(before: JsonValue, after: JsonValue, path: string, changes: DocumentChange[]): void {
  if (before === after) return;
  if (Array.isArray(before) && Array.isArray(after)) compareArrays(before, after, path, changes);
  else if (isJsonObject(before) && isJsonObject(after)) compareObjects(before, after, path, changes);
  else if (!sameJson(before, after)) changes.push({ path, before, after });
}

function compareObjects(before: JsonObject, after: JsonObject, path: string, changes: DocumentChange[]): void {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[name], after[name]];
    if (was !== undefined && is !== undefined) compare(was, is, below(path, name), changes);
    else if (was !== undefined) changes.push({ path: below(path, name), before: was });
    else if (is !== undefined) changes.push({ path: below(path, name), after: is });
  }
}

/** Elements that are in both arrays stay; of the others, one in the place of another is a change of it. */
function compareArrays(
  before: readonly JsonValue[],
  after: readonly JsonValue[],
  path: string,
  changes: DocumentChange[],
): void {
  const [was, is] = [before.map(textOf), after.map(textOf)];
  const [stays, stayed] = [counted(was), counted(is)];
  let [from, to] = [0, 0];
  // `to` is also how many elements the array has up to here, once the changes so far are applied.
  while (from < before.length || to < after.length) {
    const [old, now] = [was[from], is[to]];
    if (old !== undefined && old === now) {
      take(stays, old);
      take(stayed, old);
      from++;
      to++;
      continue;
    }
    const isGone = old !== undefined && !stayed.has(old);
    const isNew = now !== undefined && !stays.has(now);
    const at = below(path, to);
    if (isGone && isNew) compare(before[from++] as JsonValue, after[to++] as JsonValue, at, changes);
    else if (old === undefined || isNew) changes.push({ path: at, after: after[to++] as JsonValue });
    else {
      // One that is found further on has moved: it is removed here and added there.
      take(stays, old);
      changes.push({ path: at, before: before[from++] as JsonValue });
    }
  }
}

const below = (path: string, name: string | number): string =>
  `${path}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;

const textOf = (value: JsonValue): string => JSON.stringify(value);

function counted(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

function take(counts: Map<string, number>, text: string): void {
  const left = (counts.get(text) ?? 0) - 1;
  if (left > 0) counts.set(text, left);
  else counts.delete(text);
}
