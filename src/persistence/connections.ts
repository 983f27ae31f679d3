/** How many connections to a database server a process has for what. */
export interface Connections {
  /** For writes, groups with their members, the administration and what runs now and then. */
  readonly requests: number;
  /** For searches. */
  readonly searches: number;
}

/** Of the connections that tenants share, so many are for searches. */
const partForSearches = 0.4;

/** For what every request needs first: whose credentials are sent, and whether the database answers. */
export const reservedConnections = 2;

/** Divides the connections that tenants share. @param shared `DATABASE_CONNECTIONS`, 2 or more */
export function connectionsFor(shared: number): Connections {
  const searches = Math.max(1, Math.round(shared * partForSearches));
  // Two at least: one tenant must not have all of them.
  return { requests: Math.max(2, shared - searches), searches };
}
