import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import type { FindManyOptions, Repository } from 'typeorm';
import { readConfig } from '../../src/config.js';
import { KeyEncryption } from '../../src/oauth/key-encryption.js';
import type { ReservedConnections } from '../../src/persistence/reserved-connections.js';
import { SigningKeyEntity } from '../../src/oauth/signing-key.entity.js';
import { SigningKeys } from '../../src/oauth/signing-keys.js';
import type { AdministeredServer } from '../support/admin.js';
import { fakeClock } from '../support/clock.js';
import { accessToken, createClient, startOAuthServer } from '../support/oauth.js';

const day = 86_400_000;
const secret = 'a secret of thirty-two characters';
let server: AdministeredServer | undefined;

afterEach(async () => {
  jest.useRealTimers();
  await server?.close();
  server = undefined;
});

/** Connections that have no rows but the keys'. */
const connectionsWith = (rows: Repository<SigningKeyEntity>): ReservedConnections =>
  ({ repository: () => rows }) as unknown as ReservedConnections;

/** The keys as another process on the same database has them. */
async function anotherProcess(environment: Record<string, string> = {}): Promise<SigningKeys> {
  if (!server) throw new Error('There is no server');
  const rows = server.dataSource.getRepository(SigningKeyEntity);
  const keys = new SigningKeys(connectionsWith(rows), readConfig(environment));
  await keys.onModuleInit();
  return keys;
}

const kids = async (keys: SigningKeys): Promise<(string | undefined)[]> =>
  (await keys.published()).map(({ kid }) => kid);

describe('signing keys', () => {
  it('are one, made at the first start and the same for all processes', async () => {
    server = await startOAuthServer();
    const own = server.app.get(SigningKeys);
    const others = await Promise.all([anotherProcess(), anotherProcess()]);
    const names = await Promise.all([own, ...others].map(kids));
    expect(names[0]).toHaveLength(1);
    expect(names).toEqual([names[0], names[0], names[0]]);
    expect((await others[0]?.current())?.kid).toBe((await own.current()).kid);
  });

  it('are made once when processes start together on an empty database', async () => {
    server = await startOAuthServer();
    await server.dataSource.query('DELETE FROM signing_keys');
    const processes = await Promise.all([anotherProcess(), anotherProcess(), anotherProcess()]);
    const names = await Promise.all(processes.map(kids));
    expect(new Set(names.flat()).size).toBe(1);
  });

  it('are not made again by a process that looked just before another made one', async () => {
    server = await startOAuthServer();
    await server.dataSource.query('DELETE FROM signing_keys');
    const rows = server.dataSource.getRepository(SigningKeyEntity);
    let other: SigningKeys | undefined;
    const slow = rows.extend({
      async find(options?: FindManyOptions<SigningKeyEntity>) {
        const found = await rows.find(options);
        other ??= await anotherProcess();
        return found;
      },
    });
    const keys = new SigningKeys(connectionsWith(slow), readConfig({}));
    await keys.onModuleInit();
    expect(await kids(keys)).toHaveLength(1);
    expect(await kids(keys)).toEqual(await kids(other as unknown as SigningKeys));
  });

  it('are not made again by a process whose clock is a little behind', async () => {
    const start = Date.now();
    fakeClock(start);
    server = await startOAuthServer();
    const own = server.app.get(SigningKeys);
    const [first] = await kids(own);
    jest.setSystemTime(start - 20_000);
    const behind = await anotherProcess();
    expect([await kids(behind), (await behind.current()).kid]).toEqual([[first], first]);
  });

  it('rotate: the next is published a day before it signs, after 30 days, and no request fails on the way', async () => {
    server = await startOAuthServer();
    const start = Date.now();
    const client = await createClient(server);
    const keys = server.app.get(SigningKeys);
    const other = await anotherProcess();
    const [first] = await kids(keys);
    const signs = async (days: number): Promise<string | undefined> => {
      fakeClock(start + days * day);
      const token = await accessToken(server as AdministeredServer, client);
      expect((await server?.scim.list('/Users', { token }))?.status).toBe(200);
      expect(await kids(other)).toEqual(await kids(keys));
      return decodeProtectedHeader(token).kid;
    };
    expect([await signs(28.9), await kids(keys)]).toEqual([first, [first]]);
    expect(await signs(29.1)).toBe(first);
    const [, second] = await kids(keys);
    expect(second).toBeDefined();
    expect([await signs(29.99), await kids(keys)]).toEqual([first, [first, second]]);
    expect([await signs(30.01), await kids(keys)]).toEqual([second, [first, second]]);
    expect([await signs(31), await kids(keys)]).toEqual([second, [second]]);
    expect(await signs(59.5)).toBe(second);
    expect(await signs(61)).not.toBe(second);
    expect((await server.dataSource.query<object[]>('SELECT 1 FROM signing_keys')).length).toBeLessThanOrEqual(2);
  });

  it('verify tokens that they signed just before they were replaced', async () => {
    server = await startOAuthServer({ ACCESS_TOKEN_MINUTES: '60' });
    const start = Date.now();
    const client = await createClient(server);
    fakeClock(start + 30 * day - 60_000);
    const token = await accessToken(server, client);
    jest.setSystemTime(start + 30 * day + 50 * 60_000);
    expect(decodeProtectedHeader(await accessToken(server, client)).kid).not.toBe(decodeProtectedHeader(token).kid);
    expect((await server.scim.list('/Users', { token })).status).toBe(200);
  });

  it('are made anew after all have ended while nothing ran', async () => {
    server = await startOAuthServer();
    const [first] = await kids(server.app.get(SigningKeys));
    fakeClock(Date.now() + 100 * day);
    const [next, ...rest] = await kids(server.app.get(SigningKeys));
    expect([next === first, rest]).toEqual([false, []]);
  });
});

