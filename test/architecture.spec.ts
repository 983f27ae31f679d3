import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize, sep } from 'node:path';
import ts from 'typescript';

/**
 * Who may import whom: a folder of src, or a file that stands in it, with the others it may know. Each knows only those
 * above it, so there are no cycles. Whoever needs another line here changes the architecture.
 */
const mayImport: readonly [unit: string, others: readonly string[]][] = [
  ['scim', []],
  ['config', []],
  ['limits', ['scim', 'config']],
  ['persistence', ['limits', 'scim', 'config']],
  ['http', ['limits', 'scim']],
  ['audit', ['persistence', 'scim', 'config']],
  ['request-log', ['persistence', 'http', 'scim', 'config']],
  ['ops', ['limits', 'persistence', 'http', 'scim', 'config']],
  ['tenants', ['limits', 'persistence', 'http', 'scim', 'config']],
  ['oauth', ['limits', 'tenants', 'persistence', 'http', 'scim', 'config']],
  ['auth', ['oauth', 'limits', 'tenants', 'persistence', 'http', 'scim', 'config']],
  ['resources', ['persistence', 'http', 'scim']],
  ['groups', ['resources', 'persistence', 'http', 'scim']],
  ['users', ['groups', 'resources', 'limits', 'persistence', 'http', 'scim']],
  ['bulk', ['users', 'groups', 'resources', 'limits', 'persistence', 'http', 'scim']],
  ['discovery', ['http', 'scim', 'config']],
  ['admin', ['oauth', 'auth', 'limits', 'tenants', 'request-log', 'audit', 'persistence', 'http', 'scim', 'config']],
  // What puts the parts together.
  ['config.module', ['config']],
  ['app.metrics', ['auth', 'ops', 'request-log', 'tenants', 'limits']],
  ['app.setup', ['app.metrics', 'admin', 'auth', 'ops', 'request-log', 'http', 'persistence', 'scim', 'config']],
  ['first-start', ['auth', 'tenants', 'config']],
  [
    'app.module',
    [
      'admin',
      'audit',
      'auth',
      'bulk',
      'config',
      'config.module',
      'discovery',
      'groups',
      'http',
      'oauth',
      'ops',
      'persistence',
      'request-log',
      'tenants',
      'users',
    ],
  ],
  ['main', ['app.module', 'app.setup', 'config', 'first-start', 'http', 'ops', 'persistence']],
  [
    'cli',
    [
      'main',
      'config.module',
      'admin',
      'auth',
      'oauth',
      'tenants',
      'request-log',
      'audit',
      'ops',
      'persistence',
      'scim',
      'config',
    ],
  ],
];

/** Packages that the protocol core needs. It knows nothing of the framework, the database, the network or the clock. */
const packagesOfScim = ['bidi-js'];

/** What each file imports: files by their path from src, packages by their name. */
type Imports = ReadonlyMap<string, readonly string[]>;

/** What a thread of its own loads is JavaScript, which Node takes as it stands. */
const scripts = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll(sep, '/'))
  .filter((file) => file.endsWith('.js'));

const isFile = (imported: string): boolean => imported.endsWith('.ts') || scripts.includes(imported);

/** The folder that a file is in, or the file itself where it is in none. */
const unitOf = (file: string): string => (file.includes('/') ? (file.split('/')[0] ?? '') : basename(file, '.ts'));

function typeScriptFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll(sep, '/'))
    .filter((file) => file.endsWith('.ts'));
}

function readImports(): Imports {
  const sources = typeScriptFiles('src').filter((file) => !file.endsWith('.spec.ts') && !file.endsWith('.d.ts'));
  return new Map(
    [...sources, ...scripts].map((file) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(join('src', file), 'utf8'), true, true);
      return [file, importedFiles.map(({ fileName }) => resolved(file, fileName))];
    }),
  );
}

function resolved(file: string, imported: string): string {
  if (!imported.startsWith('.')) return imported;
  const found = normalize(join(dirname(file), imported));
  return scripts.includes(found) ? found : found.replace(/\.js$/, '.ts');
}

/** Imports from one unit to another that the table does not have. */
function forbidden(imports: Imports, table: typeof mayImport): string[] {
  const allowed = new Map(table);
  return [...imports].flatMap(([file, imported]) =>
    imported
      .filter((other) => isFile(other) && unitOf(other) !== unitOf(file))
      .filter((other) => !allowed.get(unitOf(file))?.includes(unitOf(other)))
      .map((other) => `${file} imports ${other}`),
  );
}

