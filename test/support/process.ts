import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { copyFile, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ScimClient } from './client.js';
import { preparedStatements } from './prepared-statements.js';
import { madeOnce } from './made-once.js';

/** How a process ended: with a code, or by a signal. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A Rollcall in a process of its own, as `npm start` makes it. */
export interface RollcallProcess {
  /** Such as http://127.0.0.1:41234 */
  readonly origin: string;
  /** A client with the token that the process printed, or with the SCIM_TOKEN it was given. */
  readonly scim: ScimClient;
  /** What it wrote so far, on standard output and standard error. */
  readonly output: () => { readonly stdout: string; readonly stderr: string };
  /** Waits until standard output matches. */
  readonly printed: (pattern: RegExp) => Promise<void>;
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly exited: Promise<Exit>;
}

/** What is needed to end a process. */
type Ending = Pick<RollcallProcess, 'signal' | 'exited'>;

/** What a process that ended left behind. */
export type Finished = Exit & { readonly stdout: string; readonly stderr: string };

type Environment = Readonly<Record<string, string>>;

/** Where the program is built: apart from `dist`, which somebody may be using or building. */
let program = '';

/** Builds the program that the processes run, once for a run of the tests. */
export async function build(): Promise<void> {
  program = await madeOnce('program', async (directory) => {
    await copyFile('package.json', join(directory, 'package.json'));
    await symlink(resolve('node_modules'), join(directory, 'node_modules'));
    const options = ['--project', 'tsconfig.build.json', '--outDir', join(directory, 'dist'), '--incremental', 'false'];
    await promisify(execFile)(process.execPath, ['node_modules/typescript/bin/tsc', ...options]);
  });
}

const running = new Map<ChildProcess, Promise<Exit>>();

/** Ends the processes that a test left running. */
export async function endProcesses(): Promise<void> {
  for (const child of running.keys()) child.kill('SIGKILL');
  await Promise.all(running.values());
}

function launch(environment: Environment, script = 'main.js', args: readonly string[] = []) {
  // Nothing of the tests' own environment but what a program needs, so that DATABASE_URL does not slip in.
  const usual = { PATH: process.env['PATH'], PORT: '0', LOG_LEVEL: 'warn', RATE_LIMIT: 'off' };
  const env = { ...usual, ...preparedStatements, ...environment };
  const child = spawn(process.execPath, [join(program, 'dist/src', script), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  const exited = new Promise<Exit>((ended) => child.once('close', (code, signal) => ended({ code, signal })));
  running.set(child, exited);
  void exited.then(() => running.delete(child));
  return { child, written, exited };
}

/** Runs a Rollcall that is expected to end by itself. */
export async function runToEnd(environment: Environment): Promise<Finished> {
  const { written, exited } = launch(environment);
  return { ...(await exited), ...written };
}

/** Runs a command of the command line. */
export async function runCommand(args: readonly string[], environment: Environment): Promise<Finished> {
  const { written, exited } = launch(environment, 'cli/main.js', args);
  return { ...(await exited), ...written };
}

/** Starts a command of the command line, and does not wait for its end. */
export function startCommand(args: readonly string[], environment: Environment): Ending {
  const { child, exited } = launch(environment, 'cli/main.js', args);
  return { signal: (signal) => void child.kill(signal), exited };
}

/**
 * Starts a Rollcall on a free port and waits until it listens.
 * @param command the script and its arguments, where they are not those of `npm start`
 */
export async function startProcess(
  environment: Environment,
  ...command: [script?: string, args?: readonly string[]]
): Promise<RollcallProcess> {
  const { child, written, exited } = launch(environment, ...command);
  const printed = (pattern: RegExp): Promise<void> =>
    new Promise((matched, reject) => {
      const look = (): void => {
        if (pattern.test(written.stdout)) matched();
      };
      child.stdout.on('data', look);
      void exited.then(({ code }) => reject(new Error(`It ended with ${code}: ${written.stderr}${written.stdout}`)));
      look();
    });
  await printed(environment['DOCS'] === 'off' ? /SCIM base URL .*\n/ : /Swagger UI .*\n/);
  const [, address] = /Rollcall listens on (\S+)/.exec(written.stdout) ?? [];
  const [, token] = /Bearer token {3}(\S+)/.exec(written.stdout) ?? [];
  const origin = `http://${address}`;
  return {
    origin,
    scim: new ScimClient(`${origin}/scim/v2`, token ?? environment['SCIM_TOKEN'] ?? ''),
    output: () => ({ ...written }),
    printed,
    signal: (signal) => void child.kill(signal),
    exited,
  };
}

/** Sends SIGTERM and waits. */
export function stopProcess(started: RollcallProcess): Promise<Exit> {
  started.signal('SIGTERM');
  return started.exited;
}

/** Sends SIGKILL, which no process can prepare for, and waits. */
export function killProcess(started: Ending): Promise<Exit> {
  started.signal('SIGKILL');
  return started.exited;
}
