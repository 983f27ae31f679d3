// The process in which the tests of the protocol core run against one change after another. See mutation.mjs.
import { expect } from 'expect';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';

const [folder, mode, activeMutant] = process.argv.slice(2);
/** What the changed code looks at: the number of the change, what was reached by which test, and when a loop has to end. */
const stryker = (globalThis.__stryker__ = { activeMutant });
/** How much more often than without a change its place may be reached before it counts as an endless loop. */
const mostTimes = 100;

const tests = [];
const it = (name, run) => tests.push({ id: String(tests.length + 1), run });
it.each = (rows) => (name, run) => rows.forEach((row) => it(name, () => (Array.isArray(row) ? run(...row) : run(row))));
const describe = (name, define) => define();
describe.each = (rows) => (name, define) => rows.forEach((row) => (Array.isArray(row) ? define(...row) : define(row)));
globalThis.testing = { describe, it, expect };

async function loadTests() {
  // The same values for all changes.
  process.env.FAST_CHECK_SEED = '1';
  await import('../test/support/seed.js');
  const names = await readdir(join(folder, 'src', 'scim'), { recursive: true });
  const specs = names.filter((name) => name.endsWith('.spec.js'));
  // Those of the changed code first.
  specs.sort((a, b) => Number(/^(?:filter|patch)/.test(b)) - Number(/^(?:filter|patch)/.test(a)));
  for (const spec of specs) await import(pathToFileURL(resolve(folder, 'src', 'scim', spec)));
}

async function passes({ run }) {
  try {
    await run();
    return true;
  } catch {
    return false;
  }
}

/** Runs all tests without a change. @returns by change: the tests that reach it, the fastest first, and how often */
async function coverage() {
  const durations = new Map();
  for (const test of tests) {
    stryker.currentTestId = test.id;
    const begun = performance.now();
    if (!(await passes(test))) throw new Error(`A test fails without any change: ${test.run}`);
    durations.set(test, performance.now() - begun);
  }
  stryker.currentTestId = undefined;
  const reached = new Map();
  for (const test of [...tests].sort((a, b) => durations.get(a) - durations.get(b))) {
    for (const [mutant, times] of Object.entries(stryker.mutantCoverage.perTest[test.id] ?? {})) {
      const known = reached.get(mutant) ?? { tests: [], times: 0 };
      known.tests.push(test);
      known.times = Math.max(known.times, times);
      reached.set(mutant, known);
    }
  }
  return reached;
}

async function outcomeOf(mutant, reached, atLoad) {
  const { tests: covering, times } = reached.get(mutant) ?? { tests: [], times: 0 };
  stryker.activeMutant = mutant;
  stryker.hitLimit = times * mostTimes + 1000;
  try {
    for (const test of covering) {
      stryker.hitCount = 0;
      if (!(await passes(test))) return 'noticed';
    }
  } finally {
    stryker.activeMutant = undefined;
  }
  return atLoad.has(mutant) ? 'at load' : 'survived';
}

async function runEach(mutants) {
  await loadTests();
  const reached = await coverage();
  const atLoad = new Set(Object.keys(stryker.mutantCoverage.static));
  for (const id of mutants) process.send({ id, outcome: await outcomeOf(id, reached, atLoad) });
  process.disconnect();
}

/** Ends with 1 as soon as a test fails. */
async function runAll() {
  await loadTests();
  for (const test of tests) if (!(await passes(test))) process.exit(1);
  process.exit(0);
}

if (mode === 'load') await runAll();
else process.once('message', (mutants) => void runEach(mutants));
