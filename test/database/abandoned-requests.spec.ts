import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { UsersRepository } from '../../src/users/users.repository.js';
import type { Resource } from '../support/client.js';
import { inconsistencies } from '../support/consistency.js';
import { hangUp } from '../support/hang-up.js';
import { open } from '../support/raw-http.js';
import { startServer, type TestServer } from '../support/server.js';
import { until } from '../support/until.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
const members = 40;
let users: { value: string }[];
let made = 0;

beforeEach(async () => {
  const created = await Promise.all(
    range(members).map(() => server.scim.post('/Users', { userName: `abandoned-${++made}` })),
  );
  users = created.map(({ body }) => ({ value: body.id }));
});

function request(method: string, path: string, body: object): string {
  const text = JSON.stringify(body);
  const lines = [
    `${method} /scim/v2${path} HTTP/1.1`,
    'Host: rollcall.test',
    `Authorization: Bearer ${server.scim.token}`,
    'Content-Type: application/scim+json',
    `Content-Length: ${Buffer.byteLength(text)}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${text}`;
}

/** Sends bytes, and breaks the connection as soon as the system has taken them. */
async function sendAndLeave(bytes: string): Promise<void> {
  const socket = open(server.origin);
  await once(socket, 'connect');
  await new Promise<void>((sent) => void socket.write(bytes, () => sent()));
  socket.resetAndDestroy();
}

/** Waits until the server has noticed that nobody is there any more, and has done what it was doing. */
async function nobodyIsConnected(): Promise<void> {
  const http = server.app.getHttpServer();
  const connections = () =>
    new Promise<number>((resolve, reject) => http.getConnections((error, n) => (error ? reject(error) : resolve(n))));
  await until(async () => {
    http.closeIdleConnections();
    return (await connections()) === 0;
  });
  // One statement after another on an embedded database; on a server, until no transaction is open.
  const busy = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND (state LIKE 'idle in transaction%' OR state = 'active') AND application_name = 'rollcall'`;
  await until(async () => (await server.dataSource.query<unknown[]>(busy)).length === 0);
}

const consistent = async () => expect(await inconsistencies((sql) => server.dataSource.query(sql))).toEqual([]);

describe('A client that goes away', () => {
  it('in the middle of its request, at whichever byte, has changed nothing', async () => {
    const bytes = request('POST', '/Groups', { externalId: 'cut', displayName: 'cut', members: users });
    const places = range(40).map((part) => Math.floor((bytes.length * part) / 40));
    await Promise.all([...places, bytes.length - 1].map((place) => sendAndLeave(bytes.slice(0, place))));
    await nobodyIsConnected();
    expect((await server.scim.list('/Groups?filter=externalId eq "cut"')).body.totalResults).toBe(0);
    await consistent();
  });

  it('before it is answered has its request done wholly or not at all', async () => {
    const { body: group } = await server.scim.post('/Groups', { displayName: 'before', members: users.slice(0, 5) });
    const Operations = [
      { op: 'replace', path: 'displayName', value: 'after' },
      { op: 'replace', path: 'members', value: users },
    ];
    const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp'];
    const patch = request('PATCH', `/Groups/${group.id}`, { schemas, Operations });
    const posts = range(20).map((number) =>
      request('POST', '/Groups', { externalId: `left-${number}`, displayName: 'left', members: users }),
    );
    await Promise.all([patch, ...posts].map((bytes) => sendAndLeave(bytes)));
    await nobodyIsConnected();
    const { body: patched } = await server.scim.get(`/Groups/${group.id}`);
    const stateOf = ({ displayName, members: list, meta }: Resource): unknown => [
      displayName,
      (list as unknown[]).length,
      meta.version,
    ];
    expect([
      ['before', 5, 'W/"1"'],
      ['after', members, 'W/"2"'],
    ]).toContainEqual(stateOf(patched));
    const { body } = await server.scim.list('/Groups?filter=displayName eq "left"');
    expect(body.Resources.map(stateOf)).toEqual(body.Resources.map(() => ['left', members, 'W/"1"']));
    await consistent();
  });

  it('without reading its answers holds nothing that others need, and has its requests done', async () => {
    const { body: group } = await server.scim.post('/Groups', { displayName: 'unread', members: users });
    const read = request('GET', '/Users?count=200', {}).replace(/Content-[^]*$/, '\r\n');
    const sockets: Socket[] = [];
    for (let client = 0; client < 8; client++) {
      const socket = open(server.origin).pause();
      socket.on('error', () => socket.destroy());
      sockets.push(socket);
      // More than any buffer between takes, all asked for at once.
      socket.write(read.repeat(40) + request('POST', '/Groups', { displayName: 'asked for', members: users }));
    }
    const answers = await Promise.all(range(20).map(() => server.scim.get(`/Groups/${group.id}`)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    for (const socket of sockets) socket.resetAndDestroy();
    await nobodyIsConnected();
    const { body } = await server.scim.list('/Groups?filter=displayName eq "asked for"');
    expect(body.Resources.filter((each) => (each['members'] as unknown[]).length !== members)).toEqual([]);
    await consistent();
  });

  it('while a manager of very many is deleted has nothing done, or all of it', async () => {
    const { body: manager } = await server.scim.post('/Users', { userName: 'manager' });
    await server.dataSource.query(
      `INSERT INTO users (tenant_id, id, version, user_name, user_name_key, display, display_key, document, folded,
         created_at, last_modified_at, manager_id)
       SELECT tenant_id, gen_random_uuid(), 1, 'report ' || n, 'report ' || n, 'r', 'r',
         json_build_object('userName', 'report ' || n), '{}', now(), now(), id
       FROM users, generate_series(1, 1200) n WHERE id = $1`,
      [manager.id],
    );
    const reports = async (): Promise<number> => {
      const sql = 'SELECT count(*) AS n FROM users WHERE manager_id = $1';
      return Number((await server.dataSource.query<{ n: string }[]>(sql, [manager.id]))[0]?.n);
    };
    const users = server.app.get(UsersRepository);
    const lockReports = users.lockReports.bind(users);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const portions = jest.spyOn(users, 'lockReports').mockImplementation(async (...given) => {
      await held;
      return lockReports(...given);
    });
    const socket = open(server.origin);
    socket.on('error', () => undefined);
    socket.write(request('DELETE', `/Users/${manager.id}`, {}).replace(/Content-[^]*$/, '\r\n'));
    await until(() => Promise.resolve(portions.mock.calls.length === 1));
    await hangUp(server, socket);
    release();
    await nobodyIsConnected();
    expect([portions.mock.calls.length, await reports()]).toEqual([1, 1200]);
    expect((await server.scim.get(`/Users/${manager.id}`)).status).toBe(200);
    jest.restoreAllMocks();
    expect((await server.scim.delete(`/Users/${manager.id}`)).status).toBe(204);
    expect(await reports()).toBe(0);
  });
});
