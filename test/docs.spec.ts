import { describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../src/cli/program.js';
import { readConfig } from '../src/config.js';
import { commandsIn, words } from './support/curl.js';

/** Everything that people read: the pages at the root and those under docs/. */
const pages = [
  ...readdirSync('.').filter((name) => name.endsWith('.md')),
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** A page without its code: a link or a heading in a code block is none. */
const prose = (page: string): string =>
  readFileSync(page, 'utf8')
    .replace(/^```.*?^```/gms, '')
    .replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ' '));

/** What a heading's address ends with, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

/** The anchors of a page. Of headings that are the same, the second ends with -1. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of readFileSync(page, 'utf8')
    .replace(/^```.*?^```/gms, '')
    .matchAll(/^#+ (.*)$/gm)) {
    const anchor = anchorOf(heading);
    let number = 0;
    while (anchors.has(number === 0 ? anchor : `${anchor}-${number}`)) number++;
    anchors.add(number === 0 ? anchor : `${anchor}-${number}`);
  }
  return anchors;
}

/** The links of a page that lead to files of this repository. */
const linksOf = (page: string): string[] =>
  [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link).filter((link) => !/^[a-z]+:/i.test(link));

/** @returns what is wrong with a link, or undefined */
function fault(page: string, link: string): string | undefined {
  const [path = '', anchor] = link.split('#');
  const file = path === '' ? page : join(dirname(page), path);
  if (!existsSync(file)) return `${link}: no such file`;
  if (anchor === undefined || statSync(file).isDirectory()) return undefined;
  return anchorsOf(file).has(anchor) ? undefined : `${link}: no such heading`;
}

describe.each(pages)('%s', (page) => {
  it('links to files and headings that exist', () => {
    expect(
      linksOf(page)
        .map((link) => fault(page, link))
        .filter((found) => found !== undefined),
    ).toEqual([]);
  });

  it('leaves no code block open', () => {
    expect((readFileSync(page, 'utf8').match(/^\s*```/gm) ?? []).length % 2).toBe(0);
  });
});

describe('docs/', () => {
  it('has no page that is not in its index', () => {
    const index = new Set(linksOf('docs/README.md').map((link) => join('docs', link.split('#')[0] ?? '')));
    const connected = new Set(
      linksOf('docs/connect/README.md').map((link) => join('docs/connect', link.split('#')[0] ?? '')),
    );
    const known = pages.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md');
    expect(known.filter((page) => !index.has(page) && !connected.has(page))).toEqual([]);
  });
});

/** What stands for an id in a page. */
const identifiers = Object.fromEntries(
  ['TOKEN_ID', 'CLIENT_ID', 'ISSUER_ID', 'REQUEST_ID'].map((name) => [name, '019aaf3c-6b5e-7cc1-a4ad-0f8d8e5f0a11']),
);

const administering = /^npx rollcall (?:tenant|token|client|issuer|audit|request) /;

/** The commands that administer: those that pages name in their text, and those of their shell blocks. */
const commands = new Set(
  pages.flatMap((page) => {
    const text = readFileSync(page, 'utf8');
    const named = text.match(/(?<=`)npx rollcall [^`…]*(?=`)/g) ?? [];
    return [...named, ...commandsIn(text.replace(/\\\n/g, ' '), 'npx')]
      .map((command) => command.trim())
      .filter((command) => administering.test(command));
  }),
);

describe.each([...commands])('%s', (command) => {
  it('is a command that there is', async () => {
    const remarks: string[] = [];
    const terminal = { write: () => undefined, remark: (text: string) => void remarks.push(text) };
    const withDatabase = () => Promise.reject(new Error('understood'));
    const surroundings = { terminal, readConfig: () => readConfig({}), withDatabase };
    await run(words(command, identifiers).slice(2), surroundings, () => Promise.resolve());
    expect(remarks).toEqual(['rollcall: Unexpected: understood\n']);
  });
});
