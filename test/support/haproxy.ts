import { readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { findProgram, startProgram } from './programs.js';
import { until } from './until.js';

export const haproxy = findProgram('haproxy');

/**
 * What docs/high-availability.md tells operators to write into a section of HAProxy's configuration.
 * @param section such as `backend rollcall`
 * @returns its lines, without where it listens and which servers it has
 */
export function documented(section: string): string[] {
  const page = readFileSync('docs/high-availability.md', 'utf8');
  const [, text] = new RegExp(`^${section}\\n((?: {4}.*\\n)+)`, 'm').exec(page) ?? [];
  if (text === undefined) throw new Error(`The page has no section ${section}`);
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !/^(?:#|bind |server )/.test(line));
}

/** An HAProxy before some servers. */
export interface Balancer {
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;
  /** Waits until its health checks say of a server, by its number, that it is up or down. */
  readonly sees: (server: number, state: 'UP' | 'DOWN') => Promise<void>;
  readonly stop: () => Promise<void>;
}

/**
 * Starts HAProxy before servers of this machine.
 * @param lines of the `defaults` section: how it forwards and how it checks
 * @param ports of the servers
 */
export async function startHaproxy(lines: readonly string[], ports: readonly number[]): Promise<Balancer> {
  const [port, statistics] = [await freePort(), await freePort()];
  const file = join(await mkdtemp(join(process.env['ROLLCALL_TEST_DIR'] ?? '', 'haproxy-')), 'haproxy.cfg');
  const configuration = [
    ...['global', 'maxconn 500'],
    ...['defaults', ...lines],
    ...['listen servers', `bind 127.0.0.1:${port}`],
    ...ports.map((each, index) => `server server-${index} 127.0.0.1:${each} check`),
    ...['frontend statistics', 'mode http', `bind 127.0.0.1:${statistics}`, 'stats enable', 'stats uri /'],
  ];
  await writeFile(file, `${configuration.join('\n')}\n`);
  const { stop } = await startProgram(haproxy, ['-db', '-f', file], port);
  return {
    port,
    sees: (server, state) =>
      until(async () => {
        const text = await (await fetch(`http://127.0.0.1:${statistics}/;csv`)).text();
        const [names = [], ...rows] = text.split('\n').map((line) => line.replace(/^# /, '').split(','));
        const row = rows.find((each) => each[names.indexOf('svname')] === `server-${server}`);
        return row?.[names.indexOf('status')]?.startsWith(state) ?? false;
      }),
    stop: () => stop('SIGTERM'),
  };
}
