import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const ticksPerSecond = 100;
/** How long a server may take to answer, in milliseconds. */
const patience = 60_000;

/** A server in a process of its own. */
export interface ServerProcess {
  readonly origin: string;
  /** Seconds of CPU it has used. */
  readonly cpu: () => number;
  /** The most memory it ever had, in MiB. */
  readonly peakMemory: () => number;
  /** How long it took to answer, in milliseconds. */
  readonly startedIn: number;
  readonly stop: () => Promise<void>;
}

/** Starts a script and waits until `probe` answers with 200. */
export async function startServer(
  script: string,
  port: number,
  probe: string,
  environment: Readonly<Record<string, string>>,
): Promise<ServerProcess> {
  const begun = performance.now();
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, ...environment, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  // Not left behind when the bench fails.
  process.once('exit', () => child.kill());
  const origin = `http://127.0.0.1:${port}`;
  while (!(await answers(origin + probe))) {
    if (child.exitCode !== null) throw new Error(`${script} ended with ${child.exitCode}`);
    if (performance.now() - begun > patience) throw new Error(`${script} does not answer ${probe}`);
    await delay(20);
  }
  return {
    origin,
    cpu: () => cpuSeconds(child),
    peakMemory: () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024,
    startedIn: performance.now() - begun,
    stop: () => stop(child),
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status < 500;
  } catch {
    return false;
  }
}

function cpuSeconds({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
