import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { LookUps } from '../../src/persistence/look-ups.js';
import { Pools } from '../../src/persistence/pools.js';
import { Statements } from '../../src/persistence/statements.js';
import type { ScimClient } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { whileNeighbourReads } from '../support/neighbour.js';
import { describeWith } from '../support/programs.js';
import { open } from '../support/raw-http.js';
import { startServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

jest.setTimeout(240_000);

const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
const filtered = (filter: string): string => `/Users?count=1&filter=${encodeURIComponent(filter)}`;

describeWith([], 'The connections to the database', () => {
  let server: TestServer;
  let neighbour: ScimClient;
  let path: string;
  const attackers: ScimClient[] = [];
  const longest = 65_536;
  // Beside nobody else such a search takes a good part of a second.
  const slow = filtered(
    range(199)
      .map((number) => `title co "y${number}"`)
      .join(' or '),
  );

  beforeAll(async () => {
    server = await startServer({ SEARCH_SECONDS: '2' });
    neighbour = await server.addTenant('neighbour');
    path = `/Users/${(await neighbour.post('/Users', { userName: 'quiet', title: 'Dr' })).body.id}`;
    for (const number of range(6)) {
      const attacker = await server.addTenant(`attacker-${number}`);
      const fat = { title: 'x'.repeat(longest), addresses: [{ formatted: 'x'.repeat(longest) }] };
      for (const user of range(20)) {
        expect((await attacker.post('/Users', { userName: `fat-${user}`, ...fat })).status).toBe(201);
      }
      attackers.push(attacker);
    }
  });
  afterAll(() => server.close());

  const [ready, searching] = [() => neighbour.get(`${server.origin}/readyz`), filtered('title eq "dr"')];
  let written = 0;
  const writing = () => neighbour.operations(path, [{ op: 'replace', path: 'nickName', value: `n${written++}` }]);

  /** What a neighbour that searches and writes, and a probe, were answered beside 200 while something went on. */
  async function failuresWhile(work: () => Promise<unknown>): Promise<readonly string[]> {
    const failures: string[] = [];
    const state = { isOver: false };
    const repeat = async (request: () => Promise<{ status: number; text: string }>): Promise<void> => {
      for (let number = 0; !state.isOver || number < 3; number++) {
        const { status, text } = await request();
        if (status !== 200) failures.push(`${status} ${text.slice(0, 200)}`);
      }
    };
    const others = [ready, () => neighbour.list(searching), writing].map(repeat);
    const watched = await whileNeighbourReads(neighbour, path, work).finally(() => (state.isOver = true));
    await Promise.all(others);
    return [...watched.failures, ...failures];
  }

  const running = async (): Promise<number> => {
    const sql = `SELECT count(*)::integer AS n FROM pg_stat_activity
      WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid() AND query LIKE '% LIKE %'
        AND query NOT LIKE '%pg_stat_activity%'`;
    const [row] = await server.dataSource.query<{ n: number }[]>(sql);
    return row?.n ?? 0;
  };

  it('for look-ups read nothing but keys: a key and a long text beside it hold nobody up', async () => {
    const [attacker = neighbour] = attackers;
    const lookUps = server.app.get(LookUps);
    const connection = async (): Promise<unknown> =>
      lookUps.ownPool && lookUps.run(lookUps.ownPool, { text: 'SELECT pg_backend_pid() AS pid' });
    const before = await connection();
    const filter = filtered(`userName eq "fat-1" and addresses.formatted co "${'x'.repeat(255)}y"`);
    const failures = await failuresWhile(async () => {
      const answers = await Promise.all(range(16).map(() => attacker.list(filter)));
      expect(answers.map(({ status, body }) => [status, body.totalResults])).toEqual(answers.map(() => [200, 0]));
    });
    expect([failures, await connection()]).toEqual([[], before]);
    const long = await attacker.get<unknown>(filtered(`addresses.formatted co "${'x'.repeat(257)}"`));
    expect([long.status, long.body]).toEqual([400, scimError(400, 'invalidFilter')]);
  });

  it.each([1, 6])(
    'are shared: %i tenants search at once, 60 times each, and others read, search and write',
    async (tenants) => {
      const statuses = new Set<number>();
      const failures = await failuresWhile(() =>
        Promise.all(
          attackers.slice(0, tenants).flatMap((attacker) =>
            range(60).map(async () => {
              const { status, headers } = await attacker.get(slow);
              statuses.add(status);
              if (status === 429 || status === 503) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
            }),
          ),
        ),
      );
      expect(failures).toEqual([]);
      // Some are answered, some took too long, and some had no turn.
      expect([...statuses].filter((status) => ![200, 400, 429, 503].includes(status))).toEqual([]);
      expect(statuses).toContain(429);
    },
  );

  it('are not held by a search for longer than it may take, and the answer says what to do', async () => {
    const [attacker = neighbour] = attackers;
    const all = range(29)
      .map((number) => `title co "${'x'.repeat(254)}y${number % 10}"`)
      .join(' or ');
    const { status, body, headers, text } = await attacker.get<unknown>(filtered(all));
    expect([status, body, headers.get('retry-after')]).toEqual([400, scimError(400, 'tooMany'), null]);
    expect(text).toMatch(/longer than 2 s.*narrow the filter/);
    expect((await attacker.list(filtered('title sw "x"'))).body.totalResults).toBe(20);
  });

  it('are free again soon after clients hang up: their searches end on the server, and are never many more', async () => {
    const [attacker = neighbour] = attackers;
    const most = server.app.get(Pools).byName['searches']?.options.max ?? 0;
    const state = { isOver: false, most: 0 };
    const watching = (async () => {
      while (!state.isOver) state.most = Math.max(state.most, await running());
    })();
    const all = filtered(
      range(29)
        .map((number) => `title co "${'x'.repeat(254)}y${number % 10}"`)
        .join(' or '),
    );
    const bytes = `GET /scim/v2${all} HTTP/1.1\r\nHost: rollcall.test\r\nAuthorization: Bearer ${attacker.token}\r\n\r\n`;
    const failures = await failuresWhile(async () => {
      for (let round = 0; round < 12; round++) {
        const sockets = range(4).map(() => open(server.origin));
        for (const socket of sockets) {
          await once(socket, 'connect');
          socket.write(bytes);
        }
        await until(async () => (await running()) > 0);
        for (const socket of sockets) socket.resetAndDestroy();
        await turn();
      }
      await until(async () => (await running()) === 0);
    });
    state.isOver = true;
    await watching;
    // Twice as many only where the server is late to notice; each round has some of its own.
    expect(failures).toEqual([]);
    expect(state.most).toBeLessThanOrEqual(2 * most);
    await until(async () => (await attacker.list(filtered('userName eq "fat-1"'))).body.totalResults === 1);
  });

  it('are not all taken by changes that wait for a lock: others read, search and change, and a tenant is told that it waits for itself', async () => {
    const [attacker = neighbour] = attackers;
    const { body: group } = await attacker.post('/Groups', { displayName: 'locked' });
    const rename = () =>
      attacker.operations(`/Groups/${group.id}`, [{ op: 'replace', path: 'displayName', value: 'renamed' }]);
    const [locking, statuses] = [server.dataSource.createQueryRunner(), [] as number[]];
    await locking.startTransaction();
    await locking.query('SELECT 1 FROM groups WHERE id = $1 FOR UPDATE', [group.id]);
    const renaming = range(20).map(() => rename().then(({ status }) => statuses.push(status)));
    const failures = await failuresWhile(() => until(() => Promise.resolve(statuses.includes(429))));
    await locking.rollbackTransaction();
    await locking.release();
    await Promise.all(renaming);
    expect([failures, [...new Set(statuses)].sort()]).toEqual([[], [204, 429]]);
    expect((await rename()).status).toBe(204);
  });

  it('for look-ups lose a second by a statement that is stuck, which is answered by others', async () => {
    const statements = server.app.get(Statements);
    const scope = { tenant: { id: '00000000-0000-7000-8000-000000000000' } };
    const stuck = `SELECT CASE WHEN current_setting('rollcall.most_groups', TRUE) <> '' THEN pg_sleep(600)::text END AS x`;
    const order: string[] = [];
    const first = statements
      .lookUp<object>(scope, stuck, [])
      .then((rows) => order.push(`stuck ${JSON.stringify(rows)}`));
    const behind = range(10).map(() => neighbour.get(path).then(({ status }) => order.push(String(status))));
    await Promise.all([first, ...behind]);
    expect(order.sort()).toEqual([...range(10).map(() => '200'), 'stuck [{"x":null}]']);
  });
});
