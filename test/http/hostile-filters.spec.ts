import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../src/scim/index.js';
import type { Resource } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { startServer, type TestServer } from '../support/server.js';

let server: TestServer;
let user: Resource;

beforeAll(async () => {
  server = await startServer();
  const literal = { userName: 'literal@example.com', title: '100%_\\d"q', nickName: "' OR 1=1 --" };
  user = (await server.scim.post('/Users', literal)).body;
  await server.scim.post('/Users', { userName: 'other@example.com', title: '100 percent', nickName: 'other' });
  await server.scim.post('/Groups', { displayName: 'Filtered' });
});

afterAll(() => server.close());

/** Whatever was asked, everybody is still there. */
afterEach(async () => {
  expect((await server.scim.list('')).body.totalResults).toBe(3);
});

const search = (path: string, filter: string) => server.scim.post<JsonObject>(`${path}/.search`, { filter });

describe('a filter without measure (RFC 7644 section 3.4.2.2)', () => {
  it.each([
    ['10,000 groups', `${'('.repeat(10_000)}id pr${')'.repeat(10_000)}`],
    ['10,000 groups that stay open', '('.repeat(10_000)],
    ['10,000 nots', `${'not ('.repeat(10_000)}id pr${')'.repeat(10_000)}`],
    ['5,000 value paths', 'members['.repeat(5_000)],
    ['10,000 alternatives', Array(10_000).fill('id eq "x"').join(' or ')],
    ['a value of a million characters', `id eq "${'a'.repeat(1_000_000)}"`],
    ['a million spaces', ' '.repeat(1_000_000)],
    ['a name of 400,000 parts', 'a.'.repeat(400_000)],
    ['100,000 backslashes', `id eq "${'\\'.repeat(100_001)}"`],
  ])('is refused everywhere: %s', async (_what, filter) => {
    for (const path of ['', '/Users', '/Groups']) {
      const { status, body } = await search(path, filter);
      expect([status, body]).toEqual([400, scimError(400, 'invalidFilter')]);
    }
  });

  it('is refused in a URL by its length', async () => {
    const { status, body } = await server.scim.get(`/Users?filter=${'('.repeat(20_000)}`);
    expect([status, body]).toEqual([431, scimError(431)]);
  });
});

describe('a value in a filter (RFC 7644 section 3.4.2.2)', () => {
  it.each([
    ['co', '%_', 1],
    ['co', '%', 1],
    ['co', '_', 1],
    ['co', '\\', 1],
    ['co', '"', 1],
    ['sw', '100%', 1],
    ['sw', '100_', 0],
    ['ew', '"q', 1],
    ['ew', '_q', 0],
    ['eq', '100%_\\d"q', 1],
    ['co', '%_%_%_%_%_%_%_%_', 0],
    ['co', `${'a'.repeat(255)}!`, 0],
    ['co', '(a+)+$', 0],
  ])('stands for itself: title %s %j', async (op, value, totalResults) => {
    const answer = await search('/Users', `title ${op} ${JSON.stringify(value)}`);
    expect([answer.status, answer.body['totalResults']]).toEqual([200, totalResults]);
  });

  it.each([
    '" or 1=1 --',
    "' OR '1'='1",
    "'; DROP TABLE users; --",
    '"\\"; SELECT pg_sleep(10) --',
    "' || pg_sleep(10) || '",
    '$1',
    '$$',
  ])('is never SQL: %s', async (value) => {
    for (const attribute of [
      'userName',
      'nickName',
      'externalId',
      'id',
      'emails.value',
      'name.familyName',
      'groups.display',
    ]) {
      for (const op of ['eq', 'co', 'sw', 'ew']) {
        const answer = await search('/Users', `${attribute} ${op} ${JSON.stringify(value)}`);
        expect([attribute, op, answer.status, answer.body['totalResults']]).toEqual([attribute, op, 200, 0]);
      }
    }
  });

  it('is found when it looks like SQL', async () => {
    const answer = await search('/Users', `nickName eq "' or 1=1 --"`);
    expect([answer.status, answer.body['Resources']]).toEqual([200, [user]]);
  });
});

describe('a userName that another user has (RFC 7643 section 4.1.1, RFC 8265 section 3.3)', () => {
  it.each([
    ['in capitals', 'RENÉ@EXAMPLE.COM'],
    ['decomposed', 'rene\u0301@example.com'],
    ['decomposed, in capitals', 'RENE\u0301@EXAMPLE.COM'],
    ['in full width', '\uff52en\u00e9@example.com'],
  ])('is 409 uniqueness from every method: %s', async (_what, userName) => {
    const taken = await server.scim.post('/Users', { userName: 'ren\u00e9@example.com' });
    expect(taken.status).toBe(201);
    const path = `/Users/${user.id}`;
    const answers = [
      await server.scim.post('/Users', { userName }),
      await server.scim.put(path, { userName }),
      await server.scim.operations(path, [{ op: 'replace', path: 'userName', value: userName }]),
    ];
    expect(answers.map(({ status, body }) => [status, body])).toEqual(
      answers.map(() => [409, scimError(409, 'uniqueness')]),
    );
    expect((await server.scim.get(path)).body).toEqual(user);
    expect((await server.scim.delete(`/Users/${taken.body.id}`)).status).toBe(204);
  });
});
