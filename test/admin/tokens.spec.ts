import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { TokenAuthentication } from '../../src/auth/token-authentication.js';
import type { JsonValue } from '../../src/scim/index.js';
import {
  startAdministered,
  type AdministeredServer,
  type AdminList,
  type AdminTenant,
  type AdminToken,
} from '../support/admin.js';
import { fakeClock } from '../support/clock.js';
import { scimError } from '../support/errors.js';

const day = 24 * 60 * 60 * 1000;
const year = 365 * day;
const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

let server: AdministeredServer;
beforeAll(async () => {
  server = await startAdministered();
  await server.admin.post('/tenants', { name: 'acme' });
  await server.admin.post('/tenants', { name: 'globex' });
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});
afterAll(() => server.close());

const create = (body: JsonValue = { name: 'Okta' }, tenant = 'acme') =>
  server.admin.post<AdminToken>(`/tenants/${tenant}/tokens`, body);
const issue = async (body: JsonValue = { name: 'Okta' }): Promise<AdminToken> => (await create(body)).body;
const rotate = (id: string, body: JsonValue, tenant = 'acme') =>
  server.admin.post<AdminToken>(`/tenants/${tenant}/tokens/${id}/rotate`, body);
const revoke = (id: string, tenant = 'acme') => server.admin.delete(`/tenants/${tenant}/tokens/${id}`);
const list = async (query = ''): Promise<AdminList<AdminToken>> =>
  (await server.admin.get<AdminList<AdminToken>>(`/tenants/acme/tokens${query}`)).body;
const find = async (id: string): Promise<AdminToken | undefined> =>
  (await list()).items.find((token) => token.id === id);
const status = async ({ secret: token }: AdminToken): Promise<number> =>
  (await server.scim.list('/Users?count=0', { token })).status;
const inTime = (time: string): number => new Date(time).getTime() - Date.now();

/** Lets so many milliseconds pass for what is remembered, which goes by the clock that cannot be set. */
function pass(milliseconds: number): void {
  const later = performance.now() + milliseconds;
  jest.spyOn(performance, 'now').mockReturnValue(later);
}

