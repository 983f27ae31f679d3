import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../src/scim/index.js';
import type { Resource } from '../support/client.js';
import { startServer, type TestServer } from '../support/server.js';

const schemas = ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'];

describe('RFC 7644 section 3.4.3: querying resources using HTTP POST', () => {
  let server: TestServer;
  const ids: string[] = [];
  const namesOf = (resources: Resource[]): unknown[] =>
    resources.map((resource) => resource['userName'] ?? resource['displayName']);

  beforeAll(async () => {
    server = await startServer();
    for (const userName of ['bjensen', 'jsmith', 'adoe']) {
      const created = await server.scim.post('/Users', { userName, displayName: `User ${userName}` });
      ids.push(created.body.id);
    }
    await server.scim.post('/Groups', { displayName: 'Tour Guides', members: [{ value: ids[0] ?? '' }] });
    await server.scim.post('/Groups', { displayName: 'Employees' });
  });
  afterAll(() => server.close());

  const search = (path: string, request: JsonObject) =>
    server.scim.post<{ totalResults: number; startIndex?: number; itemsPerPage: number; Resources: Resource[] }>(path, {
      schemas,
      ...request,
    });

  it('answers POST /Users/.search as GET answers the same query', async () => {
    const byPost = await search('/Users/.search', {
      filter: 'userName sw "J" or userName sw "a"',
      sortBy: 'userName',
      attributes: ['userName'],
      startIndex: 2,
      count: 1,
    });
    const byGet = await server.scim.list(
      '/Users?filter=userName%20sw%20%22J%22%20or%20userName%20sw%20%22a%22&sortBy=userName&attributes=userName&startIndex=2&count=1',
    );
    expect(byPost.status).toBe(200);
    expect(byPost.body).toEqual(byGet.body);
    expect(byPost.body).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: 2,
      startIndex: 2,
      itemsPerPage: 1,
      Resources: [{ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], id: ids[1], userName: 'jsmith' }],
    });
  });

  it('ignores query parameters in the URL of a search', async () => {
    const answer = await search('/Users/.search?count=0&filter=nonsense', { count: 5 });
    expect([answer.status, answer.body.itemsPerPage]).toEqual([200, 3]);
  });

  it('searches all resource types at the root, users before groups, in the order of their creation', async () => {
    const answer = await search('/.search', {});
    expect(namesOf(answer.body.Resources)).toEqual(['bjensen', 'jsmith', 'adoe', 'Tour Guides', 'Employees']);
    expect([answer.body.totalResults, answer.body.startIndex, answer.body.itemsPerPage]).toEqual([5, 1, 5]);
  });

  it('pages across types without a gap', async () => {
    const pages = await Promise.all(
      [1, 3, 5, 7].map((startIndex) => server.scim.list(`?startIndex=${startIndex}&count=2`)),
    );
    expect(pages.map((page) => namesOf(page.body.Resources))).toEqual([
      ['bjensen', 'jsmith'],
      ['adoe', 'Tour Guides'],
      ['Employees'],
      [],
    ]);
    expect(pages.map((page) => page.body.totalResults)).toEqual([5, 5, 5, 5]);
  });

  it('sorts across types by an attribute that all of them have', async () => {
    const answer = await search('/.search', { sortBy: 'displayName', sortOrder: 'descending' });
    expect(namesOf(answer.body.Resources)).toEqual(['jsmith', 'bjensen', 'adoe', 'Tour Guides', 'Employees']);
  });

  it.each([
    ['userName eq "bjensen"', ['bjensen']],
    ['userName ne "bjensen"', ['jsmith', 'adoe', 'Tour Guides', 'Employees']],
    ['not (userName pr)', ['Tour Guides', 'Employees']],
    ['userName eq null', ['Tour Guides', 'Employees']],
    ['members[type eq "User"]', ['Tour Guides']],
    ['nothingHasThis eq "x"', []],
    ['meta.resourceType eq "Group" and displayName co "tour"', ['Tour Guides']],
    ['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department pr', []],
  ])('reads an attribute that a type does not have as one without a value: %s', async (filter, expected) => {
    const answer = await search('/.search', { filter });
    expect(answer.status).toBe(200);
    expect(namesOf(answer.body.Resources)).toEqual(expected);
  });

  it('projects each resource by its own type', async () => {
    const answer = await search('/.search', { attributes: ['userName', 'members.value'] });
    expect(answer.body.Resources.map((resource) => Object.keys(resource).sort())).toEqual([
      ['id', 'schemas', 'userName'],
      ['id', 'schemas', 'userName'],
      ['id', 'schemas', 'userName'],
      ['id', 'members', 'schemas'],
      ['id', 'schemas'],
    ]);
  });

  it.each([
    ['a body that is no object', '[]', 'invalidSyntax'],
    ['a body that is no JSON', '{', 'invalidSyntax'],
    ['another message', { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'] }, 'invalidSyntax'],
    ['attributes that are a number', { schemas, attributes: 5 }, 'invalidValue'],
    ['attributes that hold a number', { schemas, attributes: [5] }, 'invalidValue'],
    ['a filter that is no string', { schemas, filter: true }, 'invalidValue'],
    ['an empty filter', { schemas, filter: '' }, 'invalidFilter'],
    ['a startIndex that is a word', { schemas, startIndex: 'abc' }, 'invalidValue'],
    ['a count with a fraction', { schemas, count: 1.5 }, 'invalidValue'],
    ['a filter with an unknown schema', { schemas, filter: 'urn:example:Foo:bar pr' }, 'invalidFilter'],
  ])('refuses %s', async (_, body, scimType) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await server.scim.send<JsonObject>('POST', '/.search', text);
    expect([answer.status, answer.body['scimType']]).toEqual([400, scimType]);
  });

  it('refuses a body that is not JSON by its media type', async () => {
    const answer = await server.scim.send<JsonObject>('POST', '/.search', '{}', {
      headers: { 'Content-Type': 'text/plain' },
    });
    expect(answer.status).toBe(415);
  });
});

describe('RFC 7644 section 3.11: /Me', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());

  it.each(['GET', 'PUT', 'PATCH', 'DELETE'])(
    'answers %s with 501, because a token belongs to a client and not to a user',
    async (method) => {
      const answer = await server.scim.send<JsonObject>(
        method,
        '/Me',
        method === 'GET' || method === 'DELETE' ? undefined : '{}',
      );
      expect(answer.body).toEqual({
        schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
        status: '501',
        detail: '/Me is not supported: the token belongs to a client, not to a user.',
      });
    },
  );
});
