const server = process.env['POOLED_SERVER'];

/** Whether there is a pooler in between that gives each transaction another session: that of scripts/pooler.mjs. */
export const isPooled = server !== undefined;

/** The URL of the same database with no pooler in between, for what a test itself needs one session for. */
export function direct(url: string): string {
  if (server === undefined) return url;
  const target = new URL(server);
  target.pathname = new URL(url).pathname;
  return target.toString();
}
