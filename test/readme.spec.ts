import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { startServer, type TestServer } from './support/server.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** Splits a command into its words as a POSIX shell does, with the variables given. */
function words(command: string, variables: Readonly<Record<string, string>>): string[] {
  const parts = command.matchAll(/'([^']*)'|"((?:[^"\\]|\\.)*)"|([^\s'"]+)|(\s+)/g);
  const expand = (text: string): string => text.replace(/\$([A-Z_]+)/g, (_, name: string) => variables[name] ?? '');
  const found: string[] = [''];
  for (const [, single, double, bare, space] of parts) {
    if (space !== undefined) found.push('');
    else found[found.length - 1] += single ?? expand(double ?? bare ?? '');
  }
  return found.filter((word) => word !== '');
}

/** Sends the request that a curl command describes. */
async function curl(command: string, variables: Readonly<Record<string, string>>): Promise<Response> {
  const [program, ...given] = words(command, variables);
  expect(program).toBe('curl');
  const headers = new Headers();
  let method: string | undefined;
  let body: string | undefined;
  let url = '';
  let query = '';
  while (given.length > 0) {
    const word = given.shift() ?? '';
    if (word === '-X') method = given.shift();
    else if (word === '-d') body = given.shift();
    else if (word === '--data-urlencode')
      query = `?${(given.shift() ?? '').replace(/=(.*)/s, (_, value: string) => `=${encodeURIComponent(value)}`)}`;
    else if (word === '-H') headers.append(...((given.shift() ?? '').split(/: (.*)/s, 2) as [string, string]));
    else if (word !== '-s' && word !== '-G') url = word;
  }
  return fetch(url + query, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers,
    ...(body === undefined ? {} : { body }),
  });
}

/** The commands of the tour, each with its lines joined. */
function tour(): string[] {
  const section = readme.slice(readme.indexOf('## A tour with curl'), readme.indexOf('## Connect Okta'));
  return [...section.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = '']) =>
    block
      .split(/\n(?=curl )/)
      .filter((command) => command.startsWith('curl '))
      .map((command) => command.trim()),
  );
}

describe('README', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());

  it('has a tour whose commands work one after the other', async () => {
    const variables: Record<string, string> = { BASE: server.scim.baseUrl, TOKEN: server.scim.token };
    const answers: [number, string | undefined][] = [];
    for (const command of tour()) {
      const answer = await curl(command, variables);
      const text = await answer.text();
      const body =
        text === ''
          ? undefined
          : (JSON.parse(text) as { id?: string; totalResults?: number; meta?: { resourceType: string } });
      if (answer.status === 201)
        variables[body?.meta?.resourceType === 'User' ? 'USER_ID' : 'GROUP_ID'] = body?.id ?? '';
      answers.push([answer.status, body?.meta?.resourceType ?? (body && `${body.totalResults} found`)]);
    }
    expect(answers).toEqual([
      [201, 'User'],
      [200, '1 found'],
      [201, 'Group'],
      [200, 'User'],
      [204, undefined],
      [204, undefined],
      [204, undefined],
    ]);
  });

  it('names every environment variable that the configuration reads', () => {
    const config = readFileSync(new URL('../src/config.ts', import.meta.url), 'utf8');
    const read = [...config.matchAll(/^ {2}([A-Z_]+)(?:\?)?(?::| =)/gm)].map(([, name]) => name);
    const documented = [...readme.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name]) => name);
    expect(documented.sort()).toEqual(read.filter((name) => name !== 'ADMIN_TOKEN').sort());
  });

  it('links to pages that exist', () => {
    const links = [...readme.matchAll(/\]\(((?!http)[^)]+)\)/g)].map(([, path]) => path ?? '');
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) expect(readFileSync(new URL(`../${link}`, import.meta.url), 'utf8')).not.toBe('');
  });
});
