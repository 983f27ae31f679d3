import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { commandsIn, curl } from './support/curl.js';
import { startServer, type TestServer } from './support/server.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** The commands of the tour, each with its lines joined. */
function tour(): string[] {
  const section = readme.slice(readme.indexOf('## A tour with curl'), readme.indexOf('## Connect Okta'));
  return commandsIn(section, 'curl');
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
    expect(documented.sort()).toEqual(read.sort());
  });

  it('links to pages that exist', () => {
    const links = [...readme.matchAll(/\]\(((?!http)[^)]+)\)/g)].map(([, path]) => path ?? '');
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) expect(readFileSync(new URL(`../${link}`, import.meta.url), 'utf8')).not.toBe('');
  });
});
