import { describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { run } from '../src/cli/program.js';

interface Rule {
  readonly alert: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly runbook_url?: string };
}

const rules = (
  parse(readFileSync('deploy/kubernetes/components/monitoring/prometheusrule.yaml', 'utf8')) as {
    spec: { groups: { rules: Rule[] }[] };
  }
).spec.groups.flatMap((group) => group.rules);

const read = (page: string): string => readFileSync(join('docs', page), 'utf8');

/** The sections of a page of some level by their headings. */
function sections(page: string, level = '##'): ReadonlyMap<string, string> {
  const parts = read(page)
    .split(new RegExp(`^${level} `, 'm'))
    .slice(1);
  return new Map(parts.map((part) => [part.split('\n')[0] ?? '', part.slice(part.indexOf('\n')).trim()]));
}

/** What a heading's address ends with, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

describe('docs/alerts.md', () => {
  it('has a section for each alert, and for no other', () => {
    expect([...sections('alerts.md').keys()].sort()).toEqual(rules.map(({ alert }) => alert).sort());
  });

  it.each(rules)('says how urgent $alert is and what to do', ({ alert, labels, annotations }) => {
    const section = sections('alerts.md').get(alert) ?? '';
    expect(section.toLowerCase().split('.')[0]).toBe(labels.severity);
    expect(section.length).toBeGreaterThan(150);
    // Where the rule links to a page, it is this section.
    expect(annotations.runbook_url ?? `docs/alerts.md#${anchorOf(alert)}`).toMatch(
      new RegExp(`docs/alerts\\.md#${anchorOf(alert)}$`),
    );
  });
});

const pages = readdirSync('docs').filter((name) => name.endsWith('.md'));

describe.each(pages)('docs/%s', (page) => {
  it('links to files and headings that exist', () => {
    const links = [...read(page).matchAll(/\]\(((?!http)[^)]+)\)/g)].map(([, link = '']) => link);
    const broken = links.filter((link) => {
      const [path, anchor] = link.split('#');
      const file = path ? join('docs', path) : join('docs', page);
      if (!existsSync(file)) return true;
      if (anchor === undefined) return false;
      const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
      return !headings.map(anchorOf).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('names files and scripts that exist', () => {
    const text = read(page);
    const files = [...text.matchAll(/(?<![\w./-])((?:deploy|docs|scripts|src|test)\/[\w./-]*[\w-])/g)].map(
      ([, path = '']) => path,
    );
    const scripts = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name);
    const known = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object };
    expect(files.filter((path) => !existsSync(path))).toEqual([]);
    expect(scripts.filter((name) => !Object.hasOwn(known.scripts, name))).toEqual([]);
  });

  it('runs commands in a container as the image does, which has no shell and no PATH to speak of', () => {
    const [, entrypoint = '[]'] = /^ENTRYPOINT (\[.*\])$/m.exec(readFileSync('deploy/Dockerfile', 'utf8')) ?? [];
    const commands = [...read(page).matchAll(/(?:kubectl|docker)\b[^\n]* exec [^\n]* -- (\S+ \S+)/g)].map(
      ([, command]) => command,
    );
    expect(commands.filter((command) => command !== (JSON.parse(entrypoint) as string[]).join(' '))).toEqual([]);
  });

  it('is found from the README', () => {
    const links = [...readFileSync('README.md', 'utf8').matchAll(/\]\((docs\/[^)#]+)/g)].map(([, link]) => link);
    expect(links).toContain(`docs/${page}`);
  });
});

describe.each(['operating.md', 'alerts.md'])('docs/%s', (page) => {
  it('names commands that there are', async () => {
    const named = [...read(page).matchAll(/rollcall ([a-z]+(?: (?:list|create|set))?)(?=[ `])/g)].map(
      ([, name = '']) => name,
    );
    const commands = [...new Set(named)].filter((name) => !/^(?:get|logs|describe)/.test(name));
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands) {
      const help: string[] = [];
      const terminal = {
        write: (text: string) => void help.push(text),
        remark: (text: string) => void help.push(text),
      };
      const surroundings = {
        terminal,
        readConfig: () => Promise.reject(new Error('not here')) as never,
        withDatabase: () => Promise.reject(new Error('not here')),
      };
      const code = await run([...command.split(' '), '--help'], surroundings, () => Promise.resolve());
      expect([command, code, help.join('')]).toEqual([command, 0, expect.stringContaining(`rollcall ${command}`)]);
    }
  });
});

describe('docs/operating.md', () => {
  it('names what proves each thing: all tests about deployment, and the scripts', () => {
    const named = new Set(read('operating.md').match(/(?:test|scripts)\/[\w./-]+\w/g));
    const deployment = readdirSync('test/deploy').map((name) => `test/deploy/${name}`);
    expect([...deployment, 'scripts/image.mjs'].filter((path) => !named.has(path))).toEqual([]);
  });

  it('names no variable that the README does not explain', () => {
    const readme = readFileSync('README.md', 'utf8');
    const named = [...read('operating.md').matchAll(/`([A-Z]+(?:_[A-Z]+)+)[=`]/g)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(0);
    // The one that the tests read.
    const unknown = new Set(named.filter((name) => !readme.includes(`| \`${name}\``) && name !== 'POSTGRES_BIN'));
    expect([...unknown]).toEqual([]);
  });
});
