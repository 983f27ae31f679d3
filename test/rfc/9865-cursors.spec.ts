import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { limits, type JsonObject } from '../../src/scim/index.js';
import type { Answer, Resource } from '../support/client.js';
import { startServer, type TestServer } from '../support/server.js';

interface CursorPage extends JsonObject {
  totalResults: number;
  itemsPerPage: number;
  nextCursor?: string;
  Resources: Resource[];
}

const userCount = 23;

describe('RFC 9865: cursor-based pagination', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer();
    for (let index = 0; index < userCount; index++) {
      // Some share a displayName and some have none, so that ties and missing values are walked over.
      const displayName = index % 4 === 0 ? {} : { displayName: `Name ${index % 3}` };
      await server.scim.post('/Users', { userName: `user${String(index).padStart(2, '0')}`, ...displayName });
    }
    await server.scim.post('/Groups', { displayName: 'Name 1' });
  });
  afterAll(() => server.close());

  const page = (path: string): Promise<Answer<CursorPage>> => server.scim.get<CursorPage>(path);
  const next = (path: string, from: Answer<CursorPage>): Promise<Answer<CursorPage>> =>
    page(`${path}&cursor=${from.body.nextCursor}`);

  async function walk(path: string, between?: (pages: number) => Promise<unknown>): Promise<Answer<CursorPage>[]> {
    const pages = [await page(`${path}&cursor`)];
    for (let last = pages[0]; last?.body.nextCursor !== undefined; last = pages.at(-1)) {
      await between?.(pages.length);
      pages.push(await next(path, last));
    }
    return pages;
  }

  const idsOf = (pages: Answer<CursorPage>[]): string[] =>
    pages.flatMap(({ body }) => body.Resources.map(({ id }) => id));

  it('starts with an empty cursor, and has no nextCursor on the last page only', async () => {
    const pages = await walk('/Users?count=10');
    expect(
      pages.map(({ body }) => [body.itemsPerPage, body.totalResults, 'nextCursor' in body, 'startIndex' in body]),
    ).toEqual([
      [10, userCount, true, false],
      [10, userCount, true, false],
      [3, userCount, false, false],
    ]);
    const all = await server.scim.list('/Users?count=100');
    expect(idsOf(pages)).toEqual(all.body.Resources.map(({ id }) => id));
  });

  it('ends without a nextCursor when the last page is full', async () => {
    const pages = await walk(`/Users?count=${userCount}`);
    expect(pages.map(({ body }) => [body.itemsPerPage, body.nextCursor])).toEqual([[userCount, undefined]]);
  });

  it('makes cursors of URL-unreserved characters only, that say nothing of what is in them', async () => {
    const first = await page('/Users?count=5&cursor=&sortBy=userName');
    expect(first.body.nextCursor).toMatch(/^[A-Za-z0-9._~-]+$/);
    expect(Buffer.from(first.body.nextCursor ?? '', 'base64url').includes('user04')).toBe(false);
  });

  it.each([
    ['ascending', 'userName'],
    ['descending', 'userName'],
    ['ascending', 'displayName'],
    ['descending', 'displayName'],
    ['ascending', 'meta.created'],
    ['descending', 'active'],
    ['ascending', 'emails.value'],
  ])('follows the order: %s by %s', async (sortOrder, sortBy) => {
    const query = `/Users?sortBy=${sortBy}&sortOrder=${sortOrder}&count=4`;
    const sorted = await server.scim.list(`/Users?sortBy=${sortBy}&sortOrder=${sortOrder}&count=100`);
    expect(idsOf(await walk(query))).toEqual(sorted.body.Resources.map(({ id }) => id));
  });

  it('gets past values of any length and of any characters', async () => {
    const tenant = await server.addTenant('long');
    const [begin, end] = ['x'.repeat(limits.stringLength - 1), '\u0001"\\é😀'.repeat(100)];
    const longest = '\u0001'.repeat(limits.indexedLength);
    for (const [userName, nickName, displayName] of [
      ['a', `${begin}b`, longest],
      ['b', end, `${longest.slice(1)}"`],
      ['c', `${begin}a`, '語'.repeat(limits.indexedBytes / 3)],
      ['d', `${begin}a`, 'x'],
      ['e', 'é'.repeat(limits.stringLength), '"'.repeat(limits.indexedLength)],
    ]) {
      const { status } = await tenant.post('/Users', { userName, nickName, displayName });
      expect(status).toBe(201);
    }
    for (const sort of ['nickName', 'displayName'].flatMap((by) => [by, `${by}&sortOrder=descending`])) {
      const sorted = await tenant.list(`/Users?sortBy=${sort}`);
      const seen: string[] = [];
      for (let cursor: string | undefined = ''; cursor !== undefined;) {
        const { status, body }: Answer<CursorPage> = await tenant.get(`/Users?count=1&sortBy=${sort}&cursor=${cursor}`);
        expect(status).toBe(200);
        seen.push(...body.Resources.map(({ id }) => id));
        cursor = body.nextCursor;
      }
      expect([sort, seen]).toEqual([sort, sorted.body.Resources.map(({ id }) => id)]);
    }
  });

  it('walks across types', async () => {
    const sorted = await server.scim.list('?sortBy=displayName&count=100');
    expect(sorted.body.totalResults).toBe(userCount + 1);
    expect(idsOf(await walk('?sortBy=displayName&count=5'))).toEqual(sorted.body.Resources.map(({ id }) => id));
  });

  it('can be asked for by POST /.search', async () => {
    const schemas = ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'];
    const first = await server.scim.post<CursorPage>('/Users/.search', { schemas, cursor: '', count: 20 });
    const second = await server.scim.post<CursorPage>('/Users/.search', {
      schemas,
      cursor: first.body.nextCursor ?? '',
      count: 20,
    });
    expect([first.body.itemsPerPage, second.body.itemsPerPage, second.body.nextCursor]).toEqual([20, 3, undefined]);
  });

  it('returns each resource that is there all the time exactly once while others come and go', async () => {
    const tenant = await server.addTenant('walked');
    const client = { ...server, scim: tenant };
    const staying: string[] = [];
    for (let index = 0; index < 12; index++)
      staying.push((await tenant.post('/Users', { userName: `b${index}` })).body.id);
    const passing = await tenant.post('/Users', { userName: 'c' });
    let last = await tenant.get<CursorPage>('/Users?count=3&cursor=&sortBy=userName');
    const seen = last.body.Resources.map(({ id }) => id);
    for (let round = 0; last.body.nextCursor !== undefined; round++) {
      await client.scim.post('/Users', { userName: `a${round}` });
      if (round === 1) await tenant.delete(`/Users/${passing.body.id}`);
      last = await tenant.get<CursorPage>(`/Users?count=3&sortBy=userName&cursor=${last.body.nextCursor}`);
      seen.push(...last.body.Resources.map(({ id }) => id));
    }
    expect(seen.filter((id) => staying.includes(id)).sort()).toEqual([...staying].sort());
  });

  it('returns totalResults alone for count=0, and none for a negative count', async () => {
    for (const count of [0, -3]) {
      const answer = await page(`/Users?cursor&count=${count}`);
      expect([answer.body.totalResults, answer.body.itemsPerPage, answer.body.Resources]).toEqual([userCount, 0, []]);
    }
  });

  describe('refuses', () => {
    const query = '/Users?count=5&sortBy=userName';
    let cursor: string;
    beforeAll(async () => {
      cursor = (await page(`${query}&cursor`)).body.nextCursor ?? '';
    });
    const error = async (path: string): Promise<unknown[]> => {
      const answer = await server.scim.get<JsonObject>(path);
      return [answer.status, answer.body['scimType'], answer.body['detail']];
    };
    const invalid = [400, 'invalidCursor', 'The cursor is not valid for this query.'];

    it('a forged, truncated, changed, padded or huge cursor, always with the same words', async () => {
      const flipped = `${cursor.slice(0, 20)}${cursor[20] === 'A' ? 'B' : 'A'}${cursor.slice(21)}`;
      for (const bad of ['x', 'AAAA', cursor.slice(0, -1), flipped, `${cursor}=`, `${cursor}A`, 'A'.repeat(8000)]) {
        expect(await error(`${query}&cursor=${bad}`)).toEqual(invalid);
      }
    });

    it('a cursor of another query, endpoint or tenant', async () => {
      expect(await error(`${query}&sortOrder=descending&cursor=${cursor}`)).toEqual(invalid);
      expect(await error(`${query}&filter=active%20eq%20true&cursor=${cursor}`)).toEqual(invalid);
      expect(await error(`${query}&attributes=userName&cursor=${cursor}`)).toEqual(invalid);
      expect(await error(`/Groups?count=5&cursor=${cursor}`)).toEqual(invalid);
      const other = await server.addTenant('other');
      const answer = await other.get<JsonObject>(`${query}&cursor=${cursor}`);
      expect([answer.status, answer.body['scimType'], answer.body['detail']]).toEqual(invalid);
    });

    it('another count than the first page had', async () => {
      expect(await error(`/Users?count=6&sortBy=userName&cursor=${cursor}`)).toEqual([
        400,
        'invalidCount',
        'The first page had count=5; every page must have the same.',
      ]);
    });

    it('startIndex beside a cursor', async () => {
      expect((await error(`${query}&startIndex=1&cursor=${cursor}`)).slice(0, 2)).toEqual([400, 'invalidCursor']);
    });

    it('an expired cursor', async () => {
      const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 25 * 60 * 60 * 1000);
      try {
        expect((await error(`${query}&cursor=${cursor}`)).slice(0, 2)).toEqual([400, 'expiredCursor']);
      } finally {
        now.mockRestore();
      }
    });
  });

  it('is announced in ServiceProviderConfig', async () => {
    const config = await server.scim.get<JsonObject>('/ServiceProviderConfig');
    expect(config.body['pagination']).toEqual({
      cursor: true,
      index: true,
      defaultPaginationMethod: 'index',
      defaultPageSize: 100,
      maxPageSize: 200,
      cursorTimeout: 86_400,
    });
  });
});
