/** One resource as a handler answers with it. The interceptors make headers and a body of it. */
export class ResourceRepresentation {
  /**
   * @param json the body: the resource's JSON text, with the attributes the client asked for
   * @param version the resource's version, for the ETag header
   * @param location the resource's permanent URL
   * @param isReturned whether the answer carries the body; without it the answer is 204
   */
  constructor(
    readonly json: string,
    readonly version: number,
    readonly location: string,
    readonly isReturned = true,
  ) {}
}

/** One page of resources as a handler answers with it. */
export class ResourcePage {
  /**
   * @param json the resources' JSON texts, joined by commas
   * @param size how many they are
   * @param totalResults how many resources match in all
   * @param startIndex the 1-based index of the first
   */
  constructor(
    readonly json: string,
    readonly size: number,
    readonly totalResults: number,
    readonly startIndex: number,
  ) {}
}
