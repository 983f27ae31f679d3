import { readFile, rename, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { addressPath, isHolderDead } from './data-directory.js';

/** Where the server that holds a data directory can be reached from this machine. */
export interface ServerAddress {
  /** Such as http://127.0.0.1:3000 */
  readonly origin: string;
  /** Whether it serves the admin API. */
  readonly administered: boolean;
}

/** The addresses that stand for all of a machine's, with one of them that can be connected to. */
const anyAddress: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

function originOf({ address, port }: AddressInfo): string {
  const host = anyAddress[address] ?? address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * Writes down where this process can be reached, for commands that are run beside it. It is no secret, and is removed by
 * whoever releases or takes the directory.
 * @param directory the data directory, which this process holds
 * @param bound what the server with the admin API listens on
 */
export async function publishAddress(directory: string, bound: AddressInfo, administered: boolean): Promise<void> {
  const path = addressPath(directory);
  const entry = { origin: originOf(bound), administered, pid: process.pid, host: hostname() };
  // A reader sees all of it or nothing.
  await writeFile(`${path}.new`, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Finds the server that holds a data directory. @returns undefined where none on this machine does */
export async function findServer(directory: string): Promise<ServerAddress | undefined> {
  const path = addressPath(directory);
  const entry = await readFile(path, 'utf8').then(readEntry, () => undefined);
  // What another machine wrote says nothing about this one's addresses.
  if (entry?.host !== hostname() || (await isHolderDead(path))) return undefined;
  return { origin: entry.origin, administered: entry.administered };
}

function readEntry(text: string): (ServerAddress & { readonly host: string }) | undefined {
  const { origin, administered, host } = JSON.parse(text) as Readonly<Record<string, unknown>>;
  if (typeof origin !== 'string' || typeof administered !== 'boolean' || typeof host !== 'string') return undefined;
  return { origin, administered, host };
}
