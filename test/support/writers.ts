import type { Answer, Resource, ScimClient } from './client.js';

/**
 * How far writers have come with each name, as the server acknowledged it. What a writer does to each of its names, one
 * step after the other: create a user, rename it by two operations, create a group with it as a member, and rename and
 * empty the group by two operations. Every state between is half applied.
 */
export class Progress {
  private readonly acknowledged = new Map<string, number>();

  get size(): number {
    return this.acknowledged.size;
  }

  acknowledge(name: string, step: number): void {
    this.acknowledged.set(name, step);
  }

  /**
   * Compares what is stored with what was acknowledged.
   * @returns one line for each name that lost an acknowledged step, or is between two steps
   */
  async contradictions(scim: ScimClient): Promise<string[]> {
    const users = byName(await all(scim, '/Users'), 'userName');
    const groups = byName(await all(scim, '/Groups'), 'externalId');
    const names = new Set([...this.acknowledged.keys(), ...users.keys(), ...groups.keys()]);
    return [...names].flatMap((name) => {
      const stored = stepOf(users.get(name), groups.get(name));
      const acknowledged = this.acknowledged.get(name) ?? 0;
      // The step after the last that was acknowledged may have happened: its answer was lost.
      const fits = stored === acknowledged || stored === acknowledged + 1;
      return fits ? [] : [`${name}: ${acknowledged} steps acknowledged, ${stored ?? 'half a step'} stored`];
    });
  }
}

function byName(resources: readonly Resource[], attribute: string): Map<string, Resource> {
  return new Map(resources.map((resource) => [resource[attribute] as string, resource]));
}

async function all(scim: ScimClient, path: string): Promise<Resource[]> {
  const found: Resource[] = [];
  for (;;) {
    const { body } = await scim.list(`${path}?startIndex=${found.length + 1}&count=200`);
    found.push(...body.Resources);
    if (body.Resources.length === 0 || found.length >= body.totalResults) return found;
  }
}

/** Which step is stored; undefined for what no step leaves. */
function stepOf(user: Resource | undefined, group: Resource | undefined): number | undefined {
  const members = group?.['members'] as { value: string }[] | undefined;
  const state = [user?.['displayName'], user?.['nickName'], group?.['displayName'], members?.map(({ value }) => value)];
  const steps = [
    [undefined, undefined, undefined, undefined],
    ['old', 'old', undefined, undefined],
    ['new', 'new', undefined, undefined],
    ['new', 'new', 'full', [user?.id]],
    ['new', 'new', 'empty', undefined],
  ];
  const found = steps.findIndex((step) => JSON.stringify(step) === JSON.stringify(state));
  return found < 0 ? undefined : found;
}

const rename = (displayName: string) => ({ op: 'replace', path: 'displayName', value: displayName });

/** Takes one name through its steps, as long as each succeeds. @throws Error when the server does not answer any more */
async function* steps(scim: ScimClient, name: string): AsyncGenerator<Answer<unknown>> {
  const user = await scim.post('/Users', { userName: name, displayName: 'old', nickName: 'old' });
  yield user;
  const nickName = { op: 'replace', path: 'nickName', value: 'new' };
  yield scim.operations(`/Users/${user.body.id}`, [rename('new'), nickName]);
  const members = [{ value: user.body.id }];
  const group = await scim.post('/Groups', { externalId: name, displayName: 'full', members });
  yield group;
  const emptied = [rename('empty'), { op: 'remove', path: 'members' }];
  yield scim.operations(`/Groups/${group.body.id}`, emptied);
}

/** A number that grows, and who waits for it to. */
class Tally {
  private waiting: { readonly from: number; readonly reached: () => void }[] = [];
  count = 0;

  increment(): void {
    this.count++;
    const reached = this.waiting.filter(({ from }) => from <= this.count);
    this.waiting = this.waiting.filter(({ from }) => from > this.count);
    for (const each of reached) each.reached();
  }

  /** Waits until it has grown by so much from now. */
  more(by: number): Promise<void> {
    return new Promise((reached) => void this.waiting.push({ from: this.count + by, reached }));
  }
}

let named = 0;

/**
 * Writers that go on until they are stopped, whatever they are answered. A name whose step failed is given up: whether
 * the step happened is not known.
 */
export class Writers {
  private isStopped = false;
  private readonly ended: Promise<unknown>;
  /** Steps that were acknowledged. */
  readonly acknowledged = new Tally();
  /** Answers that were no success. */
  readonly refused = new Tally();
  /** Different refusals: status, Retry-After and body. */
  readonly refusals = new Map<string, { status: number; retryAfter: string | null; body: unknown }>();
  /** How requests failed that got no answer. */
  readonly lost = new Set<string>();
  /** The most milliseconds that an answer took. */
  longest = 0;

  /** @param clients of the servers; each writer stays with one */
  constructor(
    clients: readonly ScimClient[],
    private readonly progress: Progress,
    count = 8,
  ) {
    const writers = Array.from({ length: count }, (_, index) =>
      this.write(clients[index % clients.length] as ScimClient),
    );
    this.ended = Promise.all(writers);
  }

  /** Lets each writer finish what it asked for. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.ended;
  }

  private async write(scim: ScimClient): Promise<void> {
    while (!this.isStopped) {
      try {
        await this.writeName(scim, `name-${++named}`);
      } catch (error) {
        // What fetch throws when there is no answer, of another realm than the tests'.
        if ((error as Error).name !== 'TypeError') throw error;
        this.lost.add((error as Error).message);
        // Whoever is refused connections would ask without end, and nobody else would get to run.
        await new Promise((resume) => setTimeout(resume, 20));
      }
    }
  }

  private async writeName(scim: ScimClient, name: string): Promise<void> {
    let step = 0;
    let asked = performance.now();
    // What is not acknowledged may have happened all the same.
    this.progress.acknowledge(name, 0);
    for await (const { status, headers, body } of steps(scim, name)) {
      this.longest = Math.max(this.longest, performance.now() - asked);
      if (status >= 300) {
        const refusal = { status, retryAfter: headers.get('retry-after'), body };
        this.refusals.set(JSON.stringify(refusal), refusal);
        this.refused.increment();
        return;
      }
      this.progress.acknowledge(name, ++step);
      this.acknowledged.increment();
      if (this.isStopped) return;
      asked = performance.now();
    }
  }
}