describe('private keys in the database', () => {
  const stored = async (): Promise<string> => {
    const rows = await server?.dataSource.query<{ private_key: Buffer; is_encrypted: boolean }[]>(
      'SELECT private_key, is_encrypted FROM signing_keys',
    );
    return (rows ?? []).map((row) => `${row.is_encrypted} ${Buffer.from(row.private_key).toString('latin1')}`).join();
  };

  it('are in clear without KEY_ENCRYPTION_SECRET', async () => {
    server = await startOAuthServer();
    expect(await stored()).toMatch(/^false .*"d":/);
  });

  it('are sealed with it', async () => {
    server = await startOAuthServer({ KEY_ENCRYPTION_SECRET: secret });
    expect(await stored()).toMatch(/^true /);
    expect(await stored()).not.toContain('"d"');
    const token = await accessToken(server, await createClient(server));
    expect((await server.scim.list('/Users', { token })).status).toBe(200);
  });

  it('are sealed as soon as there is a secret', async () => {
    server = await startOAuthServer();
    const before = await kids(server.app.get(SigningKeys));
    const sealing = await anotherProcess({ KEY_ENCRYPTION_SECRET: secret });
    expect([await kids(sealing), (await stored()).slice(0, 5)]).toEqual([before, 'true ']);
    expect((await (await anotherProcess({ KEY_ENCRYPTION_SECRET: secret })).current()).kid).toBe(before[0]);
  });

  it('that were sealed with another secret sign no more, and their tokens stay good', async () => {
    server = await startOAuthServer({ KEY_ENCRYPTION_SECRET: secret });
    const [first] = await kids(server.app.get(SigningKeys));
    const changed = await anotherProcess({ KEY_ENCRYPTION_SECRET: `${secret}!` });
    const { kid } = await changed.current();
    expect(kid).not.toBe(first);
    expect([await kids(changed), await changed.publicKey(first ?? '')]).toEqual([[first, kid], expect.anything()]);
    expect(server.logged()).toContainEqual(
      expect.objectContaining({ level: 40, msg: expect.stringContaining('KEY_ENCRYPTION_SECRET does not open') }),
    );
  });
});

describe('sealing', () => {
  const encryption = new KeyEncryption(secret);
  const text = Buffer.from('private');

  it('opens what it sealed, which is different each time', () => {
    const [one, two] = [encryption.seal(text, 'key'), encryption.seal(text, 'key')];
    expect([encryption.open(one, 'key'), encryption.open(two, 'key')]).toEqual([text, text]);
    expect(one.equals(two)).toBe(false);
    expect(one.includes(text)).toBe(false);
  });

  it('opens nothing of another secret or name, and nothing that was changed', () => {
    const sealed = encryption.seal(text, 'key');
    expect(new KeyEncryption(`${secret}!`).open(sealed, 'key')).toBeUndefined();
    expect(encryption.open(sealed, 'other')).toBeUndefined();
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(encryption.open(changed, 'key')).toBeUndefined();
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(encryption.open(sealed.subarray(0, length), 'key')).toBeUndefined();
    }
  });
});
