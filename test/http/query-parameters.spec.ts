import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { limits } from '../../src/scim/index.js';
import type { Answer, List, Resource } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { startServer, type TestServer } from '../support/server.js';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const listUrn = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';

let server: TestServer;
let users: Resource[];

beforeAll(async () => {
  server = await startServer();
  users = [];
  for (const name of ['ada', 'bob', 'cyd']) {
    const created = await server.scim.post('/Users', {
      userName: `${name}@example.com`,
      displayName: name,
      password: 'Correct-Horse-1',
      name: { givenName: name, familyName: 'Example' },
      emails: [
        { value: `${name}@example.com`, type: 'work', primary: true },
        { value: `${name}@home.example`, type: 'home' },
      ],
      [enterprise]: { department: 'Sales', costCenter: '7' },
    });
    users.push(created.body);
  }
});

afterAll(() => server.close());

const get = (query: string): Promise<Answer<List>> => server.scim.list(`/Users?${query}`);
const page = (Resources: unknown[], startIndex: number, totalResults = 3): object => ({
  schemas: [listUrn],
  totalResults,
  startIndex,
  itemsPerPage: Resources.length,
  Resources,
});

describe('paging (RFC 7644 section 3.4.2.4)', () => {
  it.each([
    ['', 1, [0, 1, 2]],
    ['startIndex=1&count=2', 1, [0, 1]],
    ['startIndex=3&count=2', 3, [2]],
    ['startIndex=0', 1, [0, 1, 2]],
    ['startIndex=-1&count=1', 1, [0]],
    ['startIndex=-999999999999', 1, [0, 1, 2]],
    ['startIndex=00002', 2, [1, 2]],
    ['startIndex=%2B2', 2, [1, 2]],
    ['count=0', 1, []],
    ['count=-1', 1, []],
    ['count=-9223372036854775807', 1, []],
    ['count=2147483647', 1, [0, 1, 2]],
    ['count=9223372036854775807', 1, [0, 1, 2]],
    ['startIndex=4', 4, []],
  ])('of ?%s starts at %i', async (query, startIndex, indices) => {
    const { status, body } = await get(query);
    expect({ status, body }).toEqual({
      status: 200,
      body: page(
        indices.map((index) => users[index]),
        startIndex,
      ),
    });
  });

  it('past the end is an empty page, however far', async () => {
    const { status, body } = await get('startIndex=9223372036854775807');
    expect([status, body.totalResults, body.itemsPerPage, body.Resources]).toEqual([200, 3, 0, []]);
  });

  it('counts all that match, whatever the page', async () => {
    const filter = encodeURIComponent('userName sw "a" or userName sw "b"');
    const { body } = await get(`filter=${filter}&startIndex=2&count=1`);
    expect(body).toEqual(page([users[1]], 2, 2));
  });

  it('puts a resource on one page only, in the order of creation', async () => {
    const pages = await Promise.all([1, 2, 3].map((startIndex) => get(`startIndex=${startIndex}&count=1`)));
    expect(pages.flatMap(({ body }) => body.Resources)).toEqual(users);
  });

  it.each(['startIndex', 'count'])('needs a whole number of 64 bits in %s', async (name) => {
    const wrong = ['abc', '1.5', '1e3', '0x10', '', ' ', '१', '1 2', '--1', '+', '1;2', 'NaN', 'null', '9'.repeat(30)];
    for (const value of [...wrong, '9223372036854775808']) {
      const { status, body } = await get(`${name}=${encodeURIComponent(value)}`);
      expect([value, status, body]).toEqual([value, 400, scimError(400, 'invalidValue')]);
    }
  });
});

describe('the largest page', () => {
  it('is what the ServiceProviderConfig publishes', async () => {
    const many = limits.maxResults + 3;
    const client = await server.addTenant('large');
    await Promise.all(Array.from({ length: many }, (_, n) => client.post('/Groups', { displayName: `Group ${n}` })));
    for (const [query, size] of [
      ['', limits.defaultCount],
      ['?count=2147483647', limits.maxResults],
      [`?count=${limits.maxResults + 1}`, limits.maxResults],
      [`?count=${limits.maxResults}&startIndex=${many - 1}`, 2],
    ] as const) {
      const { body } = await client.list(`/Groups${query}`);
      expect([query, body.totalResults, body.itemsPerPage, body.Resources.length]).toEqual([query, many, size, size]);
    }
    const config = await client.get<{ filter: object }>('/ServiceProviderConfig');
    expect(config.body.filter).toEqual({ supported: true, maxResults: limits.maxResults });
  });
});

