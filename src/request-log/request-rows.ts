import { rowBytes } from '../persistence/stored-bytes.js';

/** Column types of `request_log`, in the order that rows are written. */
const columns = {
  tenant_id: 'uuid',
  at: 'timestamptz',
  request_id: 'text',
  method: 'text',
  path: 'text',
  status: 'integer',
  scim_type: 'text',
  detail: 'text',
  duration_ms: 'integer',
  actor: 'text',
  request_body: 'json',
  response_body: 'json',
} as const;

const names = Object.keys(columns);
const typed = Object.entries(columns).map((column) => column.join(' '));

/** Writes rows, a JSON array of objects. Tenants that are gone are passed over; those that are there stay meanwhile. */
export const insertSql = `
  WITH given AS (SELECT * FROM json_to_recordset($1::json) AS r (${typed.join(', ')})),
  there AS (SELECT id FROM tenants WHERE id IN (SELECT tenant_id FROM given) FOR KEY SHARE)
  INSERT INTO request_log (${names.join(', ')})
  SELECT ${names.map((name) => `g.${name}`).join(', ')} FROM given g JOIN there t ON t.id = g.tenant_id`;

/** Removes a tenant's rows behind the newest ones. Parameters: the tenant's id, how many stay. */
export const trimSql = `
  DELETE FROM request_log WHERE tenant_id = $1 AND (at, id) <= (
    SELECT at, id FROM request_log WHERE tenant_id = $1 ORDER BY at DESC, id DESC OFFSET $2 LIMIT 1)`;

/** Removes a tenant's rows behind the newest ones that have so many bytes. Parameters: the tenant's id, how many stay. */
export const trimBytesSql = `
  DELETE FROM request_log WHERE tenant_id = $1 AND (at, id) <= (
    SELECT at, id FROM (
      SELECT at, id, sum(pg_column_size(path) + coalesce(pg_column_size(request_body), 0)
        + coalesce(pg_column_size(response_body), 0) + ${rowBytes.request}) OVER (ORDER BY at DESC, id DESC) AS bytes
      FROM request_log WHERE tenant_id = $1
    ) newest WHERE bytes > $2 ORDER BY at DESC, id DESC LIMIT 1)`;

/** Removes rows that are too old. Parameters: the first instant that is not, how many rows at most. */
export const removeSql = `
  WITH removed AS (
    DELETE FROM request_log WHERE ctid = ANY (ARRAY(
      SELECT r.ctid FROM tenants t CROSS JOIN LATERAL (
        SELECT ctid FROM request_log WHERE tenant_id = t.id AND at < $1::timestamptz ORDER BY at, id LIMIT $2
      ) r LIMIT $2))
    RETURNING 1
  )
  SELECT count(*)::integer AS n FROM removed`;

/** What is read of a row besides when it was and which. */
export const readColumns = [
  'request_id AS "requestId"',
  'method',
  'path',
  'status',
  'scim_type AS "scimType"',
  'detail',
  'duration_ms AS "durationMs"',
  'actor',
  'request_body AS "requestBody"',
  'response_body AS "responseBody"',
];
