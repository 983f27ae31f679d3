import type { SqlContext } from './filter-sql/columns.js';

/**
 * An SQL expression for the JSON text of the row `r`'s document without its last brace, for more members to follow. It is
 * taken off as a byte: to take a character off, PostgreSQL would count all of them, which is most of the work of a page.
 */
export const openDocument = `convert_from(substr(convert_to(r.document::text, 'UTF8'), 1, octet_length(r.document::text) - 1), 'UTF8')`;

/** An SQL expression for what a JSON string holds that is a URL and, behind it, what an expression says, such as an id. */
export function urlJson({ parameter, baseUrl }: SqlContext, endpoint: string, id: string): string {
  return `${parameter(JSON.stringify(`${baseUrl}${endpoint}/`).slice(1, -1))}::text || ${id}`;
}

/** An SQL expression for `,"meta":{…}` of the row `r` (RFC 7643 section 3.1). */
export function metaJson(context: SqlContext, resourceType: string, endpoint: string): string {
  const time = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  return `',"meta":{"resourceType":"${resourceType}","created":"' || ${time('r.created_at')}
    || '","lastModified":"' || ${time('r.last_modified_at')}
    || '","location":"' || ${urlJson(context, endpoint, 'r.id')}
    || '","version":"W/\\"' || r.version || '\\""}'`;
}