describe('the names of parameters', () => {
  it.each(['filter', 'Filter', 'FILTER', '%46ilter'])(
    'are read in any case, so that ?%s= never matches everybody (RFC 7644 section 3.4.2)',
    async (name) => {
      const { body } = await get(`${name}=${encodeURIComponent(`userName eq "${users[0]?.['userName'] as string}"`)}`);
      expect([body.totalResults, body.Resources[0]?.id]).toEqual([1, users[0]?.id]);
    },
  );

  it('are the same in another case, so they are given twice', async () => {
    const { status, body } = await get('count=1&Count=2');
    expect([status, body]).toEqual([400, scimError(400, 'invalidValue', 'count is given twice.')]);
  });
});

describe('attributes and excludedAttributes (RFC 7644 section 3.9)', () => {
  const always = ['id', 'schemas'];
  const everything = [...always, 'active', 'displayName', 'emails', 'meta', 'name', 'userName', enterprise];
  const without = (...names: string[]): string[] => everything.filter((name) => !names.includes(name));

  it.each([
    ['attributes=userName', [...always, 'userName']],
    ['attributes=USERNAME,displayname', [...always, 'displayName', 'userName']],
    ['attributes=%20userName%20,%20%20displayName', [...always, 'displayName', 'userName']],
    ['attributes=userName,,', [...always, 'userName']],
    ['attributes=', everything],
    ['attributes=,%20', everything],
    ['attributes=&excludedAttributes=meta', without('meta')],
    ['Attributes=userName', [...always, 'userName']],
    ['attributes=id', always],
    ['attributes=shoeSize', always],
    ['attributes=password', always],
    ['attributes=userName,shoeSize,__proto__,constructor', [...always, 'userName']],
    ['attributes=urn:ietf:params:scim:schemas:core:2.0:User:userName', [...always, 'userName']],
    [`attributes=${enterprise}`, [...always, enterprise]],
    [`attributes=${enterprise}:department`, [...always, enterprise]],
    ['attributes=userName;drop%20table%20users,name%27--,pg_sleep(5)', always],
    ['attributes=meta', [...always, 'meta']],
    ['excludedAttributes=userName', without('userName')],
    ['excludedAttributes=id,schemas', everything],
    ['excludedAttributes=meta', without('meta')],
    ['excludedAttributes=shoeSize', everything],
    [`excludedAttributes=${enterprise}`, without(enterprise)],
    ['excludedAttributes=', everything],
    ['', everything],
  ])('of ?%s return the right attributes, of one and of a list', async (query, names) => {
    const [one, list] = await Promise.all([server.scim.get(`/Users/${users[0]?.id}?${query}`), get(query)]);
    expect([one.status, Object.keys(one.body).sort()]).toEqual([200, [...names].sort()]);
    expect(list.body.Resources.map((resource) => Object.keys(resource).sort())).toEqual(
      users.map(() => [...names].sort()),
    );
    expect(list.body.Resources[0]).toEqual(one.body);
    for (const [name, value] of Object.entries(one.body)) {
      if (name !== enterprise) expect([name, value]).toEqual([name, users[0]?.[name]]);
    }
  });

  it.each([
    ['attributes=name.familyName', { name: { familyName: 'Example' } }],
    ['attributes=emails.value', { emails: [{ value: 'ada@example.com' }, { value: 'ada@home.example' }] }],
    [
      'attributes=emails.value,emails.type',
      {
        emails: [
          { value: 'ada@example.com', type: 'work' },
          { value: 'ada@home.example', type: 'home' },
        ],
      },
    ],
    ['attributes=emails.primary', { emails: [{ primary: true }] }],
    ['attributes=name.familyName,name', { name: { familyName: 'Example', givenName: 'ada' } }],
    [`attributes=${enterprise}:department`, { [enterprise]: { department: 'Sales' } }],
    [`attributes=${enterprise}`, { [enterprise]: { department: 'Sales', costCenter: '7' } }],
  ])('of ?%s choose sub-attributes', async (query, chosen) => {
    const { body } = await server.scim.get(`/Users/${users[0]?.id}?${query}`);
    expect(body).toEqual({ schemas: users[0]?.schemas, id: users[0]?.id, ...chosen });
  });

  it('take sub-attributes away from each element', async () => {
    const { body } = await server.scim.get(`/Users/${users[0]?.id}?excludedAttributes=emails.value,name.givenName`);
    expect(body).toEqual({
      ...users[0],
      name: { familyName: 'Example' },
      emails: [{ type: 'work', primary: true }, { type: 'home' }],
    });
  });

  it('shape the answers to POST, PUT and PATCH', async () => {
    const created = await server.scim.post('/Users?attributes=userName', { userName: 'dan@example.com', title: 'T' });
    const { id, schemas } = created.body;
    expect([created.status, created.body]).toEqual([201, { schemas, id, userName: 'dan@example.com' }]);
    const put = await server.scim.put(`/Users/${id}?excludedAttributes=meta,active`, { userName: 'dan@example.com' });
    expect([put.status, put.body]).toEqual([200, { schemas, id, userName: 'dan@example.com' }]);
    const replace = [{ op: 'replace', path: 'title', value: 'Lead' }];
    const patched = await server.scim.operations(`/Users/${id}?attributes=title`, replace);
    expect([patched.status, patched.body]).toEqual([200, { schemas, id, title: 'Lead' }]);
    expect((await server.scim.delete(`/Users/${id}`)).status).toBe(204);
  });

  it('make a Group PATCH answer 200 with a body instead of 204', async () => {
    const { id, schemas } = (await server.scim.post('/Groups', { displayName: 'Projected' })).body;
    const rename = [{ op: 'replace', path: 'displayName', value: 'Renamed' }];
    expect((await server.scim.operations(`/Groups/${id}`, rename)).status).toBe(204);
    const named = await server.scim.operations(`/Groups/${id}?attributes=displayName`, rename);
    expect([named.status, named.body]).toEqual([200, { schemas, id, displayName: 'Renamed' }]);
  });

  it.each(['GET', 'POST'])('exclude each other: %s', async (method) => {
    const path = '/Users?attributes=userName&excludedAttributes=name';
    const body = method === 'GET' ? undefined : '{"userName":"never@example.com"}';
    const answer = await server.scim.send(method, path, body);
    expect([answer.status, answer.body]).toEqual([
      400,
      scimError(400, 'invalidValue', 'attributes and excludedAttributes cannot be used together.'),
    ]);
    expect((await get('')).body.totalResults).toBe(3);
  });

  it('are bounded in number, and before that by the size of headers', async () => {
    const names = (count: number): string => Array<string>(count).fill('a').join(',');
    expect((await get(`attributes=${names(limits.projectionNames)}`)).status).toBe(200);
    const tooMany = await get(`attributes=${names(limits.projectionNames + 1)}`);
    expect([tooMany.status, tooMany.body]).toEqual([400, scimError(400, 'invalidValue')]);
    expect((await get(`attributes=${names(10_000)}`)).status).toBe(431);
  });
});

