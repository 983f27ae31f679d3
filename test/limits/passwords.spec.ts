import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startAdministered, type AdministeredServer } from '../support/admin.js';
import { PasswordHashing } from '../../src/users/password-hashing.js';
import { UsersRepository } from '../../src/users/users.repository.js';
import type { Answer, ScimClient } from '../support/client.js';
import { countHashes, type CountedHashes } from '../support/hashes.js';
import { head, open } from '../support/raw-http.js';
import { until } from '../support/until.js';

let server: AdministeredServer;
let hashing: PasswordHashing;
let hashes: CountedHashes;
let made = 0;

beforeAll(async () => {
  server = await startAdministered();
  hashing = server.app.get(PasswordHashing);
});
afterAll(() => server.close());
beforeEach(() => {
  hashes = countHashes();
});
afterEach(() => {
  hashes.stop();
  jest.restoreAllMocks();
});

const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
const user = (rest: object = {}) => ({ userName: `user-${++made}`, password: 'Kennwort-1', ...rest });
const create = (client: ScimClient = server.scim, rest: object = {}) => client.post('/Users', user(rest));
const statusOf = ({ status }: Answer<unknown>): number => status;

async function createdId(): Promise<string> {
  const { body, status } = await create();
  expect(status).toBe(201);
  return body.id;
}

