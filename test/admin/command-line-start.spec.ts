import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';

/** What is loaded by loading a file: packages by their name, files by their path. Types and what is loaded later are not. */
function loadedBy(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
  const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), { compilerOptions });
  for (const [, imported = ''] of outputText.matchAll(/^(?:import|export) (?:[^'"]*? from )?['"]([^'"]+)['"];/gm)) {
    if (imported.startsWith('.')) {
      const path = normalize(join(dirname(file), imported));
      loadedBy(
        /(?:json-bounds|json-fault|json-reader|link-portions|quote)\.js$/.test(path)
          ? path
          : path.replace(/\.js$/, '.ts'),
        found,
      );
    } else found.add(imported);
  }
  return found;
}

const packagesOf = (file: string): string[] =>
  [...loadedBy(file)].filter((name) => !name.startsWith('src/') && !name.startsWith('node:')).sort();

describe('a start of the command line', () => {
  it('loads neither the framework nor the database before it knows what is to be done', () => {
    expect(packagesOf('src/cli/main.ts')).toEqual(['bidi-js', 'commander']);
  });

  it('sees what a start would load', () => {
    expect(packagesOf('src/cli/in-process.ts')).toEqual(expect.arrayContaining(['@nestjs/core', 'typeorm']));
  });

  it('opens databases without the framework, and finds servers without databases', () => {
    expect(packagesOf('src/cli/open-database.ts').filter((name) => name.startsWith('@nestjs'))).toEqual([]);
    expect(packagesOf('src/persistence/server-address.ts')).toEqual(['proper-lockfile']);
  });

  it('serves HTTP nowhere: a command loads no guard, no metrics and no tracing', () => {
    const loaded = [...loadedBy('src/cli/in-process.ts')];
    expect(loaded.filter((name) => /^src\/(?:users|groups|bulk|ops|resources|discovery)\//.test(name))).toEqual([]);
  });
});
