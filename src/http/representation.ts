/** One resource as a handler answers with it. The adapter makes headers and a body of it. */
export class ResourceRepresentation {
  /**
   * @param json the body: the resource's JSON text, perhaps in parts, with the attributes the client asked for
   * @param version the resource's version, for the ETag header
   * @param location the resource's permanent URL
   * @param isReturned whether the answer carries the body; without it the answer is 204
   */
  constructor(
    readonly json: string | AsyncIterableIterator<string>,
    readonly version: number,
    readonly location: string,
    readonly isReturned = true,
  ) {}
}

/** A long text as a handler answers with it: sent in parts, no faster than they are taken. */
export class TextInParts {
  constructor(readonly parts: AsyncIterableIterator<string>) {}
}

/** Where a page is: by index (RFC 7644 section 3.4.2.4), or by cursor with the next page's, if there is one (RFC 9865). */
export type PagePlace = { readonly startIndex: number } | { readonly nextCursor?: string };

/** One page of resources as a handler answers with it. */
export class ResourcePage {
  /**
   * @param texts the resources' JSON texts
   * @param totalResults how many resources match in all
   * @param place where the page is: the 1-based index of its first resource, or the cursor of the next page
   */
  constructor(
    readonly texts: readonly string[],
    readonly totalResults: number,
    readonly place: PagePlace,
  ) {}
}
