import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { ScimError, scimErrorNames } from '../../src/scim/errors.js';
import { RequestRecorder } from '../../src/request-log/request-recorder.js';
import { adminToken, startAdministered, type AdministeredServer, type AdminToken } from '../support/admin.js';
import { ScimClient } from '../support/client.js';
import { commandsIn, curl } from '../support/curl.js';

/** A page as a reader copies from it: what is in a list is not indented. */
const page = (name: string): string => readFileSync(`docs/${name}`, 'utf8').replace(/^ {3}/gm, '');

// A name that occurs nowhere else.
const person = 'Quilliam-Zsófia';

let server: AdministeredServer;
let scim: ScimClient;
let variables: Record<string, string>;

beforeAll(async () => {
  server = await startAdministered();
  await server.admin.post('/tenants', { name: 'acme' });
  const { body } = await server.admin.post<AdminToken & { secret: string }>('/tenants/acme/tokens', { name: 'Okta' });
  scim = new ScimClient(`${server.origin}/scim/v2`, body.secret);
  const ADMIN = `${server.origin}/admin/v1`;
  variables = { ADMIN_TOKEN: adminToken, ADMIN, ROLLCALL: server.origin, TOKEN: body.secret };
});
afterAll(() => server.close());

/** The tables in which some row holds a text, from the catalogue, so that none can be forgotten. */
async function tablesWith(text: string): Promise<string[]> {
  const tables: { name: string }[] = await server.dataSource.query(
    `SELECT oid::regclass::text AS name FROM pg_class
     WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY 1`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const [row]: { has: boolean }[] = await server.dataSource.query(
      `SELECT EXISTS (SELECT FROM ${name} t WHERE t::text LIKE '%' || $1 || '%') AS has`,
      [text],
    );
    if (row?.has === true) found.push(name);
  }
  return found;
}

describe('docs/data-protection.md', () => {
  it('erases a person by what it says, and says what stays', async () => {
    const { body: user } = await scim.post('/Users', { userName: `${person}@example.com`, displayName: person });
    const { body: group } = await scim.post('/Groups', { displayName: 'Auditors', members: [{ value: user.id }] });
    await scim.post('/Users', {
      userName: 'report@example.com',
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { manager: { value: user.id } },
    });
    await scim.operations(`/Users/${user.id}`, [{ op: 'replace', path: 'nickName', value: person }]);
    await scim.operations(`/Groups/${group.id}`, [{ op: 'add', path: 'members', value: [{ value: person }] }]);
    await scim.list(`/Users?filter=${encodeURIComponent(`userName eq "${person}"`)}`);
    await server.app.get(RequestRecorder).flush();
    expect(await tablesWith(person)).toEqual(['audit_events', 'users']);

    variables['USER_ID'] = user.id;
    const answers: number[] = [];
    for (const command of commandsIn(page('data-protection.md'), 'curl'))
      answers.push((await curl(command, variables)).status);
    expect(answers).toEqual([200, 200, 204]);
    expect(await tablesWith(person)).toEqual(['audit_events']);

    const [, sql = ''] = /```sql\n(.*?)```/s.exec(page('data-protection.md')) ?? [];
    await server.dataSource.query(sql.replace('USER_ID', user.id));
    await server.app.get(RequestRecorder).flush();
    expect(await tablesWith(person)).toEqual([]);
    // What the page says of the id: in events of groups and reports, and in the request log.
    const withId = (await tablesWith(user.id)).filter((table) => table !== 'resource_count_changes');
    expect(withId).toEqual(['audit_events', 'request_log']);
  });
});

describe('docs/connect/README.md', () => {
  it('has requests that work', async () => {
    const commands = commandsIn(page('connect/README.md'), 'curl');
    expect(commands.length).toBe(1);
    for (const command of commands) expect([command, (await curl(command, variables)).status]).toEqual([command, 200]);
  });
});

describe('docs/troubleshooting.md', () => {
  it('has requests that work', async () => {
    const { body: user } = await scim.post('/Users', { userName: 'leaver@example.com' });
    variables['USER_ID'] = user.id;
    const commands = commandsIn(page('troubleshooting.md'), 'curl').filter(
      (command) => !command.includes('example.com'),
    );
    expect(commands.length).toBe(3);
    for (const command of commands) expect([command, (await curl(command, variables)).status]).toEqual([command, 200]);
    expect((await scim.get(`/Users/${user.id}`)).body['active']).toBe(false);
  });

  it('has every status and every scimType of the error table', () => {
    const text = page('troubleshooting.md');
    const headings = [...text.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading).join();
    const errors = scimErrorNames.map((name) => new ScimError(name));
    const missing = errors.filter(
      ({ status, scimType, row }) =>
        // A personal value in a URL is a 403 whose detail the page quotes.
        !headings.includes(String(status)) ||
        (scimType !== undefined && row !== 'sensitive' && !text.includes(`\`${scimType}\``)),
    );
    expect(missing.map(({ row }) => row)).toEqual([]);
  });

  it('quotes details as they are', async () => {
    const details = async (path: string): Promise<string> => {
      const { body } = await scim.get<{ detail: string }>(path);
      return body.detail;
    };
    const given = [
      await details('/Users?filter=mail%20eq%20%22x%22'),
      await details('/nowhere'),
      await details('/Users/unknown'),
    ];
    const text = page('troubleshooting.md');
    expect(given.map((detail) => detail.replace(/"[^"]*"(?=[;.])/, '"…"'))).toEqual([
      '"mail" is not an attribute of User.',
      'There is nothing at "…"; the SCIM base is /scim/v2.',
      'There is no User with the id "…".',
    ]);
    for (const detail of given) expect(text).toContain(detail.replace(/"[^"]*"(?=[;.])/, '"…"'));
  });
});
