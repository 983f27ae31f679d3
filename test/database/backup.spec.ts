import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { postgresPrograms, removeClusters } from '../support/cluster.js';
import { inconsistencies } from '../support/consistency.js';
import { newDirectory, queryHome, type Home } from '../support/home.js';
import {
  environment,
  fill,
  goOn,
  observe,
  wentOn,
  type Credentials,
  type Observation,
} from '../support/observation.js';
import { direct } from '../support/pooled.js';
import { dropPostgres, newPostgres } from '../support/postgres.js';
import { describeEmbedded, describeWith } from '../support/programs.js';
import { build, endProcesses, startProcess, stopProcess, type RollcallProcess } from '../support/process.js';
import { Progress, Writers } from '../support/writers.js';

jest.setTimeout(180_000);

beforeAll(build);
afterEach(endProcesses);
afterAll(async () => {
  await dropPostgres();
  await removeClusters();
});

const start = (home: Home): Promise<RollcallProcess> => startProcess({ ...environment, ...home });

/** Fills a database by a server, which has written everything when it has ended. */
async function filled(home: Home): Promise<Credentials> {
  const server = await start(home);
  const credentials = await fill(server);
  await stopProcess(server);
  return credentials;
}

/** Expects that a restored database is as it was and can be written to. */
async function expectRestored(home: Home, credentials: Credentials, before: Observation): Promise<void> {
  const restored = await start(home);
  expect(await observe(restored, credentials)).toEqual(before);
  expect(await goOn(restored, credentials)).toEqual(wentOn);
  await stopProcess(restored);
  expect(await inconsistencies((sql) => queryHome(home, sql))).toEqual([]);
}

async function dump(url: string): Promise<string> {
  const file = join(await newDirectory(), 'rollcall.dump');
  await postgres('pg_dump', '--format=custom', `--file=${file}`, direct(url));
  return file;
}

async function restore(file: string): Promise<Home> {
  const url = await newPostgres();
  await postgres('pg_restore', '--no-owner', '--exit-on-error', `--dbname=${direct(url)}`, file);
  return { DATABASE_URL: url };
}

const postgres = (program: string, ...args: string[]) =>
  promisify(execFile)(join(postgresPrograms() ?? '', program), args);

describeWith([{ name: 'pg_dump', path: postgresPrograms() }], 'A dump of PostgreSQL', () => {
  it('of a running server has everything, and what comes later is not in it', async () => {
    const DATABASE_URL = await newPostgres();
    const credentials = await filled({ DATABASE_URL });
    const server = await start({ DATABASE_URL });
    const before = await observe(server, credentials);
    const file = await dump(DATABASE_URL);
    expect(await goOn(server, credentials)).toEqual(wentOn);
    await stopProcess(server);
    await expectRestored(await restore(file), credentials, before);
  });

  it('is of one moment when clients write meanwhile', async () => {
    const DATABASE_URL = await newPostgres();
    const server = await start({ DATABASE_URL });
    const writers = new Writers([server.scim], new Progress());
    await writers.acknowledged.more(100);
    const [file] = await Promise.all([dump(DATABASE_URL), writers.acknowledged.more(100)]);
    await writers.stop();
    const home = await restore(file);
    expect(await inconsistencies((sql) => queryHome(home, sql))).toEqual([]);
    const [{ users } = { users: 0 }] = await queryHome<{ users: number }>(
      home,
      'SELECT count(*)::integer AS users FROM users',
    );
    const restored = await start(home);
    const { body } = await restored.scim.list('/Users', { token: server.scim.token });
    expect([body.totalResults, users > 0]).toEqual([users, true]);
  });
});

describeEmbedded('A copy of the embedded database', () => {
  it('that was made while no server had it open is the same in another place', async () => {
    const [DATA_DIR, copy] = [await newDirectory(), await newDirectory()];
    const credentials = await filled({ DATA_DIR });
    const server = await start({ DATA_DIR });
    const before = await observe(server, credentials);
    await stopProcess(server);
    await cp(DATA_DIR, copy, { recursive: true, preserveTimestamps: true });
    const later = await start({ DATA_DIR });
    expect(await goOn(later, credentials)).toEqual(wentOn);
    await expectRestored({ DATA_DIR: copy }, credentials, before);
  });
});