describe('the query string', () => {
  const single = ['filter', 'sortBy', 'sortOrder', 'startIndex', 'count', 'attributes', 'excludedAttributes'];

  it.each(single)('has %s at most once', async (name) => {
    const value = name === 'sortBy' ? 'userName' : '1';
    const { status, body } = await get(`${name}=${value}&${name}=${value}`);
    expect([status, body]).toEqual([400, scimError(400, 'invalidValue', `${name} is given twice.`)]);
  });

  it.each([
    ['GET', '/Users'],
    ['GET', '/Users/{id}'],
    ['GET', '/Groups'],
    ['GET', '/Schemas'],
    ['GET', '/ResourceTypes'],
    ['GET', '/ServiceProviderConfig'],
    ['PATCH', '/Users/{id}'],
  ])('may carry what SCIM does not define, which is ignored (RFC 7644 section 3.4.2): %s %s', async (method, path) => {
    const target = path.replace('{id}', users[0]?.id ?? '');
    const body = method === 'GET' ? undefined : '{"Operations":[{"op":"replace","path":"displayName","value":"ada"}]}';
    const plain = await server.scim.send(method, target, body);
    for (const query of [
      'aadOptscim062020',
      'aadOptscim062020=true',
      'utm=1&utm=2',
      'filters=x&counts=abc',
      '&&=&?',
      '__proto__=1',
    ]) {
      const answer = await server.scim.send(method, `${target}?${query}`, body);
      expect([query, answer.status, answer.body]).toEqual([query, 200, plain.body]);
    }
  });

  it('does not filter one resource: filter, sorting and paging are ignored there', async () => {
    const { status, body } = await server.scim.get(
      `/Users/${users[0]?.id}?filter=userName%20eq%20%22x%22&count=0&sortBy=x`,
    );
    expect([status, body]).toEqual([200, users[0]]);
  });

  it.each([
    ['filter=%zz', 'invalidFilter'],
    ['filter=%c3%28', 'invalidFilter'],
    ['filter=userName%20eq%20%22%', 'invalidFilter'],
    ['sortBy=%zz', 'invalidSyntax'],
    ['count=%c3%28', 'invalidSyntax'],
    ['attributes=%', 'invalidSyntax'],
    ['%zz=1', 'invalidSyntax'],
  ])('must be valid percent-encoded UTF-8: %s', async (query, scimType) => {
    const { status, body } = await get(query);
    expect([status, body]).toEqual([400, scimError(400, scimType)]);
  });

  it('is decoded once, with + for a space', async () => {
    expect((await get('filter=userName+eq+%22ada@example.com%22')).body).toEqual(page([users[0]], 1, 1));
    expect((await get('filter=userName%20eq%20%22ada%2540example.com%22')).body.totalResults).toBe(0);
    expect((await get('filter=userName%20eq%20%2522ada%2522')).status).toBe(400);
  });

  it('keeps an equals sign in a value', async () => {
    expect((await get('filter=userName eq "a=b"')).body.totalResults).toBe(0);
  });

  it('does not hold U+0000', async () => {
    const { status, body } = await get('filter=userName%20eq%20%22a%00b%22');
    expect([status, body]).toEqual([400, scimError(400, 'invalidFilter')]);
    expect((await get('sortBy=user%00Name')).body).toEqual(scimError(400, 'invalidValue'));
    for (const name of ['attributes', 'excludedAttributes']) {
      expect((await get(`${name}=user%00Name`)).body).toEqual(scimError(400, 'invalidValue'));
      const one = await server.scim.get(`/Users/${users[0]?.id}?${name}=title,%00`);
      expect([one.status, one.body]).toEqual([400, scimError(400, 'invalidValue')]);
    }
  });
});

