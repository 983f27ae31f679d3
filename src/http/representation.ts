/** A long text as a handler answers with it: sent in parts, no faster than they are taken. */
export class TextInParts {
  /**
   * @param parts what is not sent is not read; whoever stops before the end says so by `return`
   * @param bytes how many bytes are in memory at once while it is sent, at most or nearly
   */
  constructor(
    readonly parts: AsyncIterable<string>,
    readonly bytes: number,
  ) {}
}

/** One resource as a handler answers with it. The adapter makes headers and a body of it. */
export class ResourceRepresentation {
  /**
   * @param json the body: the resource's JSON text with the attributes the client asked for, in parts when it is large
   * @param version the resource's version, for the ETag header
   * @param location the resource's permanent URL
   * @param isReturned whether the answer carries the body; without it the answer is 204
   */
  constructor(
    readonly json: string | TextInParts,
    readonly version: number,
    readonly location: string,
    readonly isReturned = true,
  ) {}
}

/** Where a page is: by index (RFC 7644 section 3.4.2.4), or by cursor with the next page's, if there is one (RFC 9865). */
export type PagePlace = { readonly startIndex: number } | { readonly nextCursor?: string };

/** A resource's JSON text, in parts when it is large. */
export type ResourceText = string | AsyncIterable<string>;

/**
 * The resources of a page that is too large for one text, as they are taken, each to its end before the next.
 * @returns the cursor of the next page, where there is one
 */
export type LongPage = AsyncGenerator<ResourceText, string | undefined>;

/** One page of resources as a handler answers with it. */
export class ResourcePage {
  /**
   * @param texts the resources' JSON texts; none of a long page
   * @param totalResults how many resources match in all
   * @param place where the page is: the 1-based index of its first resource, or the cursor of the next page
   * @param long the resources, where they are too large for one text
   */
  constructor(
    readonly texts: readonly string[],
    readonly totalResults: number,
    readonly place: PagePlace,
    readonly long?: LongPage,
  ) {}
}
