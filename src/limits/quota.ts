/** What a tenant may keep, as the code that writes asks for it. */
export interface Quota {
  /** The most resources of a type; undefined where there is no limit. */
  readonly most: (resourceType: string) => number | undefined;
  /** Counts a resource that was refused because there are as many as there may be. */
  readonly refused: (resourceType: string) => void;
  /**
   * Refuses to keep more bytes than the tenant may have. What takes no more is never refused.
   * @param growth how many more it would be, about; asked only where there is a limit
   * @throws ScimError forbidden, with the limit and how much there is
   */
  readonly refuseGrowth: (scope: QuotaScope, growth: () => number) => Promise<void>;
  /** Counts bytes that came, or went where they are negative, and charges many at once to the tenant's rate. */
  readonly wrote: (bytes: number) => void;
}

/** Who asks: a tenant, perhaps within a transaction. */
export interface QuotaScope {
  readonly tenant: { readonly id: string };
}
