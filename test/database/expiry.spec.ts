import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createHash } from 'node:crypto';
import { TokenAuthentication } from '../../src/auth/token-authentication.js';
import { TokenEntity } from '../../src/auth/token.entity.js';
import { TokensService } from '../../src/auth/tokens.service.js';
import { Config } from '../../src/config.js';
import { prepareDefaultTenant } from '../../src/first-start.js';
import type { Tenant } from '../../src/tenants/principal.js';
import { TenantsService } from '../../src/tenants/tenants.service.js';
import { scimError } from '../support/errors.js';
import { fakeClock } from '../support/clock.js';
import { author, startServer, type TestServer } from '../support/server.js';

const minute = 60_000;
const year = 365 * 24 * 60 * minute;

let server: TestServer;
let tenant: Tenant;
beforeEach(async () => {
  server = await startServer();
  tenant = await server.app.get(TenantsService).ensureDefault(author);
});
afterEach(async () => {
  jest.useRealTimers();
  await server.close();
});

const status = async (token: string): Promise<number> => (await server.scim.list('/Users?count=0', { token })).status;
/** Issues a token as of a time. @returns its secret */
const issue = async (name: string, now?: Date): Promise<string> =>
  (await server.app.get(TokensService).issue(author, tenant, { name }, now)).secret;
const flushLastUsed = (): Promise<void> => server.app.get(TokenAuthentication).flushLastUsed();
const ago = (milliseconds: number): Date => new Date(Date.now() - milliseconds);
const rows = () => server.dataSource.getRepository(TokenEntity).find({ order: { id: 'ASC' } });
const lastUsed = async (): Promise<(Date | null)[]> => (await rows()).map(({ lastUsedAt }) => lastUsedAt);
const configure = (scimToken?: string): Promise<string | undefined> => {
  const { scimToken: _configured, ...config } = server.app.get(Config);
  return prepareDefaultTenant(server.app, scimToken === undefined ? config : { ...config, scimToken });
};

describe('A bearer token (RFC 7644 section 7.4)', () => {
  it('works for a year and not longer', async () => {
    const lasting = await issue('lasting', ago(year - minute));
    const expired = await issue('expired', ago(year + minute));
    expect([await status(lasting), await status(expired)]).toEqual([200, 401]);
  });

  it('that has expired is refused in the words that one which never was gets (RFC 6750 section 3)', async () => {
    const expired = await issue('expired', ago(year + minute));
    const answers = await Promise.all(
      [expired, 'rollcall_never'].map((token) => server.scim.post('/Users', { userName: 'ann' }, { token })),
    );
    expect(answers.map(({ status, headers, body }) => [status, headers.get('www-authenticate'), body])).toEqual(
      answers.map(() => [401, 'Bearer realm="rollcall", error="invalid_token"', scimError(401)]),
    );
    expect(answers[0]?.text).toBe(answers[1]?.text);
    expect((await server.scim.list('/Users')).body.totalResults).toBe(0);
  });

  it('lives beside another, so that one can be replaced without a gap, and ends on time though it was just used', async () => {
    const [old, next] = [await issue('old', ago(year - minute)), await issue('next')];
    expect([await status(old), await status(next)]).toEqual([200, 200]);
    fakeClock(Date.now() + minute);
    expect([await status(old), await status(next)]).toEqual([401, 200]);
  });

  it('is stored as a hash only, and is in no log', async () => {
    const secret = await issue('secret');
    expect(await status(secret)).toBe(200);
    const stored = await server.dataSource.getRepository(TokenEntity).findOneByOrFail({ name: 'secret' });
    expect(Buffer.from(stored.secretHash).equals(createHash('sha256').update(secret).digest())).toBe(true);
    const texts: { text: string }[] = await server.dataSource.query('SELECT t::text AS text FROM tokens t');
    const random = secret.slice('rollcall_'.length);
    const written = [...texts.map(({ text }) => text), JSON.stringify(server.logged())];
    const forms = [random, Buffer.from(random).toString('hex'), Buffer.from(secret).toString('hex')];
    expect(forms.filter((form) => written.some((text) => text.includes(form)))).toEqual([]);
  });

  it('notes when it was last used: at intervals and at the end, not with each request', async () => {
    const used = await issue('used');
    const before = Date.now();
    for (let request = 0; request < 5; request++) expect(await status(used)).toBe(200);
    expect(await lastUsed()).toEqual([null, null]);
    await flushLastUsed();
    const [unused, at] = await lastUsed();
    expect(unused).toBeNull();
    expect(at?.getTime()).toBeGreaterThanOrEqual(before);
    await flushLastUsed();
    expect(await lastUsed()).toEqual([null, at]);
    await server.dataSource.query('UPDATE tokens SET last_used_at = $1 WHERE name = $2', [
      new Date(Date.now() + year),
      'used',
    ]);
    expect(await status(used)).toBe(200);
    await flushLastUsed();
    // Another process wrote a later time in the meantime, which stays.
    expect((await lastUsed())[1]?.getTime()).toBeGreaterThan(Date.now());
  });
});

describe('The token of the configuration', () => {
  it('works, and is replaced when the configuration changes', async () => {
    expect(await configure('first-secret')).toBeUndefined();
    expect(await status('first-secret')).toBe(200);
    expect(await configure('second-secret')).toBeUndefined();
    expect([await status('first-secret'), await status('second-secret')]).toEqual([401, 200]);
  });

  it('stays the same token from start to start, and lasts a year from the latest', async () => {
    await configure('kept-secret');
    const [, first] = await rows();
    await server.dataSource.getRepository(TokenEntity).update({ name: 'SCIM_TOKEN' }, { expiresAt: ago(minute) });
    expect(await status('kept-secret')).toBe(401);
    await configure('kept-secret');
    expect(await status('kept-secret')).toBe(200);
    const [, second, ...more] = await rows();
    expect([second?.id, more]).toEqual([first?.id, []]);
    expect(second?.expiresAt.getTime()).toBeGreaterThan(Date.now() + year - minute);
  });

  it('does not end the tokens that were issued', async () => {
    const issued = await issue('issued');
    await configure('configured-secret');
    expect([await status(issued), await status(server.scim.token)]).toEqual([200, 200]);
  });
});

describe('The first token', () => {
  it('is made once, however many processes start at the same time', async () => {
    await server.dataSource.query('DELETE FROM tokens');
    const made = await Promise.all(Array.from({ length: 8 }, () => configure()));
    const secrets = made.filter((secret) => secret !== undefined);
    expect(secrets).toHaveLength(1);
    expect([await status(secrets[0] ?? ''), (await rows()).length]).toEqual([200, 1]);
  });

  it('is not made again when it has expired', async () => {
    await server.dataSource.getRepository(TokenEntity).update({ tenantId: tenant.id }, { expiresAt: ago(minute) });
    expect(await configure()).toBeUndefined();
    expect(await status(server.scim.token)).toBe(401);
  });
});
