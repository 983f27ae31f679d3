import type { LongPage } from '../http/representation.js';
import type { RequestContext } from '../http/request-context.js';
import { portionBytes, type PageKeys, type Portion, type Position } from '../persistence/page.js';
import { largeText, projectInTurns, viewOf, type SearchedPart } from './projected.js';

/** The most bytes of a page, as its resources are stored. It ends before a portion that could pass them. */
const pageBytes = 32_000_000;

/** A page whose first portion is not all of it, or has a resource that is too large for one text. */
export interface LongPageReading {
  readonly ctx: RequestContext;
  readonly parts: readonly SearchedPart[];
  readonly portion: Portion;
  /** Whether resources come behind the page as it was wanted. */
  readonly hasMore: boolean;
  /** Reads the portion behind another. */
  readonly readRest: (rest: PageKeys) => Promise<Portion>;
  /** Makes the cursor of the page behind a place; absent from pages by index. */
  readonly seal: ((place: Position) => Promise<string>) | undefined;
}

/** The resources of a page, portion by portion as they are taken. It ends where they were enough, be it before `count`. */
export async function* longPage({ ctx, parts, portion, hasMore, readRest, seal }: LongPageReading): LongPage {
  let bytes = 0;
  for (let current = portion; ;) {
    for (const text of await projectAll(parts, current.texts)) yield text;
    for (const text of current.texts) bytes += Buffer.byteLength(text);
    const large = current.large && (await largeOf(ctx, parts, current.large, (read) => (bytes += read)));
    if (large) yield large;
    const isFull = bytes + portionBytes > pageBytes;
    if (!current.rest || isFull) return current.rest || hasMore ? seal?.(current.place) : undefined;
    current = await readRest(current.rest);
  }
}

function projectAll(parts: readonly SearchedPart[], texts: readonly string[]): Promise<readonly string[]> {
  const isIdentity = parts.every(({ projection }) => projection.isIdentity);
  return isIdentity ? Promise.resolve(texts) : projectInTurns(parts, texts);
}

/**
 * A resource that is too large for one text; undefined when it was deleted since.
 * @param count is given how long what was read of it is
 */
async function largeOf(
  ctx: RequestContext,
  parts: readonly SearchedPart[],
  { source, id }: { readonly source: number; readonly id: string },
  count: (length: number) => void,
): Promise<AsyncIterable<string> | undefined> {
  const part = parts[source];
  if (!part) return undefined;
  const large = await part.repository.readLarge(ctx, id, viewOf(ctx, part), 'goOn');
  return large && largeText({ ...large, values: counted(large.values, count) }, part.projection).parts;
}

async function* counted(values: AsyncIterable<string>, count: (length: number) => void): AsyncGenerator<string> {
  for await (const some of values) {
    count(some.length);
    yield some;
  }
}
