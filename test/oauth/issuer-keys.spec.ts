import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { JsonObject } from '../../src/scim/index.js';
import type { AdministeredServer } from '../support/admin.js';
import { fakeClock } from '../support/clock.js';
import { issuerKey, startIssuer, type TestIssuer } from '../support/issuer.js';
import { acceptIssuer, audience, reading, reads, startOAuthServer } from '../support/oauth.js';

const { taken, refused, unavailable } = reads;

let server: AdministeredServer;
let issuer: TestIssuer;

beforeAll(async () => {
  server = await startOAuthServer();
});

// Each test has an issuer of its own, so that nothing is remembered of its keys.
beforeEach(async () => {
  issuer = await startIssuer();
});

afterEach(async () => {
  jest.useRealTimers();
  await issuer.stop();
});

afterAll(() => server.close());

const accepting = (definition?: JsonObject) => acceptIssuer(server, issuer, definition);

const read = (token: string) => reading(server, token);

const signed = (
  claims: Readonly<Record<string, unknown>> = {},
  ...rest: [key?: TestIssuer['keys'][number], header?: object]
) => issuer.sign({ aud: audience, ...claims }, ...rest);

/** Warnings that the server logged of the issuer. */
const warnings = (): unknown[] =>
  server
    .logged()
    .filter(({ level, msg }) => level === 40 && String(msg).includes(issuer.url))
    .map(({ msg }) => msg);

describe('the keys of an issuer (RFC 7517)', () => {
  it('are read once for many tokens', async () => {
    await accepting();
    await Promise.all(Array.from({ length: 10 }, async () => read(await signed({ jti: String(Math.random()) }))));
    expect(issuer.fetched()).toBe(1);
  });

  it('rotate: a token of a new key makes them read again, at most every 30 seconds', async () => {
    await accepting();
    fakeClock(Date.now());
    expect(await read(await signed())).toEqual(taken);
    const second = await issuerKey('second');
    issuer.keys.push(second);
    // A flood of unknown keys is no flood of requests to the issuer.
    for (const kid of ['a', 'b', 'c']) expect(await read(await signed({}, await issuerKey(kid)))).toEqual(refused);
    expect(issuer.fetched()).toBe(1);
    jest.setSystemTime(Date.now() + 30_001);
    expect(await read(await signed({}, second))).toEqual(taken);
    expect(issuer.fetched()).toBe(2);
  });

  it('end: a key that is no longer published is no good after ten minutes', async () => {
    await accepting();
    fakeClock(Date.now());
    expect(await read(await signed())).toEqual(taken);
    const [old] = issuer.keys.splice(0, 1, await issuerKey('second'));
    jest.setSystemTime(Date.now() + 600_001);
    // This one makes them read, and need not wait for it.
    expect(await read(await signed({ jti: '1' }, old))).toEqual(taken);
    while (issuer.fetched() < 2) await new Promise(setImmediate);
    expect(await read(await signed({}))).toEqual(taken);
    expect(await read(await signed({ jti: '2' }, old))).toEqual(refused);
  });

  it('that cannot be read make it 503 with Retry-After, so that the identity provider tries again', async () => {
    await accepting();
    await issuer.stop();
    expect(await read(await signed())).toEqual(unavailable);
    expect(warnings()).toEqual([`The keys of the issuer ${issuer.url} cannot be read (ECONNREFUSED)`]);
    await issuer.resume();
    // For five seconds nobody waits for an issuer that did not answer.
    expect(await read(await signed())).toEqual(unavailable);
    fakeClock(Date.now() + 5_001);
    expect(await read(await signed())).toEqual(taken);
  });

  it('go on for a day while the issuer cannot be reached, and no longer', async () => {
    await accepting();
    expect(await read(await signed())).toEqual(taken);
    await issuer.stop();
    fakeClock(Date.now() + 23 * 3_600_000);
    expect(await read(await signed())).toEqual(taken);
    jest.setSystemTime(Date.now() + 3_600_001);
    expect(await read(await signed())).toEqual(unavailable);
    await issuer.resume();
  });

  it('that cannot be read make it 503 also for a key that nobody has seen, which may be the new one', async () => {
    await accepting();
    expect(await read(await signed())).toEqual(taken);
    await issuer.stop();
    fakeClock(Date.now() + 30_001);
    expect(await read(await signed({}, await issuerKey('second')))).toEqual(unavailable);
    expect(await read(await signed())).toEqual(taken);
    await issuer.resume();
  });

  it.each<[what: string, answer: Parameters<TestIssuer['answer']>[0], reason: string]>([
    ['fails', (response) => response.writeHead(500).end('broken'), 'The answer is 500'],
    [
      'redirects',
      (response) => response.writeHead(302, { Location: 'http://169.254.169.254/latest' }).end(),
      'The answer is 302',
    ],
    [
      'answers with too much',
      (response) => response.end(`{"keys":[${' '.repeat(300_000)}]}`),
      'The answer is larger than 262144 bytes',
    ],
    ['answers with what is no JSON', (response) => response.end('<html>'), expect.any(String) as unknown as string],
    ['answers with what are no keys', (response) => response.end('{"keys":"none"}'), 'ERR_JWKS_INVALID'],
    ['hangs up', (response) => response.destroy(), 'ECONNRESET'],
  ])('are not there when the issuer %s', async (_what, answer, reason) => {
    await accepting();
    issuer.answer(answer);
    expect(await read(await signed())).toEqual(unavailable);
    const [warning] = warnings() as string[];
    expect(warning?.slice(`The keys of the issuer ${issuer.url} cannot be read (`.length, -1)).toEqual(reason);
    issuer.answer();
    fakeClock(Date.now() + 5_001);
    expect(await read(await signed())).toEqual(taken);
  });

  it.each<[what: string, metadata: object, reason: string]>([
    [
      'of another issuer (RFC 8414 section 3.3)',
      { issuer: 'https://elsewhere.example' },
      'The metadata is of another issuer',
    ],
    ['without jwks_uri', {}, 'The metadata has no jwks_uri'],
    [
      'with keys inside our network',
      { jwks_uri: 'http://169.254.169.254/jwks' },
      'jwks_uri "http://169.254.169.254/jwks" must be https',
    ],
    ['with keys in a file', { jwks_uri: 'file:///etc/passwd' }, 'jwks_uri "file:///etc/passwd" must be https'],
  ])('are not looked for by metadata %s', async (_what, metadata, reason) => {
    await accepting();
    issuer.describe({ issuer: issuer.url, ...metadata });
    expect(await read(await signed())).toEqual(unavailable);
    expect(warnings()).toEqual([expect.stringContaining(reason)]);
  });
});
