import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { inconsistencies } from '../support/consistency.js';
import { serverUrl } from '../support/database.js';
import { dropHomes, newHome, prepareHomes, queryHome } from '../support/home.js';
import { endProcesses, killProcess, startProcess, type RollcallProcess } from '../support/process.js';
import { Progress, Writers } from '../support/writers.js';

/** How often the server is killed: few times with every change, more by scripts/faults.mjs. */
const rounds = Number(process.env['FAULT_ROUNDS'] || 3);

jest.setTimeout(60_000 + rounds * 20_000);

const writing: Writers[] = [];

beforeAll(prepareHomes);
afterEach(async () => {
  await endProcesses();
  await Promise.all(writing.splice(0).map((writers) => writers.stop()));
});
afterAll(dropHomes);

describe('kill -9 in the middle of parallel writes', () => {
  it(`loses no acknowledged write and leaves none half applied, ${rounds} times one after the other`, async () => {
    const home = await newHome();
    const progress = new Progress();
    const start = () => startProcess({ ...home, SCIM_TOKEN: 'kill-test-token-of-32-characters-or-more' });
    // On a server there is another replica, which must not be disturbed. An embedded database has one process.
    const other = serverUrl === undefined ? undefined : await start();
    for (let round = 0; round < rounds; round++) {
      const target: RollcallProcess = await start();
      const writers = new Writers([target.scim], progress);
      const others = other && new Writers([other.scim], progress);
      writing.push(writers, ...(others ? [others] : []));
      await writers.acknowledged.more(40 + 25 * (round % 4));
      await killProcess(target);
      await writers.stop();
      // Rows that the dead process had locked are free again.
      await others?.acknowledged.more(40);
      await others?.stop();
      expect([writers.refusals, others?.refusals, others?.lost]).toEqual(
        other ? [new Map(), new Map(), new Set()] : [new Map(), undefined, undefined],
      );
      expect(await inconsistencies((sql) => queryHome(home, sql))).toEqual([]);
      // Not refused, although the dead process holds the directory's lock.
      const again = await start();
      expect(await progress.contradictions(again.scim)).toEqual([]);
      await killProcess(again);
    }
    expect(progress.size).toBeGreaterThan(10 * rounds);
  });
});
