// Measures what a quiet tenant notices while another attacks.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { attacks } from './attacks.js';
import type { ServerProcess } from './process.js';

const pauseMilliseconds = 10;

/** What the quiet tenant met. Times in milliseconds, in ascending order. */
export interface Noticed {
  readonly reads: readonly number[];
  readonly probes: readonly number[];
  /** The answers that were not 200, and how many of each. */
  readonly failures: ReadonlyMap<string, number>;
}

/** Makes tenants and what they need. */
export class Tenants {
  constructor(
    private readonly origin: string,
    private readonly adminToken: string,
  ) {}

  /** Creates a tenant. @returns the secret of a token of it */
  async create(name: string): Promise<string> {
    await this.send('/tenants', { name });
    const { secret } = (await this.send(`/tenants/${name}/tokens`, { name: 'bench' })) as { secret: string };
    return secret;
  }

  private async send(path: string, body: object): Promise<unknown> {
    const headers = { authorization: `Bearer ${this.adminToken}`, 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify(body) };
    for (;;) {
      const answer = await fetch(`${this.origin}/admin/v1${path}`, request);
      if (answer.ok) return answer.json();
      const text = await answer.text();
      // The attack before this one may not be over in the server.
      if (answer.status !== 503) throw new Error(`${path}: ${answer.status} ${text}`);
      await delay(1_000);
    }
  }
}

/** A quiet tenant: it reads one of its users again and again. */
export class Neighbour {
  private constructor(
    private readonly server: ServerProcess,
    private readonly token: string,
    private readonly userId: string,
  ) {}

  static async create(server: ServerProcess, tenants: Tenants): Promise<Neighbour> {
    const token = await tenants.create('quiet');
    const answer = await fetch(`${server.origin}/scim/v2/Users`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' },
      body: JSON.stringify({ userName: 'quiet@example.com', emails: [{ value: 'quiet@example.com', type: 'work' }] }),
    });
    const { id } = (await answer.json()) as { id: string };
    return new Neighbour(server, token, id);
  }

  /** Reads, and asks /livez, over a connection each, until the time is over. */
  async watch(seconds: number): Promise<Noticed> {
    const pool = new Pool(this.server.origin, { connections: 2, headersTimeout: 60_000 });
    const end = performance.now() + seconds * 1000;
    const failures = new Map<string, number>();
    const ask = async (path: string, headers: Record<string, string>): Promise<number[]> => {
      const times: number[] = [];
      while (performance.now() < end) {
        const sent = performance.now();
        const failure = await answerTo(pool, path, headers);
        if (failure !== undefined) failures.set(failure, (failures.get(failure) ?? 0) + 1);
        times.push(performance.now() - sent);
        await delay(pauseMilliseconds);
      }
      return times.sort((a, b) => a - b);
    };
    const reading = ask(`/scim/v2/Users/${this.userId}`, { authorization: `Bearer ${this.token}` });
    const [reads, probes] = await Promise.all([reading, ask('/livez', {})]);
    await pool.close();
    return { reads, probes, failures };
  }
}

/** @returns what was wrong with the answer; undefined for 200 */
async function answerTo(pool: Pool, path: string, headers: Record<string, string>): Promise<string | undefined> {
  try {
    const answer = await pool.request({ method: 'GET', path, headers });
    const text = await answer.body.text();
    return answer.statusCode === 200 ? undefined : `${path.slice(0, 16)} ${answer.statusCode} ${text.slice(0, 120)}`;
  } catch (error) {
    return `${path.slice(0, 16)} ${String((error as Error).cause ?? error)}`;
  }
}

/** An attack in a process of its own. */
export interface RunningAttack {
  readonly begin: () => void;
  readonly stop: () => Promise<void>;
}

/** Starts an attack, prepared: it begins when it is asked to. */
export async function startAttack(name: string, origin: string, token: string): Promise<RunningAttack> {
  const child: ChildProcess = spawn(process.execPath, ['dist/bench/attacker.js', name, origin, token], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const kill = (): void => void child.kill();
  process.once('exit', kill);
  const exited = once(child, 'exit').finally(() => process.off('exit', kill));
  if (!child.stdout) throw new Error('The attack has no output');
  const said = once(createInterface(child.stdout), 'line');
  await Promise.race([said, exited.then(() => Promise.reject(new Error(`${name} could not be prepared`)))]);
  return {
    begin: () => void child.stdin?.write('begin\n'),
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

const at = (times: readonly number[], part: number): number => times[Math.floor(times.length * part)] ?? NaN;
const most = (times: readonly number[]): number => times.at(-1) ?? NaN;
const row = (...cells: (string | number)[]): void => console.log(`| ${cells.join(' | ')} |`);

/**
 * Prints a row for the idle server and one for each attack: what a quiet tenant's GET by id took, how often it failed, and the
 * longest that /livez waited.
 * @param chosen the names of the attacks to run
 */
export async function measureNeighbour(
  server: ServerProcess,
  adminToken: string,
  chosen: RegExp,
  seconds: number,
): Promise<void> {
  const tenants = new Tenants(server.origin, adminToken);
  const neighbour = await Neighbour.create(server, tenants);
  await neighbour.watch(1);
  const idle = await neighbour.watch(seconds);
  console.log(`\nGET by id of a quiet tenant, while another tenant attacks for ${seconds} s:\n`);
  row('neighbour of', 'p50 ms', 'p99 ms', 'p99 to idle', 'failures', '/livez at most ms');
  row('---', '---', '---', '---', '---', '---');
  const print = (name: string, { reads, probes, failures }: Noticed): void => {
    const [p50, p99] = [at(reads, 0.5), at(reads, 0.99)];
    const failed = [...failures.values()].reduce((sum, count) => sum + count, 0);
    row(name, p50.toFixed(2), p99.toFixed(2), (p99 / at(idle.reads, 0.99)).toFixed(1), failed, most(probes).toFixed(0));
    for (const [failure, count] of failures) console.error(`  ${count} x ${failure}`);
  };
  print('nobody', idle);
  for (const name of Object.keys(attacks)) {
    if (!chosen.test(name)) continue;
    const attack = await startAttack(name, server.origin, await tenants.create(`attacker-${tenantName(name)}`));
    attack.begin();
    print(name, await neighbour.watch(seconds));
    await attack.stop();
    await delay(2_000);
  }
  console.log(`\nPeak memory of the process attacked: ${server.peakMemory().toFixed(0)} MiB`);
}

const tenantName = (attack: string): string => attack.replace(/[^a-z0-9]+/gi, '-').toLowerCase();
