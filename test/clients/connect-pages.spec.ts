import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import type { ScimClient } from '../support/client.js';
import { startServer, type TestServer } from '../support/server.js';

const directory = 'docs/connect';
const pages = readdirSync(directory).filter((name) => name !== 'README.md');

/** A request that a page shows, and the status that it promises. */
interface Shown {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** JSON, or empty. */
  readonly body: string;
}

/** The requests of a page's `http` blocks: a line such as `POST /Users → 201`, and the body below it if there is one. */
function requestsIn(page: string): Shown[] {
  const text = readFileSync(`${directory}/${page}`, 'utf8');
  return [...text.matchAll(/```http\n(.*?)```/gs)].flatMap(([, block = '']) =>
    [...block.matchAll(/^([A-Z]+) (\/.*) → (\d{3})\n((?:(?![A-Z]+ \/).*\n)*)/gm)].map(
      ([, method = '', path = '', status = '', body = '']) => ({ method, path, status: Number(status), body }),
    ),
  );
}

/** The path as it goes over the wire: the page shows a filter as it reads. */
const encoded = (path: string): string => path.replace(/[ "]/g, (character) => encodeURIComponent(character));

/** Sends requests in their order. Ids of what they create take the place of USER_ID and GROUP_ID in those behind. */
async function send(scim: ScimClient, requests: readonly Shown[]): Promise<string[]> {
  const ids: Record<string, string> = {};
  const named = (text: string): string => text.replace(/(?:USER|GROUP)_ID/g, (name) => ids[name] ?? name);
  const answers: string[] = [];
  for (const { method, path, body } of requests) {
    const sent = body === '' ? undefined : JSON.stringify(JSON.parse(named(body)));
    const answer = await scim.send<{ id?: string }>(method, encoded(named(path)), sent);
    if (answer.status === 201) ids[path === '/Users' ? 'USER_ID' : 'GROUP_ID'] = answer.body.id ?? '';
    answers.push(`${method} ${path} → ${answer.status}`);
  }
  return answers;
}

describe('docs/connect', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());

  it.each(pages)('%s shows requests that are answered as it says, one after the other', async (page) => {
    const requests = requestsIn(page);
    expect(requests.length).toBeGreaterThan(1);
    const scim = await server.addTenant(page.replace('.md', ''));
    const shown = requests.map(({ method, path, status }) => `${method} ${path} → ${status}`);
    expect(await send(scim, requests)).toEqual(shown);
  });

  it.each(pages)('%s has the sections that every page has', (page) => {
    const text = readFileSync(`${directory}/${page}`, 'utf8');
    const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    const wanted = ['Before you start', 'Paste', 'Attributes', 'Requests', 'Profile and settings', 'Groups']
      .concat(['People who exist already', 'Leavers and returners', 'If it fails'])
      .filter((heading) => !headings.includes(heading));
    expect(wanted).toEqual([]);
  });

  it.each(pages)('%s is in the index', (page) => {
    expect(readFileSync(`${directory}/README.md`, 'utf8')).toContain(`](${page})`);
  });
});
