import { describe, it } from '@jest/globals';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { serverUrl } from './database.js';
import { until } from './until.js';

/** A program of this machine, and where it is; undefined on a machine without. */
export interface Program {
  readonly name: string;
  readonly path: string | undefined;
}

/** A program that runs. */
export interface RunningProgram {
  /** Sends a signal and waits for its end. */
  readonly stop: (signal: NodeJS.Signals) => Promise<void>;
}

/** Looks for a program on the PATH, and where packages put those that are no command of every user. */
export function findProgram(name: string): Program {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return { name, path: places.map((place) => join(place, name)).find((path) => existsSync(path)) };
}

/**
 * Describes what some programs are needed for. Without one it is skipped on somebody's own machine, where Node.js alone has
 * to do, and fails in CI.
 */
export function describeWithPrograms(programs: readonly Program[], what: string, tests: () => void): void {
  const missing = programs.filter(({ path }) => path === undefined).map(({ name }) => name);
  if (missing.length === 0) describe(what, tests);
  else if (process.env['CI']) {
    it(`${what}: needs ${missing.join(' and ')}`, () => {
      throw new Error(`Not installed on this machine: ${missing.join(', ')}`);
    });
  } else describe.skip(`${what} (skipped: ${missing.join(' and ')} not installed)`, tests);
}

/**
 * Describes what only PostgreSQL and some programs can show. Without DATABASE_URL it is skipped: the embedded database has
 * no such case.
 */
export function describeWith(programs: readonly Program[], what: string, tests: () => void): void {
  if (serverUrl === undefined) describe.skip(`${what} (skipped: needs PostgreSQL, by DATABASE_URL)`, tests);
  else describeWithPrograms(programs, what, tests);
}

/** Describes what only the embedded database has. */
export function describeEmbedded(what: string, tests: () => void): void {
  if (serverUrl === undefined) describe(what, tests);
  else describe.skip(`${what} (skipped: DATABASE_URL is set, and this is about the embedded database)`, tests);
}

/** Programs of databases do not run as root: where tests do, they run as the user that PostgreSQL's packages make. */
export function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (option: string): number => Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/**
 * Starts a program and waits until it listens.
 * @throws Error with what it said when it ends instead
 */
export async function startProgram(
  { path = '' }: Program,
  args: readonly string[],
  port: number,
  as: { uid?: number; gid?: number } = {},
): Promise<RunningProgram> {
  const child = spawn(path, args, { ...as, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      hasEnded = true;
      resolve();
    });
  });
  await until(async () => {
    if (hasEnded) throw new Error(`${path} ended: ${said}`);
    return listens(port);
  });
  return {
    stop: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
