import type pg from 'pg';
import { user, userName } from './seed.js';

/** Stands for a user's number in the user that others are made of. */
const placeholder = 'qqnqq';

/** The user that others are made of: created through the API, so that copies are what the server would have written. */
export const templateUser = (): object => ({ ...user(placeholder), userName: userName(placeholder) });

/**
 * Makes users numbered `from` up to `to` out of the template, in the database: a million requests would take an hour.
 * @param client connected to the server's database, in which the template is
 */
export async function multiply(client: pg.Client, from: number, to: number): Promise<void> {
  const { rows: columns } = await client.query<{ name: string; type: string }>(
    `SELECT column_name AS name, data_type AS type FROM information_schema.columns
     WHERE table_name = 'users' AND is_generated = 'NEVER' ORDER BY ordinal_position`,
  );
  const { rows: indexes } = await client.query<{ name: string; definition: string }>(
    `SELECT indexname AS name, indexdef AS definition FROM pg_indexes WHERE indexname = 'users_folded'`,
  );
  for (const { name } of indexes) await client.query(`DROP INDEX ${name}`);
  const copy = ({ name, type }: { name: string; type: string }): string => {
    if (name === 'id') return 'n.id';
    if (!['text', 'json', 'jsonb'].includes(type)) return `t.${name}`;
    return `replace(replace(t.${name}::text, '${placeholder}', n.n::text), t.id::text, n.id::text)::${type}`;
  };
  await client.query(
    `INSERT INTO users (${columns.map(({ name }) => name).join(', ')})
     SELECT ${columns.map(copy).join(', ')} FROM users t, (
       SELECT n, (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint + n / 100), 12, '0') || '7' ||
         lpad(to_hex(n % 100), 3, '0') || '8' || substr(md5(n::text), 1, 15))::uuid AS id
       FROM generate_series($1::integer, $2::integer - 1) n OFFSET 0) n
     WHERE t.user_name = $3`,
    [from, to, userName(placeholder)],
  );
  for (const { definition } of indexes) await client.query(definition);
}
