import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { AdminClient } from '../support/admin.js';
import { ScimClient, type List } from '../support/client.js';
import { dropHomes, newHome, prepareHomes, queryHome } from '../support/home.js';
import { manyUsers } from '../support/large-resources.js';
import { whileNeighbourReads } from '../support/neighbour.js';
import { endProcesses, startProcess, stopProcess, type RollcallProcess } from '../support/process.js';

jest.setTimeout(300_000);

beforeAll(prepareHomes);
afterEach(endProcesses);
afterAll(dropHomes);

const environment = {
  ADMIN_TOKEN: 'operators-token-of-the-tests-of-answers',
  SCIM_TOKEN: 'token-of-the-tests-of-large-answers',
  // The shares of what there is are what is tested, and not how many requests a tenant may send.
  NODE_OPTIONS: '--max-old-space-size=512',
};

/** Twelve lists at once, each of more than a quarter of the heap. @returns how they were answered */
async function lists(client: ScimClient, query: string): Promise<number[]> {
  const answers = Array.from({ length: 12 }, async () => {
    const { status, body, headers } = await client.list(`/Users?count=200${query}`);
    if (status === 200) expect(body.itemsPerPage).toBe(body.Resources.length);
    else
      expect([(body as unknown as { status: string }).status, headers.get('Retry-After')]).toEqual([`${status}`, '1']);
    return status;
  });
  return Promise.all(answers);
}

/** Walks through all users by index, one page after the other. */
async function walk(client: ScimClient): Promise<number> {
  const seen = new Set<string>();
  for (let total = Infinity, next = 1; next <= total;) {
    const { body } = await client.list<{ id: string }>(`/Users?count=200&attributes=id&startIndex=${next}`);
    for (const { id } of (body as unknown as List).Resources) seen.add(id);
    next += body.itemsPerPage;
    total = body.totalResults;
  }
  return seen.size;
}

describe('Twelve lists of 140 MB at once, in a process with a heap of 512 MB', () => {
  it('end nothing, and no other tenant notices', async () => {
    const home = await newHome();
    let started: RollcallProcess = await startProcess({ ...home, ...environment });
    const admin = new AdminClient(`${started.origin}/admin/v1`, environment.ADMIN_TOKEN);
    const { token } = await admin.connect('quiet');
    await stopProcess(started);
    await queryHome(
      home,
      manyUsers('fat', 200, '715').replaceAll('$1', `(SELECT id FROM tenants WHERE name = 'default')`),
    );
    started = await startProcess({ ...home, ...environment });
    const quiet = new ScimClient(`${started.origin}/tenants/quiet/scim/v2`, token);
    const { id } = (await quiet.post('/Users', { userName: 'quiet' })).body;
    for (const query of ['', '&attributes=userName']) {
      const { result, failures } = await whileNeighbourReads(quiet, `/Users/${id}`, () => lists(started.scim, query));
      expect(failures).toEqual([]);
      expect(result.filter((status) => status !== 200 && status !== 429)).toEqual([]);
      expect(result).toContain(200);
    }
    expect(await walk(started.scim)).toBe(200);
    expect((await quiet.get(`/Users/${id}`)).status).toBe(200);
    expect((await stopProcess(started)).code).toBe(0);
  });
});
