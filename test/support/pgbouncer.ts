import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { findProgram, startProgram, unprivileged } from './programs.js';

export const pgbouncer = findProgram('pgbouncer');

/** The first version that passes named prepared statements on in transaction mode. */
const firstWithPrepared = [1, 21] as const;

/** The version that is installed, such as 1.24.1; undefined without pgbouncer. */
export const pgbouncerVersion =
  pgbouncer.path === undefined
    ? undefined
    : /PgBouncer (\S+)/.exec(execFileSync(pgbouncer.path, ['--version'], { encoding: 'utf8' }))?.[1];

/** Whether the pgbouncer that is installed passes named prepared statements on. */
export function passesPrepared(): boolean {
  const [major = 0, minor = 0] = (pgbouncerVersion ?? '').split('.').map(Number);
  return major > firstWithPrepared[0] || (major === firstWithPrepared[0] && minor >= firstWithPrepared[1]);
}

/** A pgbouncer in transaction mode. */
export interface Pooler {
  /** A database's URL by way of the pooler. */
  readonly by: (url: string) => string;
  /** As if its machine had stopped. */
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
  /** Ends it for good. */
  readonly remove: () => Promise<void>;
}

/**
 * Starts pgbouncer before a server.
 * @param url of any database of the server
 * @param preparedStatements how many named statements it keeps for each connection; 0 for none
 */
export async function startPgbouncer(url: string, preparedStatements: number): Promise<Pooler> {
  const { hostname, port, username, password } = new URL(url);
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-pgbouncer-'));
  const [configuration, users] = [join(folder, 'pgbouncer.ini'), join(folder, 'users.txt')];
  const listenPort = await freePort();
  const values: Readonly<Record<string, string | number>> = {
    ...{ host: hostname, port: port || 5432, listenPort, users, poolSize: 4 },
  };
  const template = await readFile(join('test', 'support', 'pgbouncer.ini'), 'utf8');
  const text = template.replace(/^[^;].*$/gm, (line) =>
    line.replace(/\$\{(\w+)\}/g, (_, name: string) => String(values[name])),
  );
  const more = passesPrepared() ? `max_prepared_statements = ${preparedStatements}\n` : '';
  await writeFile(configuration, text + more);
  await writeFile(users, `"${decodeURIComponent(username)}" "${decodeURIComponent(password)}"\n`);
  const as = unprivileged();
  if (as.uid !== undefined && as.gid !== undefined) {
    for (const path of [folder, configuration, users]) chownSync(path, as.uid, as.gid);
  }
  const start = () => startProgram(pgbouncer, ['--quiet', configuration], listenPort, as);
  let running = await start();
  return {
    by: (database) => {
      const pooled = new URL(database);
      pooled.host = `127.0.0.1:${listenPort}`;
      return pooled.toString();
    },
    kill: () => running.stop('SIGKILL'),
    start: async () => {
      running = await start();
    },
    remove: async () => {
      await running.stop('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