describe('POST /tenants/{name}/tokens', () => {
  it('creates a token for everything, for a year, and shows its secret', async () => {
    const { status: created, headers, body } = await create();
    expect([created, headers.get('cache-control')]).toEqual([201, 'no-store']);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'Okta',
      prefix: body.secret.slice(0, 'rollcall_'.length + 6),
      scopes: ['read', 'write', 'bulk'],
      createdAt: expect.any(String),
      expiresAt: expect.any(String),
      revokedAt: null,
      lastUsedAt: null,
      secret: expect.stringMatching(/^rollcall_[0-9A-Za-z]{49}$/),
    });
    expect(Math.abs(inTime(body.expiresAt) - year)).toBeLessThan(day);
    expect(await status(body)).toBe(200);
  });

  it('makes secrets that scanners can tell from texts that look like one: they end with a checksum', async () => {
    for (let made = 0; made < 5; made++) {
      const [, random = '', checksum = ''] = /^rollcall_(.{43})(.{6})$/.exec((await issue()).secret) ?? [];
      const value = [...checksum].reduce((sum, digit) => sum * 62 + base62.indexOf(digit), 0);
      expect(value).toBe(crc32(random));
    }
  });

  it('creates a token with scopes and an end of its own', async () => {
    const expiresAt = new Date(Date.now() + 10 * 365 * day).toISOString();
    const token = await issue({ name: 'Reports', scopes: ['read'], expiresAt });
    expect([token.scopes, token.expiresAt]).toEqual([['read'], expiresAt]);
    const zoned = await issue({ name: 'zoned', expiresAt: '2030-01-31T02:00:00.5+02:00' });
    expect(zoned.expiresAt).toBe('2030-01-31T00:00:00.500Z');
  });

  const message = {
    name: 'name must have 1 to 200 characters, and no control characters.',
    scopes: 'scopes must be one or more of read, write, bulk, each once.',
    zone: 'expiresAt must be a date and time with its zone, such as 2027-01-31T00:00:00Z.',
    end: 'expiresAt must be in the future, and ten years away at most.',
  };

  it.each<[JsonValue, string]>([
    [{}, message.name],
    [{ name: '' }, message.name],
    [{ name: 'a\nb' }, message.name],
    [{ name: 'a'.repeat(201) }, message.name],
    [{ name: 7 }, message.name],
    [{ name: 'SCIM_TOKEN' }, 'name: SCIM_TOKEN is the name of the token in the configuration.'],
    [{ name: 'x', scopes: [] }, message.scopes],
    [{ name: 'x', scopes: ['admin'] }, message.scopes],
    [{ name: 'x', scopes: ['read', 'read'] }, message.scopes],
    [{ name: 'x', scopes: 'read' }, message.scopes],
    [{ name: 'x', scopes: null }, message.scopes],
    [{ name: 'x', scopes: ['read', 'bulk'] }, 'scopes: bulk is good for nothing without write.'],
    [{ name: 'x', expiresAt: '2030-01-31' }, message.zone],
    [{ name: 'x', expiresAt: '2030-01-31T00:00:00' }, message.zone],
    [{ name: 'x', expiresAt: '2030-02-31T00:00:00Z' }, message.zone],
    [{ name: 'x', expiresAt: 1_900_000_000 }, message.zone],
    [{ name: 'x', expiresAt: null }, message.zone],
    [{ name: 'x', expiresAt: '2020-01-31T00:00:00Z' }, message.end],
    [{ name: 'x', expiresAt: '2126-01-31T00:00:00Z' }, message.end],
  ])('refuses %j and makes nothing', async (body, detail) => {
    const before = await list('?count=200');
    const answer = await create(body);
    expect([answer.status, answer.body]).toEqual([400, scimError(400, 'invalidValue', detail)]);
    expect(await list('?count=200')).toEqual(before);
  });
});

describe('a token', () => {
  it('is never taken for another, however many are looked up at the same time', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `crowd-${index}`);
    const clients = await Promise.all(names.map((name) => server.admin.connect(name)));
    const asked = Array.from({ length: 3 }, () => clients).flat();
    const tokens = [...asked.map(({ token }) => token), 'unknown'];
    // None of them was used before: each has to be looked up.
    const answers = await Promise.all(
      tokens.map((token) => server.scim.post('/Groups', { displayName: token }, { token })),
    );
    expect(answers.map(({ status: created }) => created)).toEqual([...asked.map(() => 201), 401]);
    for (const client of clients) {
      const { body } = await client.list('/Groups');
      expect(body.Resources.map((group) => group['displayName'])).toEqual(Array(3).fill(client.token));
    }
  });
});

describe('GET /tenants/{name}/tokens', () => {
  it('lists tokens without their secrets, from the oldest on, page by page', async () => {
    const { body: tenant } = await server.admin.post<AdminTenant>('/tenants', { name: 'listed' });
    expect(tenant.name).toBe('listed');
    const made: AdminToken[] = [];
    for (const name of ['one', 'two', 'three']) made.push((await create({ name }, 'listed')).body);
    const page = (query: string) => server.admin.get<AdminList<AdminToken>>(`/tenants/listed/tokens${query}`);
    const { body: first } = await page('?count=2');
    const { body: second } = await page(`?count=2&cursor=${first.nextCursor}`);
    const expected = made.map(({ secret: _secret, ...shown }) => shown);
    expect([first.items, second]).toEqual([expected.slice(0, 2), { items: expected.slice(2) }]);
  });

  it('shows when a token was last used', async () => {
    const token = await issue();
    const before = Date.now();
    expect(await status(token)).toBe(200);
    await server.app.get(TokenAuthentication).flushLastUsed();
    const { lastUsedAt } = (await find(token.id)) ?? {};
    expect(new Date(lastUsedAt ?? 0).getTime()).toBeGreaterThanOrEqual(before);
  });

  it.each(['', 'nothing', '0', '%00', "'"])('refuses a cursor that no page had: %j', async (cursor) => {
    const { status: refused, body } = await server.admin.get(`/tenants/acme/tokens?cursor=${cursor}`);
    const detail = 'cursor must be the nextCursor of the page before.';
    expect([refused, body]).toEqual([400, scimError(400, 'invalidValue', detail)]);
  });
});

