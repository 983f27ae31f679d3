import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { run } from '../../src/cli/program.js';
import { readConfig } from '../../src/config.js';
import { adminToken, startAdministered, type AdministeredServer } from '../support/admin.js';
import { commandsIn, curl, words } from '../support/curl.js';
import { standardSettings } from '../support/settings.js';

const read = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
const page = read('tenants.md');

let server: AdministeredServer;
beforeAll(async () => {
  server = await startAdministered();
});
afterAll(() => server.close());

describe('docs/tenants.md', () => {
  it('takes an operator from two new customers to an erased one, with requests that work one after the other', async () => {
    const variables: Record<string, string> = {
      ADMIN_TOKEN: adminToken,
      ROLLCALL: server.origin,
      ADMIN: `${server.origin}/admin/v1`,
    };
    const answers: unknown[] = [];
    for (const command of commandsIn(page, 'curl')) {
      const answer = await curl(command, variables);
      const text = await answer.text();
      const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
      if (typeof body['secret'] === 'string') {
        variables['TOKEN'] = body['secret'];
        variables['TOKEN_ID'] ??= String(body['id']);
      }
      answers.push([answer.status, body['state'] ?? body['name'] ?? body['profile'] ?? Object.keys(body)[0]]);
    }
    expect(answers).toEqual([
      [201, 'active'],
      [201, 'active'],
      [201, 'Okta'],
      [200, 'schemas'],
      [201, 'Okta'],
      [200, 'items'],
      [204, undefined],
      [200, 'entra-legacy'],
      [200, 'entra-legacy'],
      [200, 'entra-legacy'],
      [200, 'suspended'],
      [200, 'active'],
      [204, undefined],
    ]);
  });

  it('has only commands that the command line understands', async () => {
    const commands = commandsIn(page, 'npx');
    expect(commands.length).toBeGreaterThan(8);
    for (const command of commands) {
      const argv = words(command, { TOKEN_ID: '019aaf3c-6b5e-7cc1-a4ad-0f8d8e5f0a11' }).slice(2);
      const remarks: string[] = [];
      const terminal = { write: () => undefined, remark: (text: string) => void remarks.push(text) };
      const withDatabase = () => Promise.reject(new Error('understood'));
      const surroundings = { terminal, readConfig: () => readConfig({}), withDatabase };
      await run(argv, surroundings, () => Promise.resolve());
      expect([command, remarks]).toEqual([command, ['rollcall: Unexpected: understood\n']]);
    }
  });

  it('explains every setting, with its standard', () => {
    const rows = [...page.matchAll(/^\| `(\w+)` +\| `(\S+)` +\|/gm)].map(([, name, standard]) => [name, standard]);
    expect(rows).toEqual(Object.entries(standardSettings).map(([name, standard]) => [name, String(standard)]));
  });
});

describe.each([
  ['audit.md', '/tenants/{tenant}/audit'],
  ['request-log.md', '/tenants/{tenant}/requests'],
])('docs/%s', (name, path) => {
  it('has requests that work', async () => {
    await server.admin.post('/tenants', { name: 'acme' });
    const variables = { ADMIN_TOKEN: adminToken, ADMIN: `${server.origin}/admin/v1` };
    const commands = commandsIn(read(name), 'curl').map((command) => command.replace(/ > \S+$/, ''));
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands) expect([command, (await curl(command, variables)).status]).toEqual([command, 200]);
  });

  it('explains every parameter', async () => {
    const { body } = await server.admin.get<{ paths: Record<string, { get: { parameters: { name: string }[] } }> }>(
      `${server.origin}/openapi-admin.json`,
    );
    const parameters = body.paths[`/admin/v1${path}`]?.get.parameters.map((parameter) => parameter.name) ?? [];
    const explained = [...read(name).matchAll(/^\| (`\w+`(?:, `\w+`)*) +\|/gm)].flatMap(([, names = '']) =>
      [...names.matchAll(/\w+/g)].map(([one]) => one),
    );
    expect(explained.sort()).toEqual(parameters.filter((parameter) => parameter !== 'tenant').sort());
  });
});
