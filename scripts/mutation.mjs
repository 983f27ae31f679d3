// Changes every operator, literal and condition of the filter and PATCH code, one at a time, and expects a test of the
// protocol core to notice. Usage: npm run test:mutation
// Stryker makes the changes (https://stryker-mutator.io). Its own runner starts Jest for each, which would take hours; here
// the tests stay in one process, in which a change is a number that is set, and all take some minutes.
import { createInstrumenter } from '@stryker-mutator/instrumenter';
import { fork } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { clearTimeout, setTimeout } from 'node:timers';
import { createInjector } from 'typed-inject';
import ts from 'typescript';

const mutated = ['src/scim/filter', 'src/scim/patch'];
/** Below node_modules, so that packages are found from there. */
const folder = join('node_modules', '.cache', 'mutation');
/** How long the tests of one change may take, in milliseconds; it is then taken for an endless loop, and noticed. */
const patience = 15_000;
/** How long the tests may take to be loaded and run without a change. */
const loadPatience = 120_000;
const equivalentFile = join('scripts', 'equivalent-mutants.json');

/** Makes the code with all changes in it, and the tests, as JavaScript. @returns the changes */
async function instrument() {
  const all = [...(await sources('src/scim')), ...(await sources('test/support'))];
  const targets = all.filter((file) => mutated.some((path) => file.startsWith(path)) && !file.endsWith('.spec.ts'));
  const quiet = new Proxy({}, { get: () => () => false });
  const instrumenter = createInjector()
    .provideValue('options', {})
    .provideValue('logger', quiet)
    .provideValue('getLogger', () => quiet)
    .injectFunction(createInstrumenter);
  const files = await Promise.all(
    targets.map(async (name) => ({ name, content: await readFile(name, 'utf8'), mutate: true })),
  );
  const result = await instrumenter.instrument(files, {
    ...{ plugins: null, excludedMutations: [], ignorers: [], mutationRange: [] },
  });
  const changed = new Map(result.files.map(({ name, content }) => [name, content]));
  await rm(folder, { recursive: true, force: true });
  for (const file of all) await transpile(file, changed.get(file) ?? (await readFile(file, 'utf8')));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await install('@jest/globals', 'export const { describe, it, expect } = globalThis.testing;');
  return Promise.all(result.mutants.map(describeMutant));
}

async function sources(path) {
  const names = await readdir(path, { recursive: true });
  return names.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts')).map((name) => join(path, name));
}

async function transpile(file, text) {
  const compilerOptions = { target: 'es2022', module: 'es2022', experimentalDecorators: true };
  const { outputText } = ts.transpileModule(text, { fileName: file, compilerOptions });
  const target = join(folder, file.replace(/\.ts$/, '.js'));
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, outputText);
}

async function install(name, text) {
  const path = join(folder, 'node_modules', name);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'package.json'), JSON.stringify({ name, type: 'module', main: 'index.js' }));
  await writeFile(join(path, 'index.js'), text);
}

/** A change as people and lists tell it from others: its file, its line's text, what was there and what is there now. */
async function describeMutant({ id, fileName, location: { start, end }, replacement }) {
  const lines = (await readFile(fileName, 'utf8')).split('\n');
  const rest = start.line === end.line ? end.column : undefined;
  return {
    id,
    place: `${relative('.', fileName)}:${start.line + 1}`,
    change: {
      file: relative('.', fileName),
      line: lines[start.line].trim(),
      original: lines[start.line].slice(start.column, rest),
      replacement: replacement.replace(/\s+/g, ' '),
    },
  };
}

/** Runs the tests against each change in one process, and in another one after a change that made it hang or end. */
async function runEach(ids, report) {
  let left = [...ids];
  while (left.length > 0) {
    for await (const { id, outcome } of outcomesOf(left)) {
      report(id, outcome);
      left = left.filter((other) => other !== id);
    }
    if (left.length > 0) report(left.shift(), 'noticed');
  }
}

/** What the worker says of the changes, until it has said it of all or says nothing for too long. */
async function* outcomesOf(ids) {
  const worker = fork('scripts/mutation-worker.mjs', [folder, 'each'], { execArgv: ['--no-warnings'] });
  const stop = () => worker.kill('SIGKILL');
  let timer = setTimeout(stop, loadPatience);
  const messages = on(worker, 'message', { close: ['disconnect'] });
  worker.send(ids);
  for await (const [message] of messages) {
    clearTimeout(timer);
    timer = setTimeout(stop, patience);
    yield message;
  }
  clearTimeout(timer);
}

/** Runs the tests in a process of their own: what is changed is only looked at when the code is loaded. */
async function runAtLoad(id) {
  const worker = fork('scripts/mutation-worker.mjs', [folder, 'load', id], {
    execArgv: ['--no-warnings'],
    silent: true,
  });
  const timer = setTimeout(() => worker.kill('SIGKILL'), loadPatience);
  const [code] = await once(worker, 'exit');
  clearTimeout(timer);
  return code === 0 ? 'survived' : 'noticed';
}

const mutants = await instrument();
console.log(`${mutants.length} changes of ${mutated.join(' and ')}`);
const outcomes = new Map();
await runEach(
  mutants.map(({ id }) => id),
  (id, outcome) => outcomes.set(id, outcome),
);
const atLoad = [...outcomes].filter(([, outcome]) => outcome === 'at load').map(([id]) => id);
const runNext = async () => {
  for (let id = atLoad.pop(); id !== undefined; id = atLoad.pop()) outcomes.set(id, await runAtLoad(id));
};
await Promise.all(Array.from({ length: availableParallelism() }, runNext));

const keyOf = ({ file, line, original, replacement }) => JSON.stringify([file, line, original, replacement]);
const survived = mutants.filter(({ id }) => outcomes.get(id) !== 'noticed');
if (process.argv.includes('--accept')) {
  await writeFile(
    equivalentFile,
    `${JSON.stringify(
      survived.map(({ change }) => change),
      null,
      2,
    )}\n`,
  );
}
const equivalent = new Set(JSON.parse(await readFile(equivalentFile, 'utf8')).map(keyOf));
const unnoticed = survived.filter(({ change }) => !equivalent.has(keyOf(change)));
for (const { place, change } of unnoticed) console.log(`${place}: ${change.original} -> ${change.replacement}`);
const known = survived.length - unnoticed.length;
console.log(
  `${mutants.length - survived.length} noticed, ${known} known to change nothing, ${unnoticed.length} not noticed`,
);
process.exitCode = unnoticed.length > 0 ? 1 : 0;
