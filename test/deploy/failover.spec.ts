import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import type { Answer, ScimClient } from '../support/client.js';
import { postgresPrograms, removeClusters, startCluster, type Cluster } from '../support/cluster.js';
import { inconsistencies } from '../support/consistency.js';
import { scimError } from '../support/errors.js';
import { documented, haproxy, startHaproxy } from '../support/haproxy.js';
import { dropHomes, prepareHomes, queryHome } from '../support/home.js';
import { endProcesses, startProcess, stopProcess } from '../support/process.js';
import { describeWith } from '../support/programs.js';
import { Progress, Writers } from '../support/writers.js';

const rounds = Number(process.env['FAULT_ROUNDS'] || 1);

jest.setTimeout(90_000 + rounds * 60_000);

/** No answer may take longer, in milliseconds: a connection, a statement, and the silence after it. */
const longestAnswer = 30_000;

const ends: (() => Promise<unknown>)[] = [];

beforeAll(prepareHomes);
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await endProcesses();
  await removeClusters();
});
afterAll(dropHomes);

const portOf = ({ url }: Cluster): number => Number(new URL(url).port);
const unavailable = ({ status, headers, body }: Answer<unknown>) => [status, headers.get('retry-after'), body];
const refused = [503, '5', scimError(503)];

/** Waits until a request succeeds. Until then it may only be refused. */
async function recovered(scim: ScimClient, path: string): Promise<void> {
  for (;;) {
    const answer = await scim.get<unknown>(path);
    if (answer.status === 200) return;
    expect(unavailable(answer)).toEqual(refused);
  }
}

const programs = [haproxy, { name: "PostgreSQL's own programs", path: postgresPrograms() }];

describeWith(programs, 'A primary behind HAProxy, with a synchronous standby, under load', () => {
  it.each<[string, (primary: Cluster) => Promise<void>]>([
    ['is killed', (primary) => primary.kill()],
    ['answers no more', (primary) => primary.freeze()],
  ])(
    'that %s: requests are refused with Retry-After until the standby is promoted, and nothing acknowledged is lost',
    async (_what, disturb) => {
      for (let round = 0; round < rounds; round++) {
        const primary = await startCluster();
        await queryHome({ DATABASE_URL: primary.url }, 'CREATE ROLE haproxy LOGIN');
        const standby = await primary.addStandby();
        const balancer = await startHaproxy(documented('listen postgres'), [primary, standby].map(portOf));
        ends.push(balancer.stop);
        await balancer.sees(1, 'DOWN');
        const url = new URL(primary.url);
        url.port = String(balancer.port);
        const server = await startProcess({
          DATABASE_URL: url.toString(),
          SCIM_TOKEN: 'failover-test-token-of-32-characters-or-more',
        });
        const { origin, scim } = server;
        const progress = new Progress();
        const writers = new Writers([scim], progress);
        ends.push(() => writers.stop());
        await writers.acknowledged.more(80);
        expect(writers.refusals.size).toBe(0);

        const refusedAll = writers.refused.more(16);
        await disturb(primary);
        await refusedAll;
        await balancer.sees(0, 'DOWN');
        expect(unavailable(await scim.get(`${origin}/readyz`))).toEqual(refused);
        expect((await scim.get(`${origin}/livez`)).status).toBe(200);

        await standby.promote();
        await balancer.sees(1, 'UP');
        await recovered(scim, `${origin}/readyz`);
        await recovered(scim, '/Users?count=1');
        await writers.acknowledged.more(80);
        await writers.stop();
        expect(await progress.contradictions(scim)).toEqual([]);
        // In the words of the database that is away, or of its connections that are all in use because of that.
        for (const refusal of writers.refusals.values()) {
          expect(refusal).toEqual({ status: 503, retryAfter: '5', body: scimError(503) });
        }
        expect(writers.lost).toEqual(new Set());
        expect(writers.longest).toBeLessThan(longestAnswer);
        expect(await inconsistencies((sql) => queryHome({ DATABASE_URL: standby.url }, sql))).toEqual([]);
        expect(await stopProcess(server)).toEqual({ code: 0, signal: null });
        await removeClusters();
      }
    },
  );
});
