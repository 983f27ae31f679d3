import { randomUUID } from 'node:crypto';
import { databaseUrl, onServer, serverUrl } from './database.js';

const drops: (() => Promise<unknown>)[] = [];

/** Makes a database without any table on the server that the suite runs on. */
export async function newPostgres(): Promise<string> {
  const url = serverUrl;
  if (url === undefined) throw new Error('Only with DATABASE_URL');
  const name = `${process.env['ROLLCALL_TEST_PREFIX']}_${randomUUID().slice(0, 8)}`;
  await onServer(url, (client) => client.query(`CREATE DATABASE "${name}"`));
  drops.push(() => onServer(url, (client) => client.query(`DROP DATABASE "${name}" WITH (FORCE)`)));
  return databaseUrl(url, name);
}

/** Drops the databases that were made. */
export async function dropPostgres(): Promise<void> {
  for (const drop of drops.splice(0)) await drop();
}
