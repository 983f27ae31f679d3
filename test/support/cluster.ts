import { execFile } from 'node:child_process';
import { chownSync, existsSync, readdirSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.js';
import { unprivileged } from './programs.js';

const run = promisify(execFile);

/** A PostgreSQL server of a test's own, in a folder of its own. */
export interface Cluster {
  readonly url: string;
  readonly start: () => Promise<void>;
  /** @param mode fast: sessions are ended; immediate: as if the machine had stopped */
  readonly stop: (mode: 'fast' | 'immediate') => Promise<void>;
  /** Ends all its processes with SIGKILL. It does not come back. */
  readonly kill: () => Promise<void>;
  /** Stops all its processes where they are: connections stay open, and nothing is answered any more. */
  readonly freeze: () => Promise<void>;
  /** Makes a running standby of this server, which confirms each commit from then on. */
  readonly addStandby: () => Promise<Cluster>;
  /** Makes a standby a server that can be written to. */
  readonly promote: () => Promise<void>;
}

const folders = new Map<string, () => Promise<unknown>>();

/** Where PostgreSQL's programs are: in POSTGRES_BIN, or where packages put them; undefined on a machine without. */
export function postgresPrograms(): string | undefined {
  const packaged = '/usr/lib/postgresql';
  const versions = existsSync(packaged) ? readdirSync(packaged).sort((a, b) => Number(b) - Number(a)) : [];
  const places = [process.env['POSTGRES_BIN'] ?? '', ...versions.map((version) => join(packaged, version, 'bin'))];
  return places.find((place) => place !== '' && existsSync(join(place, 'initdb')));
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-cluster-'));
  const { uid, gid } = unprivileged();
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  return folder;
}

/**
 * Makes and starts a server.
 * @param more lines of its configuration
 */
export async function startCluster(more: readonly string[] = []): Promise<Cluster> {
  const folder = await newFolder();
  await program('initdb', '--pgdata', folder, '--username=postgres', '--auth=trust', '--no-sync');
  const usual = ['max_connections = 60', 'shared_buffers = 16MB', 'max_wal_senders = 4'];
  const cluster = await clusterIn(folder, [...usual, ...more]);
  await cluster.start();
  return cluster;
}

/** Stops all servers and removes their folders. */
export async function removeClusters(): Promise<void> {
  for (const [folder, stop] of folders) {
    await stop().catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  }
  folders.clear();
}

const program = (name: string, ...args: readonly string[]) =>
  run(join(postgresPrograms() ?? '', name), args, { ...unprivileged(), cwd: tmpdir() });

async function clusterIn(folder: string, settings: readonly string[]): Promise<Cluster> {
  const port = await freePort();
  const lines = [...settings, `port = ${port}`, `listen_addresses = '127.0.0.1'`, `unix_socket_directories = ''`];
  await appendFile(join(folder, 'postgresql.conf'), `\n${lines.join('\n')}\n`);
  const control = (...args: string[]) => program('pg_ctl', '--pgdata', folder, '--wait', ...args);
  const stop = async (mode: string): Promise<void> => void (await control('stop', '--mode', mode));
  folders.set(folder, () => stop('immediate'));
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  return {
    url,
    start: async () => void (await control('start', '--log', join(folder, 'server.log'))),
    stop,
    kill: () => killProcesses(folder),
    freeze: async () => {
      await signalAll(folder, 'SIGSTOP');
      folders.set(folder, () => killProcesses(folder));
    },
    promote: async () => void (await control('promote')),
    addStandby: async () => {
      const other = await newFolder();
      const source = ['--host=127.0.0.1', `--port=${port}`, '--username=postgres'];
      await program(
        'pg_basebackup',
        ...source,
        '--pgdata',
        other,
        '--checkpoint=fast',
        '--write-recovery-conf',
        '--no-sync',
      );
      const standby = await clusterIn(other, []);
      await standby.start();
      await appendFile(join(folder, 'postgresql.conf'), `synchronous_standby_names = '*'\n`);
      await control('reload');
      return standby;
    },
  };
}

/** Sends a signal to all processes of a server. The first of them stops before the others, so that it starts no more. */
async function signalAll(folder: string, signal: NodeJS.Signals): Promise<void> {
  const [first = ''] = (await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n');
  process.kill(Number(first), 'SIGSTOP');
  const { stdout } = await run('pgrep', ['-P', first]);
  for (const pid of [...stdout.trim().split('\n'), first]) {
    try {
      process.kill(Number(pid), signal);
    } catch {
      // It ended by itself a moment ago.
    }
  }
}

async function killProcesses(folder: string): Promise<void> {
  const memory = (await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n')[6];
  await signalAll(folder, 'SIGKILL');
  // What a server that ends by itself removes.
  const [, segment] = /^\s*\d+\s+(\d+)/.exec(memory ?? '') ?? [];
  if (segment !== undefined) await run('ipcrm', ['--shmem-id', segment]);
}
