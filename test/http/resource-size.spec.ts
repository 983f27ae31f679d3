import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { limits, type JsonObject } from '../../src/scim/index.js';
import { scimError } from '../support/errors.js';
import { startServer, type TestServer } from '../support/server.js';

describe('the size of a resource', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());

  it('has a bound that many PATCH requests cannot pass, below the largest body of a PUT', async () => {
    const { id } = (await server.scim.post('/Users', { userName: 'grows' })).body;
    const grow = (name: string) =>
      server.scim.operations<JsonObject>(`/Users/${id}`, [{ op: 'add', path: 'roles', value: roles(name) }]);
    const roles = (name: string) =>
      Array.from({ length: 10 }, (_, index) => ({ value: `${name}${index}${'x'.repeat(60_000)}` }));
    expect((await grow('a')).status).toBe(200);
    const refused = await grow('b');
    expect(refused.body).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '413',
      detail: 'A resource may have 786432 bytes.',
    });
    const read = await server.scim.get(`/Users/${id}`);
    expect((read.body['roles'] as JsonObject[]).length).toBe(10);
    expect((await server.scim.put(`/Users/${id}`, read.body)).status).toBe(200);
  });

  /** Text that no compression makes shorter, of characters that are `bytes` bytes long in UTF-8. */
  const dense = (length: number, bytes: 1 | 3): string => {
    const hashes = Array.from({ length: Math.ceil(length / 32) }, (_, n) => [
      ...createHash('sha256').update(`${n}`).digest(),
    ]).flat();
    const texts = hashes.map((byte) => (bytes === 1 ? String.fromCharCode(97 + (byte % 26)) : hanzi(byte)));
    return texts.slice(0, length).join('');
  };
  const hanzi = (byte: number): string => String.fromCodePoint(0x4e00 + byte * 64);
  const fits = Math.floor(limits.indexedBytes / 3);
  const tooLong = (name: string): unknown => [
    400,
    scimError(400, 'invalidValue', `${name} is longer than ${limits.indexedBytes} bytes.`),
  ];

  it.each<[path: string, name: string, body: (value: string) => JsonObject]>([
    ['/Users', 'userName', (userName) => ({ userName })],
    ['/Users', 'externalId', (externalId) => ({ userName: 'long', externalId })],
    ['/Users', 'displayName', (displayName) => ({ userName: 'long', displayName })],
    ['/Users', 'familyName', (familyName) => ({ userName: 'long', name: { familyName } })],
    ['/Groups', 'displayName', (displayName) => ({ displayName })],
    ['/Groups', 'externalId', (externalId) => ({ displayName: 'long', externalId })],
  ])('leaves room for what is looked up by an index: %s, %s', async (path, name, body) => {
    const where = name === 'familyName' ? 'name.familyName' : name;
    expect(await server.scim.post(path, body(dense(fits + 1, 3))).then(({ status, body }) => [status, body])).toEqual(
      tooLong(where),
    );
    const created = await server.scim.post(path, body(dense(fits, 3)));
    expect(created.status).toBe(201);
    const id = `${path}/${created.body.id}`;
    // What grows when its case is folded is measured as it is compared.
    for (const longer of [dense(fits + 1, 3), ...(name === 'externalId' ? [] : ['İ'.repeat(limits.indexedLength)])]) {
      for (const refused of [
        await server.scim.put(id, body(longer)),
        await server.scim.operations(id, [{ op: 'replace', value: body(longer) }]),
      ]) {
        expect([refused.status, refused.body]).toEqual(tooLong(where));
      }
    }
    for (const shorter of [dense(limits.indexedLength, 1), 'é'.repeat(limits.indexedLength)]) {
      expect((await server.scim.put(id, body(shorter))).status).toBe(200);
    }
    expect((await server.scim.delete(id)).status).toBe(204);
  });
});