/** Ways from a file back to itself. */
function cycles(imports: Imports): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file]);
    else if (!done.has(file)) {
      for (const other of imports.get(file) ?? []) if (isFile(other)) visit(other, [...path, file]);
      done.add(file);
    }
  };
  for (const file of imports.keys()) visit(file, []);
  return found;
}

const imports = readImports();

describe('imports', () => {
  it('go where the table allows', () => {
    expect(forbidden(imports, mayImport)).toEqual([]);
  });

  it('have a line in the table for every folder and file of src, in an order that excludes cycles', () => {
    const units = mayImport.map(([unit]) => unit);
    expect([...new Set([...imports.keys()].map(unitOf))].filter((unit) => !units.includes(unit))).toEqual([]);
    const upwards = mayImport.flatMap(([unit, others], index) =>
      others.filter((other) => !units.slice(0, index).includes(other)).map((other) => `${unit} -> ${other}`),
    );
    expect(upwards).toEqual([]);
  });

  it('go round in no circle, between files either', () => {
    expect(cycles(imports)).toEqual([]);
  });

  it('reach the protocol core through its index only', () => {
    const inside = [...imports].flatMap(([file, imported]) =>
      // A script loads the scripts it needs, for it cannot load the index.
      imported
        .filter((other) => !scripts.includes(file) || !scripts.includes(other))
        .filter((other) => unitOf(file) !== 'scim' && unitOf(other) === 'scim' && other !== 'scim/index.ts')
        .map((other) => `${file} imports ${other}`),
    );
    expect(inside).toEqual([]);
  });

  it('bring no package into the protocol core', () => {
    const packages = [...imports].flatMap(([file, imported]) =>
      unitOf(file) === 'scim' ? imported.filter((other) => !isFile(other)) : [],
    );
    expect([...new Set(packages)]).toEqual(packagesOfScim);
  });

  it('name files that are there, by the extension they are compiled to', () => {
    const lost = [...imports].flatMap(([file, imported]) =>
      imported.filter((other) => isFile(other) && !imports.has(other)).map((other) => `${file} imports ${other}`),
    );
    expect(lost).toEqual([]);
  });
});

describe('the checks themselves', () => {
  const sample: Imports = new Map([
    ['scim/index.ts', ['users/user.ts']],
    ['users/user.ts', ['users/name.ts', 'http/x.ts', 'typeorm']],
    ['users/name.ts', ['users/user.ts']],
    ['http/x.ts', ['scim/index.ts']],
  ]);

  it('see an import that the table does not have', () => {
    expect(
      forbidden(sample, [
        ['users', ['http']],
        ['http', ['scim']],
      ]),
    ).toEqual(['scim/index.ts imports users/user.ts']);
  });

  it('see a cycle between files', () => {
    expect(cycles(sample)).toEqual([
      ['users/user.ts', 'users/name.ts', 'users/user.ts'],
      ['scim/index.ts', 'users/user.ts', 'http/x.ts', 'scim/index.ts'],
    ]);
  });

  it('see the imports there are', () => {
    expect(imports.get('app.module.ts')).toContain('users/users.module.ts');
    expect(imports.get('users/user.entity.ts')).toContain('typeorm');
  });
});

describe('files', () => {
  const files = ['src', 'test'].flatMap((root) => typeScriptFiles(root).map((file) => `${root}/${file}`));

  it('have at most 400 lines', () => {
    const lines = (file: string): number => readFileSync(file, 'utf8').trimEnd().split('\n').length;
    expect(files.filter((file) => lines(file) > 400)).toEqual([]);
  });

  it('are named by what they hold: there are no barrels but one, and no drawers for the rest', () => {
    expect(files.filter((file) => basename(file) === 'index.ts')).toEqual(['src/scim/index.ts']);
    const drawers = /\/(?:commons?|utils?|shared|helpers?|misc|lib|types)\//;
    expect(files.filter((file) => drawers.test(file))).toEqual([]);
  });

  it('leave the environment to the configuration', () => {
    const readers = files.filter((file) => /process\.env\b/.test(readFileSync(file, 'utf8')));
    expect(readers.filter((file) => file.startsWith('src/') && !file.endsWith('.spec.ts'))).toEqual(['src/config.ts']);
  });
});