describe('DELETE /tenants/{name}/tokens/{id}', () => {
  it('ends a token at once in this process, and shows that it was revoked', async () => {
    const [token, other] = [await issue(), await issue()];
    expect([await status(token), await status(other)]).toEqual([200, 200]);
    expect((await revoke(token.id)).status).toBe(204);
    expect([await status(token), await status(other)]).toEqual([401, 200]);
    const shown = await find(token.id);
    expect(inTime(shown?.revokedAt ?? '')).toBeLessThanOrEqual(0);
    expect((await revoke(token.id)).status).toBe(204);
    expect((await find(token.id))?.revokedAt).toBe(shown?.revokedAt);
  });

  it('ends a token in other processes within five seconds', async () => {
    const token = await issue();
    expect(await status(token)).toBe(200);
    // What another process does: this one is not told.
    await server.dataSource.query('UPDATE tokens SET revoked_at = now(), expires_at = now() WHERE id = $1', [token.id]);
    pass(4_900);
    expect(await status(token)).toBe(200);
    pass(200);
    expect(await status(token)).toBe(401);
  });

  it('suspends a tenant in other processes within five seconds', async () => {
    const client = await server.admin.connect('elsewhere');
    expect((await client.list('/Users')).status).toBe(200);
    await server.dataSource.query("UPDATE tenants SET state = 'suspended' WHERE name = 'elsewhere'");
    pass(4_900);
    expect((await client.list('/Users')).status).toBe(200);
    pass(200);
    expect((await client.list('/Users')).status).toBe(503);
  });

  it('does not remember a token that was looked up while it was revoked', async () => {
    const token = await issue();
    const answers = await Promise.all([
      ...Array.from({ length: 8 }, () => status(token)),
      revoke(token.id).then(() => status(token)),
    ]);
    expect(answers.at(-1)).toBe(401);
    expect(await status(token)).toBe(401);
  });

  it.each(['nothing', '%00', randomUUID()])('is 404 for an id that no token has: %s', async (id) => {
    expect((await revoke(id)).status).toBe(404);
    expect((await rotate(id, {})).status).toBe(404);
  });

  it("is 404 for another tenant's token, which stays good", async () => {
    const token = await issue();
    for (const answer of [await revoke(token.id, 'globex'), await rotate(token.id, {}, 'globex')]) {
      const detail = `The tenant has no token with the id "${token.id}".`;
      expect([answer.status, answer.body]).toEqual([404, scimError(404, undefined, detail)]);
    }
    expect(await status(token)).toBe(200);
  });
});

