import type { Resource, ScimClient } from './client.js';
import { killProcess, type RollcallProcess } from './process.js';

/**
 * What a writer does to each of its names, one step after the other: create a user, rename it by two operations, create a
 * group with it as a member, and rename and empty the group by two operations. Every state between is half applied.
 */
const stepCount = 4;

/** How far writers have come with each name, as the server acknowledged it. */
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

/** Takes one name through its steps. @throws Error when the server does not answer any more */
async function* steps(scim: ScimClient, name: string): AsyncGenerator<number> {
  const user = await scim.post('/Users', { userName: name, displayName: 'old', nickName: 'old' });
  yield user.status;
  const nickName = { op: 'replace', path: 'nickName', value: 'new' };
  yield (await scim.operations(`/Users/${user.body.id}`, [rename('new'), nickName])).status;
  const members = [{ value: user.body.id }];
  const group = await scim.post('/Groups', { externalId: name, displayName: 'full', members });
  yield group.status;
  const emptied = [rename('empty'), { op: 'remove', path: 'members' }];
  yield (await scim.operations(`/Groups/${group.body.id}`, emptied)).status;
}

/** Writes from several clients at once, and kills the process in the middle of it. */
export async function writeUntilKilled(
  target: RollcallProcess,
  progress: Progress,
  { writers, round, acknowledgements }: { writers: number; round: number; acknowledgements: number },
): Promise<void> {
  let count = 0;
  const write = async (writer: number): Promise<void> => {
    for (let next = 0; ; next++) {
      const name = `round-${round}-writer-${writer}-${next}`;
      let step = 0;
      for await (const status of steps(target.scim, name)) {
        if (status >= 300) throw new Error(`${name}: step ${step + 1} of ${stepCount} was answered with ${status}`);
        progress.acknowledge(name, ++step);
        if (++count === acknowledgements) target.signal('SIGKILL');
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: writers }, (_, writer) => write(writer)));
  await killProcess(target);
  const refused = ended.flatMap((end) => (end.status === 'rejected' ? [String(end.reason)] : []));
  const unexpected = refused.filter((reason) => !reason.includes('fetch failed') && !reason.includes('terminated'));
  if (unexpected.length > 0) throw new Error(unexpected.join('\n'));
}
