/** Bounds on what one request may cost. Those a client can meet are published or named in the error's detail. */
export const limits = {
  /** Largest page, published as filter.maxResults (RFC 7643 section 5). */
  maxResults: 200,
  /** Page size when the client gives no count. */
  defaultCount: 100,
  /** How long a cursor can be used, in seconds (RFC 9865 section 4). */
  cursorSeconds: 86_400,
  /** Characters of a filter. */
  filterLength: 8192,
  /** Nested groups, nots and value paths of a filter. */
  filterDepth: 50,
  /** Attribute expressions of a filter. */
  filterTerms: 200,
  /** Characters of what co, sw and ew look for: finding it takes time by its length and that of each value. */
  partialLength: 256,
  /** Characters of a PATCH path. */
  pathLength: 8192,
  /** Nested objects and arrays of a JSON body. */
  jsonDepth: 32,
  /** Bytes of a resource's JSON text, without its members. */
  documentBytes: 786_432,
  /** Keys of all objects of a body together. */
  bodyKeys: 20_000,
  /** Such keys of a Group body besides its members, for the members that a PATCH names are no less. */
  groupBodyKeys: 50_000,
  /** Such keys of a bulk request. */
  bulkKeys: 100_000,
  /** Keys of one object. */
  objectKeys: 1_000,
  /** Values of a body, in objects and arrays together. */
  bodyValues: 200_000,
  /** Keys of the complete list of members that a Group body may carry. */
  memberKeys: 500_000,
  /** Values of such a list, the elements themselves counted. */
  memberValues: 700_000,
  /** Elements of one array outside a group's members. */
  arrayElements: 10_000,
  /** Operations of one PATCH request. */
  patchOperations: 1_000,
  /** Values of multi-valued attributes that the operations of one PATCH request go through, counted by operation. */
  patchValues: 100_000,
  /** Characters of such values that the operations of one PATCH request look at or make. */
  patchCharacters: 2_000_000,
  /** Members named by one PATCH operation. */
  patchMembers: 10_000,
  /** Changes of links that the operations of one PATCH request come to, each a statement of its own. */
  patchLinkChanges: 50,
  /** Members named by one POST or PUT of a Group. */
  resourceMembers: 100_000,
  /** Characters of one string value. */
  stringLength: 65_536,
  /** Characters of a string value that an index has. */
  indexedLength: 1_024,
  /** Bytes of such a value in UTF-8, as it is compared: an entry of an index has to fit into a third of a page. */
  indexedBytes: 2_560,
  /** Characters of other strings that an order goes by: a cursor holds them, and has to fit into a URL. */
  sortedLength: 256,
  /** Characters of a password, before it is hashed. */
  passwordLength: 1_024,
  /** Names in attributes or excludedAttributes. */
  projectionNames: 500,
  /** Operations of one bulk request, published as bulk.maxOperations (RFC 7643 section 5). */
  bulkOperations: 1_000,
  /** Bytes of a bulk request, published as bulk.maxPayloadSize. */
  bulkBytes: 4_194_304,
  /** Bytes of a request body. */
  bodyBytes: 1_048_576,
  /** Bytes of a Group body, which may carry a complete member list. */
  groupBodyBytes: 16_777_216,
} as const;