describe('a filter that is no filter (RFC 7644 section 3.4.2.2)', () => {
  it.each([
    '',
    ' ',
    'userName',
    'userName eq',
    'eq "x"',
    'userName eq bob',
    "userName eq 'bob'",
    'userName = "x"',
    'userName regex "x"',
    'userName eq "x',
    'userName eq "x"]',
    'userName eq "x")',
    '(userName eq "x"',
    'not userName pr',
    'userName pr and',
    'userName pr userName pr',
    'emails[type eq "work"',
    'emails[]',
    'shoeSize eq 9',
    'urn:example:nothing:userName eq "x"',
    'active gt true',
    'x509Certificates.value gt "a"',
    'userName gt 5',
    'userName eq 5',
    'active eq "yes"',
    'meta.created gt "yesterday"',
    'name eq "x"',
    'password eq "guess"',
    'password sw "a"',
    'password pr',
    '__proto__ eq "x"',
    'constructor.name eq "x"',
    'userName;drop eq "x"',
    "data->>'x' eq 1",
    'pg_sleep(5) eq 1',
  ])('is 400 invalidFilter: %s', async (filter) => {
    const { status, body } = await get(`filter=${encodeURIComponent(filter)}`);
    expect([status, body]).toEqual([400, scimError(400, 'invalidFilter')]);
  });
});

describe('a sort order that is none (RFC 7644 section 3.4.2.3)', () => {
  it.each([
    'sortBy=userName&sortOrder=sideways',
    'sortBy=userName&sortOrder=',
    'sortBy=',
    'sortBy=shoeSize',
    'sortBy=password',
    'sortBy=name',
    'sortBy=__proto__',
    `sortBy=${'a.'.repeat(500)}a`,
    'sortBy=userName;drop',
    'sortBy=name%27--',
  ])('is 400 invalidValue: %s', async (query) => {
    const { status, body } = await get(query);
    expect([status, body]).toEqual([400, scimError(400, 'invalidValue')]);
  });

  it('is ignored without sortBy', async () => {
    expect((await get('sortOrder=sideways')).body).toEqual(page(users, 1));
  });

  it('may be in any case', async () => {
    expect((await get('sortBy=USERNAME&sortOrder=DESCENDING')).body).toEqual(page([...users].reverse(), 1));
  });
});
