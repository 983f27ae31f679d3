import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { LookUps } from '../../src/persistence/look-ups.js';
import { Pools } from '../../src/persistence/pools.js';
import { mostPrepared } from '../../src/persistence/prepared-names.js';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Pool } from 'undici';
import { dropHomes, newHome, prepareHomes } from '../support/home.js';
import { isPooled } from '../support/pooled.js';
import { describeWith } from '../support/programs.js';
import { endProcesses, startProcess, type RollcallProcess } from '../support/process.js';
import { startServer, type TestServer } from '../support/server.js';

jest.setTimeout(180_000);

describeWith([], 'A server that many ask for what nobody has', () => {
  beforeAll(prepareHomes);
  afterEach(endProcesses);
  afterAll(dropHomes);

  const attributes = [
    'userName',
    'displayName',
    'nickName',
    'title',
    'userType',
    'locale',
    'externalId',
    'emails.value',
  ];
  const operators = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'];
  const pick = (list: readonly string[], number: number): string => list[number % list.length] as string;

  /** A filter whose statement differs from that of other numbers, up to some thousands. */
  function filter(number: number): string {
    const term = (from: number, value: string): string => {
      const operator = pick(operators, Math.floor(from / attributes.length));
      return `${pick(attributes, from)} ${operator} "${value}"`;
    };
    const second = Math.floor(number / (attributes.length * operators.length));
    return encodeURIComponent(`${term(number, randomUUID())} and ${term(second, 'b')}`);
  }

  /** What nobody has, each time another. */
  function unknown(number: number): { path: string; token?: string; expected: number } {
    const scim = '/scim/v2';
    switch (number % 8) {
      case 0:
        return { path: `${scim}/Users/${randomUUID()}`, expected: 404 };
      case 1:
        return { path: `${scim}/Groups/no-id-${randomUUID()}?attributes=a${number}`, expected: 404 };
      case 2:
        return { path: `${scim}/Users?filter=${filter(number)}`, expected: 200 };
      case 3:
        return { path: `${scim}/Users?filter=${encodeURIComponent(`attribute${number} eq "a"`)}`, expected: 400 };
      case 4:
        return { path: `${scim}/Users`, token: randomUUID(), expected: 401 };
      case 5:
        return { path: `/tenants/t-${number}/scim/v2/Users`, expected: 404 };
      case 6:
        return { path: `/${randomUUID()}`, expected: 404 };
      default:
        return { path: `${scim}/Users?cursor=${randomUUID()}`, expected: 400 };
    }
  }

  const mebibyte = 2 ** 20;

  /** What a process keeps when all its garbage is collected, in MiB. */
  async function heapOf({ signal, printed, output }: RollcallProcess): Promise<number> {
    const before = [...output().stdout.matchAll(/^memory /gm)].length;
    signal('SIGUSR2');
    await printed(new RegExp(`^memory ${before + 1} .*\\n`, 'm'));
    const [, text = '{}'] = new RegExp(`^memory ${before + 1} (.*)$`, 'm').exec(output().stdout) ?? [];
    return (JSON.parse(text) as { heapUsed: number }).heapUsed / mebibyte;
  }

  describe('A flood of requests for what nobody has', () => {
    const [warmUp, flood] = [6_000, 20_000];
    // Caches fill up, and the engine learns; but of each request not even 400 bytes may be kept.
    const most = 8;

    it(`leaves memory where it was: ${flood} requests after ${warmUp} others`, async () => {
      const token = 'flood-test-token-of-32-characters-or-more';
      const NODE_OPTIONS = `--import ${pathToFileURL(join('test', 'support', 'memory-use.mjs')).href}`;
      const options = { NODE_OPTIONS, SCIM_TOKEN: token, LOG_LEVEL: 'silent' };
      const started = await startProcess({ ...(await newHome()), ...options });
      const pool = new Pool(started.origin, { connections: 16 });
      const unexpected = new Map<string, number>();
      let number = 0;
      const send = async (until: number): Promise<void> => {
        while (number < until) {
          const { path, token: own = token, expected } = unknown(number++);
          const headers = { authorization: `Bearer ${own}`, 'x-request-id': randomUUID(), 'user-agent': `a/${number}` };
          const { statusCode, body } = await pool.request({ method: 'GET', path, headers });
          await body.dump();
          if (statusCode !== expected) unexpected.set(`${statusCode} ${path}`, number);
        }
      };
      const all = (until: number) => Promise.all(Array.from({ length: 16 }, () => send(until)));
      await all(warmUp);
      const before = await heapOf(started);
      await all(warmUp + flood);
      const after = await heapOf(started);
      await pool.close();
      expect([...unexpected].slice(0, 5)).toEqual([]);
      expect(after - before).toBeLessThan(most);
    });

    // A pooler has prepared statements of its own, and a bound for them of its own.
    const ofConnections = isPooled ? it.skip : it;
    ofConnections(
      'leaves few prepared statements in any connection, and those of reads by id, whatever filters there are',
      async () => {
        const server = await startServer();
        try {
          const neighbour = await server.addTenant('neighbour');
          const { id } = (await neighbour.post('/Users', { userName: 'quiet' })).body;
          const read = async () => expect((await neighbour.get(`/Users/${id}`)).status).toBe(200);
          await read();
          const filters = [...new Set(Array.from({ length: 400 }, (_, number) => filter(number)))];
          const keys = Array.from(
            { length: 200 },
            (_, number) => `${encodeURIComponent('userName eq "a"')}&sortBy=${sorted(number)}`,
          );
          for (const each of [...filters, ...keys].flatMap((text) => [text, text])) {
            expect((await server.scim.list(`/Users?filter=${each}`)).status).toBe(200);
          }
          const connections = await preparedIn(server);
          for (const prepared of Object.values(connections)) expect(prepared.length).toBeLessThan(mostPrepared + 10);
          expect(connections['searches']?.length).toBeGreaterThan(50);
          const isRead = ({ name, statement }: Prepared) =>
            name.includes('_reserved_') && statement.includes('r.tenant_id = $1 AND r.id = $2');
          const before = connections['look_ups']?.filter(isRead);
          expect(before).toHaveLength(1);
          await read();
          expect((await preparedIn(server))['look_ups']?.filter(isRead)).toEqual(before);
        } finally {
          await server.close();
        }
      },
    );

    const sorted = (number: number): string =>
      `${pick(attributes, number)}&sortOrder=${pick(['ascending', 'descending'], Math.floor(number / attributes.length))}` +
      `&startIndex=${1 + (number % 2)}&attributes=${pick(['id', 'groups', 'userName'], number)}`;

    interface Prepared {
      readonly name: string;
      readonly statement: string;
    }

    /** What the connection that each pool lends next has prepared. */
    async function preparedIn({ app }: TestServer): Promise<Record<string, Prepared[]>> {
      const text = 'SELECT name, statement, prepare_time::text FROM pg_prepared_statements';
      const found: Record<string, Prepared[]> = {};
      for (const [name, pool] of Object.entries(app.get(Pools).byName)) {
        const lookUps = app.get(LookUps);
        const rows =
          pool === lookUps.ownPool
            ? lookUps.run<Prepared>(pool, { text })
            : pool.query(text).then(({ rows }) => rows as Prepared[]);
        found[name] = await rows;
      }
      return found;
    }
  });
});
