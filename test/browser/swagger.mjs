// Uses the documentation pages as an integrator and an operator do, in a real browser: authorize, create a user with
// "Try it out", see 201, list tenants; and sees that no token is left in the browser's storage.
//
//   npm run build && node test/browser/swagger.mjs [screenshot directory]
//
// Needs Chromium (CHROMIUM, or `chromium` where Debian puts it) and the package playwright-core; without one of them it
// says so and ends well. PROGRAM names another build than dist/src/main.js.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const program = process.env.PROGRAM ?? 'dist/src/main.js';
const adminToken = randomBytes(32).toString('hex');
const screenshots = process.argv[2] ?? tmpdir();

/** @returns {typeof import('playwright-core').chromium | undefined} */
function findPlaywright() {
  try {
    return createRequire(import.meta.url)('playwright-core').chromium;
  } catch {
    return undefined;
  }
}

/** @returns {Promise<number>} a port that is free now */
function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Starts the server and reads off what it prints, as a person would. */
async function startServer(dataDir) {
  const port = await freePort();
  const env = {
    PATH: process.env.PATH,
    PORT: String(port),
    DATA_DIR: dataDir,
    LOG_LEVEL: 'error',
    ADMIN_TOKEN: adminToken,
  };
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let printed = '';
  await new Promise((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text;
      if (/Swagger UI.*\n/.test(printed)) resolve();
    });
    void ended.then(resolve);
  });
  const [, token] = /Bearer token\s+(\S+)/.exec(printed) ?? [];
  const [, docs] = /Swagger UI\s+(\S+)/.exec(printed) ?? [];
  assert(token && docs, `The server did not start: ${printed}`);
  const stop = () => {
    child.kill('SIGTERM');
    return ended;
  };
  return { token, docs, stop };
}

/** Opens an operation, sends one of its examples, and returns the status that the page shows. */
async function tryItOut(page, operation, example) {
  const block = page.locator(`.opblock:has([data-path="${operation.path}"]).opblock-${operation.method}`);
  await block.locator('.opblock-summary-control').click();
  await block.getByRole('button', { name: 'Try it out' }).click();
  if (example !== undefined)
    await block.locator('.opblock-section-request-body .examples-select select').selectOption({ label: example });
  await block.getByRole('button', { name: 'Execute' }).click();
  const answer = block.locator('.live-responses-table .response').first();
  await answer.waitFor();
  return {
    block,
    status: (await answer.locator('.response-col_status').first().innerText()).split('\n')[0],
    text: await answer.innerText(),
  };
}

/** Types a token into the dialog "Authorize". */
async function authorize(page, token) {
  await page.locator('.auth-wrapper .authorize').first().click();
  await page.locator('.auth-container input').fill(token);
  await page.screenshot({ path: join(screenshots, 'swagger-2-authorize.png') });
  await page.locator('.auth-btn-wrapper .authorize').click();
  await page.locator('.auth-btn-wrapper .btn-done').click();
}

/** Fails when a page or its storage holds a token after a reload. */
async function expectForgotten(page, token) {
  const kept = () => page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])');
  assert(!(await kept()).includes(token), 'The token is in the storage of the browser');
  await page.reload();
  await page.locator('.opblock').first().waitFor();
  assert.equal(await page.locator('.auth-wrapper .authorize.locked').count(), 0, 'The token outlived a reload');
}

async function useTheAdminPage(page, { docs }) {
  // As a release before this one left it.
  await page.evaluate(`localStorage.setItem('authorized', '${adminToken}')`);
  await page.goto(`${docs}/admin`);
  await page.locator('.opblock').first().waitFor();
  await authorize(page, adminToken);
  const listed = await tryItOut(page, { path: '/admin/v1/tenants', method: 'get' });
  assert.equal(listed.status, '200', listed.text);
  await expectForgotten(page, adminToken);
}

async function useThePage(page, { docs, token }) {
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  await page.goto(docs);
  await page.locator('.opblock').first().waitFor();
  await page.screenshot({ path: join(screenshots, 'swagger-1-page.png'), fullPage: true });

  await authorize(page, token);
  const users = '/scim/v2/Users';
  const created = await tryItOut(page, { path: users, method: 'post' }, 'As Okta sends it');
  await created.block.scrollIntoViewIfNeeded();
  await created.block.screenshot({ path: join(screenshots, 'swagger-3-created.png') });
  assert.equal(created.status, '201', created.text);
  assert.match(created.text, /"userName": "test.user@okta.local"/);
  assert.match(created.text, /location: http:\/\/localhost:\d+\/scim\/v2\/Users\/[0-9a-f-]{36}/);
  assert.doesNotMatch(created.text, /1mz050nq/);

  const listed = await tryItOut(page, { path: users, method: 'get' });
  assert.equal(listed.status, '200', listed.text);
  assert.match(listed.text, /"totalResults": 1/);

  const errors = await page.locator('.errors-wrapper .error').allInnerTexts();
  assert.deepEqual(errors, [], 'The page shows errors of the document');
  await expectForgotten(page, token);
  assert.deepEqual(problems, [], 'The browser reports problems');
}

const playwright = findPlaywright();
const missing = [
  ...(playwright ? [] : ['the package playwright-core (npm install --no-save playwright-core)']),
  ...(existsSync(executablePath) ? [] : [`Chromium at ${executablePath} (CHROMIUM names another)`]),
  ...(existsSync(program) ? [] : [`a build at ${program} (npm run build)`]),
];
if (missing.length > 0) {
  console.log(`Skipped: it needs ${missing.join(', and ')}.`);
} else {
  const dataDir = await mkdtemp(join(tmpdir(), 'rollcall-browser-'));
  const server = await startServer(dataDir);
  const browser = await playwright.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
    page.setDefaultTimeout(20_000);
    await useThePage(page, server);
    await useTheAdminPage(page, server);
    console.log(
      `The documentation page works: authorized, created a user (201), listed it, and kept no token. Screenshots: ${screenshots}`,
    );
  } finally {
    await browser.close();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
