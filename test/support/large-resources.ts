/** Statements that fill a tenant's directory where many bytes matter, and not how they came. Parameter $1 is the tenant. */

/**
 * Users whose texts have about so many bytes, some of them other ones.
 * @param prefix what their userNames begin with
 * @param kilobytes an SQL expression of the user's number `n`
 */
export const manyUsers = (prefix: string, count: number, kilobytes: string): string =>
  `INSERT INTO users (tenant_id, id, user_name, user_name_key, display, display_key, active, document, folded, version,
     created_at, last_modified_at)
   SELECT $1, i.id, i.name, i.name, i.name, i.name, TRUE, ('{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"'
     || i.id || '","userName":"' || i.name || '","active":true' || coalesce((SELECT ',"addresses":['
       || string_agg('{"formatted":"' || repeat('x', 65000) || '"}', ',') || ']'
     FROM generate_series(1, (${kilobytes}) / 65)), '') || '}')::json, jsonb_build_object('userName', i.name), 1, now(), now()
   FROM (SELECT n, gen_random_uuid() AS id, '${prefix}' || n AS name FROM generate_series(1, ${count}) n) i`;

/** Users of long names, who make large groups of few members. */
export const longNames = (prefix: string, count: number, characters: number): string =>
  `INSERT INTO users (tenant_id, id, user_name, user_name_key, display, display_key, active, document, folded, version,
     created_at, last_modified_at)
   SELECT $1, i.id, i.name, i.name, repeat('n', ${characters}), 'n', TRUE,
     ('{"id":"' || i.id || '","userName":"' || i.name || '"}')::json, '{}', 1, now(), now()
   FROM (SELECT gen_random_uuid() AS id, '${prefix}' || n AS name FROM generate_series(1, ${count}) n) i`;