describe('POST /tenants/{name}/tokens/{id}/rotate', () => {
  it('makes a new token like the old one, and lets both live for the overlap', async () => {
    const old = await issue({ name: 'Entra', scopes: ['read', 'write'] });
    const { status: rotated, body: next } = await rotate(old.id, { overlapSeconds: 60 });
    expect([rotated, next.name, next.scopes]).toEqual([201, 'Entra', ['read', 'write']]);
    expect([next.id === old.id, next.secret === old.secret]).toEqual([false, false]);
    expect(Math.abs(inTime(next.expiresAt) - year)).toBeLessThan(day);
    expect([await status(old), await status(next)]).toEqual([200, 200]);
    fakeClock(Date.now() + 59_000);
    expect([await status(old), await status(next)]).toEqual([200, 200]);
    fakeClock(Date.now() + 2_000);
    expect([await status(old), await status(next)]).toEqual([401, 200]);
  });

  it('ends the old one at once without an overlap', async () => {
    const old = await issue();
    expect(await status(old)).toBe(200);
    const { body: next } = await rotate(old.id, { overlapSeconds: 0 });
    expect([await status(old), await status(next)]).toEqual([401, 200]);
  });

  it('gives a day to change over unless told, and never more than the old token had', async () => {
    const lasting = await issue();
    await server.admin.send('POST', `/tenants/acme/tokens/${lasting.id}/rotate`, undefined);
    expect(Math.abs(inTime((await find(lasting.id))?.expiresAt ?? '') - day)).toBeLessThan(60_000);
    const soon = await issue({ name: 'soon', expiresAt: new Date(Date.now() + 60_000).toISOString() });
    await rotate(soon.id, { overlapSeconds: 3600 });
    expect((await find(soon.id))?.expiresAt).toBe(soon.expiresAt);
  });

  it('can be repeated when the answer was lost', async () => {
    const old = await issue();
    const answers = await Promise.all([rotate(old.id, { overlapSeconds: 60 }), rotate(old.id, { overlapSeconds: 60 })]);
    expect(await Promise.all(answers.map(({ body }) => status(body)))).toEqual([200, 200]);
  });

  it('fails no request of a client that changes over', async () => {
    const old = await issue();
    let token = old.secret;
    const statuses: number[] = [];
    const working = Array.from({ length: 4 }, async () => {
      for (let request = 0; request < 10; request++) {
        statuses.push((await server.scim.list('/Users?count=0', { token })).status);
      }
    });
    token = (await rotate(old.id, { overlapSeconds: 60 })).body.secret;
    await Promise.all(working);
    expect(statuses).toEqual(Array(40).fill(200));
  });

  it('is 409 for a token that has ended', async () => {
    const revoked = await issue();
    await revoke(revoked.id);
    const answer = await rotate(revoked.id, {});
    const detail = `The token "${revoked.id}" has ended; create a new one.`;
    expect([answer.status, answer.body]).toEqual([409, scimError(409, undefined, detail)]);
  });

  it.each<JsonValue>([-1, 1.5, '60', null, 2_592_001])('refuses an overlap of %j', async (overlapSeconds) => {
    const token = await issue();
    const { status: refused, body } = await rotate(token.id, { overlapSeconds });
    const detail = 'overlapSeconds must be a whole number from 0 to 2592000.';
    expect([refused, body]).toEqual([400, scimError(400, 'invalidValue', detail)]);
    expect((await find(token.id))?.expiresAt).toBe(token.expiresAt);
  });
});

describe('two servers in one process', () => {
  it('each look tokens up in their own database', async () => {
    const other = await startAdministered();
    const token = await issue();
    expect([await status(token), (await other.scim.list('/Users', { token: token.secret })).status]).toEqual([
      200, 401,
    ]);
    expect((await other.scim.list('/Users')).status).toBe(200);
    await other.close();
  });
});

describe('the token of the configuration', () => {
  it('is shown, and is changed in the configuration only', async () => {
    const own = await startAdministered({ SCIM_TOKEN: 'configured-secret-of-32-characters-or-more' });
    const { body } = await own.admin.get<AdminList<AdminToken>>('/tenants/default/tokens');
    const path = `/tenants/default/tokens/${body.items[0]?.id}`;
    for (const answer of [await own.admin.delete(path), await own.admin.post(`${path}/rotate`, {})]) {
      const detail = 'This token is SCIM_TOKEN of the configuration: change it there.';
      expect([answer.status, answer.body]).toEqual([409, scimError(409, undefined, detail)]);
    }
    expect((await own.scim.list('/Users')).status).toBe(200);
    await own.close();
  });
});
