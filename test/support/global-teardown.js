import { rm } from 'node:fs/promises';
import pg from 'pg';

/** Removes what the run made. */
export default async function globalTeardown() {
  await rm(process.env.ROLLCALL_TEST_DIR, { recursive: true, force: true });
  if (!process.env.DATABASE_URL) return;
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  const { rows } = await client.query('SELECT datname FROM pg_database WHERE starts_with(datname, $1)', [
    process.env.ROLLCALL_TEST_PREFIX,
  ]);
  for (const { datname } of rows) await client.query(`DROP DATABASE IF EXISTS "${datname}" WITH (FORCE)`);
  await client.end();
}
