// Runs each test file that failed once more, by itself, so that one flaky file does not hide what a change does.
// Usage: node scripts/rerun.mjs RESULTS.json [FLAKES.txt] [JEST ARGUMENTS]
// RESULTS.json is what `npm test -- --json --outputFile=RESULTS.json` wrote. A file that passes the second time takes the
// place of its first result there, and is named in FLAKES.txt with what failed. Ends with 1 when a file fails twice, and
// runs nothing when so many failed that it is the change that is broken.
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const [resultsFile, flakesFile, ...jestArguments] = process.argv.slice(2);
if (resultsFile === undefined) {
  console.error('Usage: node scripts/rerun.mjs RESULTS.json [FLAKES.txt] [JEST ARGUMENTS]');
  process.exit(2);
}

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const countOf = (result, status) => result.assertionResults.filter((test) => test.status === status).length;

/** What failed in a file: the full names of tests, or that the file could not be run. */
function failures({ assertionResults, message }) {
  const failed = assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
  return failed.length > 0 ? failed : [`the file itself: ${message.trim().split('\n')[0] ?? ''}`];
}

const summary = (result) =>
  `${countOf(result, 'passed')} passed, ${countOf(result, 'failed')} failed` +
  (result.status === 'failed' && countOf(result, 'failed') === 0 ? ', and the file could not be run' : '');

/** Runs one file in a run of its own. @returns its result, as Jest writes it */
function runAgain(file, directory, index) {
  const output = join(directory, `${index}.json`);
  const jest = ['test', '--', '--runTestsByPath', file, '--json', '--testLocationInResults', `--outputFile=${output}`];
  spawnSync('npm', [...jest, ...jestArguments], { stdio: ['ignore', 'ignore', 'inherit'] });
  return read(output).testResults[0];
}

const mostFiles = 10;

const run = read(resultsFile);
const failed = run.testResults.filter(({ status }) => status === 'failed').length;
if (failed > mostFiles) {
  console.log(`== ${failed} test files failed: too many to be flakes`);
  process.exit(1);
}
const directory = mkdtempSync(join(tmpdir(), 'rollcall-rerun-'));
const flakes = [];
run.testResults = run.testResults.map((first, index) => {
  if (first.status !== 'failed') return first;
  const file = relative('', first.name);
  console.log(`== ${file} failed; once more by itself`);
  const second = runAgain(file, directory, index);
  console.log(`   first run:  ${summary(first)}\n   second run: ${summary(second)}`);
  for (const name of failures(first)) console.log(`   failed first: ${name}`);
  if (second.status === 'failed') return second;
  flakes.push(`${file}: ${failures(first).join('; ')}`);
  return second;
});
rmSync(directory, { recursive: true, force: true });

const total = (status) => run.testResults.reduce((sum, result) => sum + countOf(result, status), 0);
run.numPassedTests = total('passed');
run.numFailedTests = total('failed');
run.success = run.testResults.every(({ status }) => status !== 'failed');
writeFileSync(resultsFile, JSON.stringify(run));
if (flakesFile !== undefined) for (const flake of flakes) appendFileSync(flakesFile, `${flake}\n`);
process.exit(run.success ? 0 : 1);