/** A tenant with a client of the token endpoint. @returns a request for a token */
async function oauthClient(tenant: string): Promise<() => Promise<number>> {
  await server.admin.post('/tenants', { name: tenant });
  const { body } = await server.admin.post<{ id: string; secret: string }>(`/tenants/${tenant}/clients`, {
    name: 'signs',
  });
  const form = { grant_type: 'client_credentials', client_id: body.id, client_secret: body.secret };
  return async () => {
    const answer = await fetch(`${server.origin}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
    await answer.arrayBuffer();
    return answer.status;
  };
}

describe('passwords of one tenant', () => {
  it('leave threads to sign-ins of others, however many come at once', async () => {
    const token = await oauthClient('signs-in');
    await create(server.scim, { userName: 'taken' });
    const before = hashes.begun();
    let isOver = false;
    const attack = Promise.all(range(50).map((at) => create(server.scim, at % 2 ? { userName: 'taken' } : {})));
    void attack.finally(() => (isOver = true));
    const signed: number[] = [];
    while (!isOver) signed.push(await token());
    const answers = (await attack).map(statusOf);
    expect(answers.filter((_, at) => at % 2 === 1)).toEqual(range(25).map(() => 409));
    expect(answers.filter((status) => ![201, 409, 429].includes(status))).toEqual([]);
    expect(hashes.begun() - before).toBe(answers.filter((status) => status === 201).length);
    expect(hashes.most()).toBeLessThanOrEqual(hashing.atOnce);
    expect(signed.filter((status) => status !== 200)).toEqual([]);
    // All of them in the time of some hashes, and not one behind fifty.
    expect(signed.length).toBeGreaterThan(hashes.begun());
  });

  it('that wait in too great a number are 429 with Retry-After, and another tenant has the next turn', async () => {
    const other = await server.addTenant('takes-turns');
    const attack = range(40).map(() => create());
    await until(() => Promise.resolve(hashing.waiting >= 32));
    expect((await create(other)).status).toBe(201);
    // Most of those that came first still wait.
    expect(hashing.waiting).toBeGreaterThan(16);
    const answers = await Promise.all(attack);
    const refused = answers.filter(({ status }) => status !== 201);
    expect(refused.length).toBeGreaterThanOrEqual(7);
    expect(refused.map(({ status, headers }) => [status, headers.get('Retry-After')])).toEqual(
      refused.map(() => [429, '5']),
    );
  });

  it('are not hashed for clients that have left', async () => {
    const leaving = range(12).map(() => {
      const body = JSON.stringify(user());
      const lines = [
        `Authorization: Bearer ${server.scim.token}`,
        'Content-Type: application/scim+json',
        `Content-Length: ${body.length}`,
      ];
      const socket = open(server.origin);
      socket.on('error', () => undefined);
      socket.write(head('POST', '/scim/v2/Users', ...lines) + body);
      return socket;
    });
    await until(() => Promise.resolve(hashing.waiting >= 8));
    const before = hashes.begun();
    for (const socket of leaving) socket.resetAndDestroy();
    await until(() => Promise.resolve(hashing.waiting === 0));
    expect(hashes.begun() - before).toBeLessThanOrEqual(1);
    expect((await create()).status).toBe(201);
  });
});

describe('a password is not hashed', () => {
  it('where a userName or an externalId is taken', async () => {
    const { body } = await create(server.scim, { userName: 'Exists', externalId: 'e-1' });
    const id = await createdId();
    const before = hashes.begun();
    const taken = [{ userName: 'eXISTS' }, { externalId: 'e-1' }];
    for (const rest of taken) {
      for (const answer of [await create(server.scim, rest), await server.scim.put(`/Users/${id}`, user(rest))]) {
        const name = Object.keys(rest)[0];
        expect([answer.status, answer.body]).toEqual([
          409,
          expect.objectContaining({ scimType: 'uniqueness', detail: `Another user has this ${name}.` }),
        ]);
      }
    }
    expect(hashes.begun()).toBe(before);
    expect((await server.scim.put(`/Users/${body.id}`, user({ externalId: 'e-1' }))).status).toBe(200);
  });

  it('where something else is wrong', async () => {
    const id = await createdId();
    const before = hashes.begun();
    const wrong = [
      await create(server.scim, { active: 'perhaps' }),
      await create(server.scim, { emails: range(700).map((at) => ({ value: `${at}@${'x'.repeat(1_200)}` })) }),
      await server.scim.put(`/Users/${id}`, user(), { headers: { 'If-Match': 'W/"7"' } }),
      await server.scim.put('/Users/019aaf3c-6b5e-7cc1-a4ad-0f8d8e5f0a11', user()),
    ];
    expect(wrong.map(statusOf)).toEqual([400, 413, 412, 404]);
    expect(hashes.begun()).toBe(before);
  });

  it('more than once for all attempts of a change, and never in its transaction', async () => {
    const id = await createdId();
    const users = server.app.get(UsersRepository);
    const before = hashes.begun();
    const locked: number[] = [];
    jest.spyOn(users, 'lock').mockImplementationOnce((...given) => {
      locked.push(hashes.begun());
      jest.restoreAllMocks();
      return users.lock(...given);
    });
    // Others come first three times, so that the row is locked at last.
    jest
      .spyOn(users, 'update')
      .mockResolvedValueOnce(undefined)
      .mockResolvedValueOnce(undefined)
      .mockResolvedValueOnce(undefined);
    const changed = await server.scim.operations(`/Users/${id}`, [
      { op: 'replace', path: 'password', value: 'Kennwort-2' },
    ]);
    expect([changed.status, changed.body.meta.version]).toEqual([200, 'W/"2"']);
    // One to see that it is another one, and one to store.
    expect([hashes.begun() - before, locked]).toEqual([2, [before + 2]]);
    const same = await server.scim.operations(`/Users/${id}`, [
      { op: 'replace', path: 'password', value: 'Kennwort-2' },
    ]);
    expect([same.status, same.body.meta.version]).toEqual([200, 'W/"2"']);
    expect(hashes.begun() - before).toBe(3);
  });

  it('where it is not changed', async () => {
    const id = await createdId();
    const before = hashes.begun();
    const title = [{ op: 'replace', path: 'title', value: 'Dr.' }];
    expect((await server.scim.operations(`/Users/${id}`, title)).status).toBe(200);
    expect(hashes.begun()).toBe(before);
  });
});

describe('a hash', () => {
  it('counts as twenty operations in its tenant’s rate, in a bulk request, too', async () => {
    const limited = await startAdministered({ RATE_LIMIT: 'on', REQUESTS_PER_SECOND: '1000' });
    try {
      const charged = jest.spyOn(limited.app.get(PasswordHashing)['limits'], 'charge');
      expect((await create(limited.scim)).status).toBe(201);
      expect(charged.mock.calls.map(([, operations]) => operations)).toEqual([20]);
      const Operations = range(2).map((at) => ({ method: 'POST', path: '/Users', bulkId: `${at}`, data: user() }));
      const schemas = ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'];
      const { body } = await limited.scim.post<{ Operations: { status: string }[] }>('/Bulk', { schemas, Operations });
      expect(body.Operations.map(({ status }) => status)).toEqual(['201', '201']);
      expect(charged.mock.calls.filter(([, operations]) => operations === 20)).toHaveLength(3);
    } finally {
      await limited.close();
    }
  });
});
