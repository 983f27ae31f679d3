import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject, JsonValue } from '../../src/scim/index.js';
import type { Answer, ScimClient } from '../support/client.js';
import { publicUrl, startServer, type TestServer } from '../support/server.js';

interface BulkAnswer extends JsonObject {
  schemas: string[];
  Operations: {
    method: string;
    bulkId?: string;
    version?: string;
    location?: string;
    status: string;
    response?: { schemas: string[]; status: string; scimType?: string; detail: string };
  }[];
}

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const base = `${publicUrl}/scim/v2`;

describe('RFC 7644 section 3.7: bulk operations', () => {
  let server: TestServer;
  let scim: ScimClient;
  let tenants = 0;

  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());

  const fresh = async (): Promise<ScimClient> => (scim = await server.addTenant(`bulk-${tenants++}`));
  const bulk = (Operations: JsonValue[], more: JsonObject = {}): Promise<Answer<BulkAnswer>> =>
    scim.post<BulkAnswer>('/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      ...more,
      Operations,
    });
  const user = (bulkId: string, userName: string, more: JsonObject = {}): JsonObject => ({
    method: 'POST',
    path: '/Users',
    bulkId,
    data: { userName, ...more },
  });
  const group = (bulkId: string, displayName: string, ...members: string[]): JsonObject => ({
    method: 'POST',
    path: '/Groups',
    bulkId,
    data: { displayName, members: members.map((value) => ({ value })) },
  });
  const statuses = ({ body }: Answer<BulkAnswer>): string[] => body.Operations.map(({ status }) => status);
  const idOf = (answer: Answer<BulkAnswer>, index: number): string =>
    answer.body.Operations[index]?.location?.split('/').at(-1) ?? '';

  it('carries out every method and answers each with its method, location, version and status', async () => {
    await fresh();
    const kept = (await scim.post('/Users', { userName: 'kept' })).body.id;
    const gone = (await scim.post('/Users', { userName: 'gone' })).body.id;
    const answer = await bulk([
      user('new', 'new'),
      { method: 'put', path: `/Users/${kept}`, data: { userName: 'kept', displayName: 'Put' } },
      {
        method: 'PATCH',
        path: `/v2/Users/${kept}`,
        data: { Operations: [{ op: 'replace', value: { active: false } }] },
      },
      { method: 'DELETE', path: `/Users/${gone}`, bulkId: 'also echoed' },
    ]);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkResponse'],
      Operations: [
        {
          method: 'POST',
          bulkId: 'new',
          version: 'W/"1"',
          location: `${base}/Users/${idOf(answer, 0)}`,
          status: '201',
        },
        { method: 'PUT', version: 'W/"2"', location: `${base}/Users/${kept}`, status: '200' },
        { method: 'PATCH', version: 'W/"3"', location: `${base}/Users/${kept}`, status: '200' },
        { method: 'DELETE', bulkId: 'also echoed', location: `${base}/Users/${gone}`, status: '204' },
      ],
    });
    const list = await scim.list('/Users?attributes=userName,displayName,active&sortBy=userName');
    expect(list.body.Resources).toMatchObject([
      { userName: 'kept', displayName: 'Put', active: false },
      { userName: 'new', active: true },
    ]);
  });

  it('resolves references to earlier and to later operations (section 3.7.2)', async () => {
    await fresh();
    const answer = await bulk([
      group('g', 'Guides', 'bulkId:early', 'bulkId:late'),
      user('early', 'early'),
      user('late', 'late', { [enterprise]: { manager: { value: 'bulkId:early' } } }),
      {
        method: 'PATCH',
        path: '/Groups/bulkId:g',
        data: { Operations: [{ op: 'replace', path: 'displayName', value: 'All guides' }] },
      },
    ]);
    expect(statuses(answer)).toEqual(['201', '201', '201', '204']);
    const [groupId, early, late] = [0, 1, 2].map((index) => idOf(answer, index));
    const read = await scim.get(`/Groups/${groupId}`);
    expect(read.body).toMatchObject({ displayName: 'All guides', members: [{ value: early }, { value: late }] });
    const reporter = await scim.get(`/Users/${late}`);
    expect(reporter.body[enterprise]).toEqual({ manager: { value: early, $ref: `${base}/Users/${early}` } });
  });

  it('creates groups that are members of each other (section 3.7.1)', async () => {
    await fresh();
    const answer = await bulk([
      group('qwerty', 'Group A', 'bulkId:ytrewq'),
      group('ytrewq', 'Group B', 'bulkId:qwerty'),
    ]);
    expect(statuses(answer)).toEqual(['201', '201']);
    const [a, b] = [idOf(answer, 0), idOf(answer, 1)];
    const groups = await scim.list('/Groups?sortBy=displayName');
    expect(groups.body.Resources).toMatchObject([
      { id: a, displayName: 'Group A', members: [{ value: b, type: 'Group' }] },
      { id: b, displayName: 'Group B', members: [{ value: a, type: 'Group' }] },
    ]);
    expect(answer.body.Operations.map(({ version }) => version)).toEqual(
      groups.body.Resources.map(({ meta }) => meta.version),
    );
  });

  it('creates a circle of three groups, and users who manage each other', async () => {
    await fresh();
    const answer = await bulk([
      group('1', 'One', 'bulkId:2'),
      group('2', 'Two', 'bulkId:3'),
      group('3', 'Three', 'bulkId:1'),
      user('x', 'x', { [enterprise]: { department: 'D', manager: { value: 'bulkId:y' } } }),
      user('y', 'y', { [enterprise]: { manager: 'bulkId:x' } }),
    ]);
    expect(statuses(answer)).toEqual(['201', '201', '201', '201', '201']);
    const [one, two, three, x, y] = [0, 1, 2, 3, 4].map((index) => idOf(answer, index));
    const groups = await scim.list('/Groups');
    expect(
      Object.fromEntries(groups.body.Resources.map(({ id, members }) => [id, (members as JsonObject[])[0]?.['value']])),
    ).toEqual({
      [String(one)]: two,
      [String(two)]: three,
      [String(three)]: one,
    });
    const users = await scim.list('/Users?sortBy=userName');
    expect(users.body.Resources.map((resource) => resource[enterprise])).toMatchObject([
      { department: 'D', manager: { value: y } },
      { manager: { value: x } },
    ]);
  });

  it('resolves a chain of 500 references to later operations', async () => {
    await fresh();
    const chain = Array.from({ length: 500 }, (_, index) =>
      index < 499 ? group(`g${index}`, `Group ${index}`, `bulkId:g${index + 1}`) : group(`g${index}`, 'Last'),
    );
    const answer = await bulk(chain);
    expect(new Set(statuses(answer))).toEqual(new Set(['201']));
    expect(answer.body.Operations.map(({ bulkId }) => bulkId)).toEqual(chain.map(({ bulkId }) => bulkId));
  });

  it('refuses a reference to nothing, to itself, and to what could not be created', async () => {
    await fresh();
    const answer = await bulk([
      group('nothing', 'A', 'bulkId:unheard'),
      group('self', 'B', 'bulkId:self'),
      user('bad', ''),
      group('of bad', 'C', 'bulkId:bad'),
      { method: 'DELETE', path: '/Users/bulkId:bad' },
      user('good', 'good'),
    ]);
    expect(answer.body.Operations.map(({ status, response }) => [status, response?.scimType])).toEqual([
      ['400', 'invalidValue'],
      ['400', 'invalidValue'],
      ['400', 'invalidValue'],
      ['409', undefined],
      ['409', undefined],
      ['201', undefined],
    ]);
    expect((await scim.list('/Groups')).body.totalResults).toBe(0);
  });

  it('leaves nothing of a circle that cannot be closed', async () => {
    await fresh();
    const answer = await bulk([group('a', 'A', 'bulkId:b'), group('b', '', 'bulkId:a')]);
    expect(statuses(answer)).toEqual(['409', '400']);
    expect((await scim.list('/Groups')).body.totalResults).toBe(0);
  });

  it.each([
    ['the first', 0, ['400', '409', '409']],
    ['the second', 1, ['409', '400', '409']],
    ['the third', 2, ['409', '409', '400']],
  ])('leaves nothing of a circle of three of which %s cannot be created', async (_, bad, expected) => {
    await fresh();
    const names = ['One', 'Two', 'Three'].map((name, index) => (index === bad ? '' : name));
    const circle = names.map((name, index) => group(String(index), name, `bulkId:${(index + 1) % 3}`));
    const answer = await bulk([...circle, group('of one', 'Of one', 'bulkId:0'), group('alone', 'Alone')]);
    expect(statuses(answer)).toEqual([...expected, '409', '201']);
    expect((await scim.list('/Groups')).body.Resources.map(({ displayName }) => displayName)).toEqual(['Alone']);
  });

  it('leaves nothing of a circle that cannot be linked, and does not carry out what refers to it', async () => {
    await fresh();
    const { id } = (await scim.post('/Groups', { displayName: 'Referring' })).body;
    const answer = await bulk([
      {
        method: 'PATCH',
        path: `/Groups/${id}`,
        data: { Operations: [{ op: 'add', path: 'members', value: [{ value: 'bulkId:a' }] }] },
      },
      group('a', 'A', 'bulkId:b'),
      {
        method: 'POST',
        path: '/Groups',
        bulkId: 'b',
        data: { displayName: 'B', members: [{ value: 'bulkId:a', type: 'User' }] },
      },
    ]);
    expect(statuses(answer)).toEqual(['409', '409', '400']);
    const left = (await scim.list('/Groups')).body.Resources;
    expect(left.map(({ displayName, meta }) => [displayName, meta.version])).toEqual([['Referring', 'W/"1"']]);
  });

  it('stops at the error of what an operation refers to, without counting the operation as another', async () => {
    await fresh();
    const answer = await bulk([group('a', 'A', 'bulkId:b'), group('b', ''), group('c', 'C')], { failOnErrors: 1 });
    expect(answer.body.Operations.map(({ bulkId, status }) => [bulkId, status])).toEqual([['b', '400']]);
    expect((await scim.list('/Groups')).body.totalResults).toBe(0);
  });

  it('stops when failOnErrors errors have occurred, and keeps what was done before', async () => {
    await fresh();
    const operations = [user('1', 'one'), user('2', ''), user('3', 'three'), user('4', ''), user('5', 'five')];
    const answer = await bulk(operations, { failOnErrors: 2 });
    expect(statuses(answer)).toEqual(['201', '400', '201', '400']);
    expect((await scim.list('/Users')).body.totalResults).toBe(2);
    await fresh();
    expect(statuses(await bulk(operations, { failOnErrors: 1 }))).toEqual(['201', '400']);
    await fresh();
    expect(statuses(await bulk(operations))).toEqual(['201', '400', '201', '400', '201']);
  });

  it('treats version as If-Match', async () => {
    await fresh();
    const { id } = (await scim.post('/Users', { userName: 'versioned' })).body;
    const rename = (displayName: string, version: string): JsonObject => ({
      method: 'PATCH',
      path: `/Users/${id}`,
      version,
      data: { Operations: [{ op: 'replace', path: 'displayName', value: displayName }] },
    });
    const answer = await bulk([rename('first', 'W/"1"'), rename('stale', 'W/"1"'), rename('second', 'W/"2"')]);
    expect(statuses(answer)).toEqual(['200', '412', '200']);
    expect(answer.body.Operations[1]).toEqual({
      method: 'PATCH',
      location: `${base}/Users/${id}`,
      status: '412',
      response: {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
        status: '412',
        detail: 'The resource has changed: its version does not match If-Match.',
      },
    });
    expect((await scim.get(`/Users/${id}`)).body['displayName']).toBe('second');
  });

  it('lets one of 500 operations pass that name the same version', async () => {
    await fresh();
    const { id } = (await scim.post('/Users', { userName: 'versioned' })).body;
    const operations = Array.from({ length: 500 }, (_, index) => ({
      method: 'PATCH',
      path: `/Users/${id}`,
      version: 'W/"1"',
      data: { Operations: [{ op: 'replace', path: 'title', value: `Title ${index}` }] },
    }));
    expect(statuses(await bulk(operations))).toEqual(['200', ...Array<string>(499).fill('412')]);
    expect((await scim.get(`/Users/${id}`)).body).toMatchObject({ title: 'Title 0', meta: { version: 'W/"2"' } });
  });

  it.each([
    ['a path out of the base', { method: 'DELETE', path: '/Users/../Groups/x' }, 'invalidValue'],
    ['an absolute URL', { method: 'DELETE', path: 'http://evil.example/Users/x' }, 'invalidValue'],
    ['a bulk request inside', { method: 'POST', path: '/Bulk', bulkId: 'x', data: {} }, 'invalidValue'],
    ['a search', { method: 'POST', path: '/.search', bulkId: 'x', data: {} }, 'invalidValue'],
    ['/Me', { method: 'PATCH', path: '/Me', data: {} }, 'invalidValue'],
    ['a query in the path', { method: 'DELETE', path: '/Users/x?count=1' }, 'invalidValue'],
    ['POST to a resource', { method: 'POST', path: '/Users/x', bulkId: 'x', data: { userName: 'x' } }, 'invalidValue'],
    ['DELETE of a collection', { method: 'DELETE', path: '/Users' }, 'invalidValue'],
    ['GET', { method: 'GET', path: '/Users/x' }, 'invalidSyntax'],
    ['no method', { path: '/Users/x' }, 'invalidSyntax'],
    ['no path', { method: 'DELETE' }, 'invalidSyntax'],
    ['POST without bulkId', { method: 'POST', path: '/Users', data: { userName: 'x' } }, 'invalidSyntax'],
    ['PUT without data', { method: 'PUT', path: '/Users/x' }, 'invalidSyntax'],
    ['an operation that is no object', 'DELETE', 'invalidSyntax'],
    ['U+0000 in data', { method: 'POST', path: '/Users', bulkId: 'x', data: { userName: 'a\0b' } }, 'invalidValue'],
    [
      'a lone surrogate in a key',
      { method: 'POST', path: '/Users', bulkId: 'x', data: { '\ud800': 1 } },
      'invalidSyntax',
    ],
    ['U+0000 in a bulkId', { method: 'POST', path: '/Users', bulkId: 'x\0', data: { userName: 'x' } }, 'invalidValue'],
    ['a lone surrogate in a version', { method: 'DELETE', path: '/Users/x', version: '\ud800' }, 'invalidValue'],
    ['U+0000 in a path', { method: 'DELETE', path: '/Users/\0' }, 'invalidValue'],
    ['U+0000 in a member that is not known', { method: 'DELETE', path: '/Users/x', 'a\0': 1 }, 'invalidSyntax'],
  ])('answers %s with an error of that operation alone', async (_, operation, scimType) => {
    await fresh();
    const answer = await bulk([operation, user('good', 'good')]);
    expect(answer.body.Operations.map(({ status, response }) => [status, response?.scimType])).toEqual([
      ['400', scimType],
      ['201', undefined],
    ]);
  });

  it.each([
    ['no operations', { Operations: [] }, 'invalidSyntax'],
    ['operations that are no array', { Operations: {} }, 'invalidSyntax'],
    ['failOnErrors of 0', { failOnErrors: 0, Operations: [{}] }, 'invalidValue'],
    ['failOnErrors of -1', { failOnErrors: -1, Operations: [{}] }, 'invalidValue'],
    ['failOnErrors as a string', { failOnErrors: '1', Operations: [{}] }, 'invalidValue'],
    ['two operations with one bulkId', { Operations: [user('a', 'a'), user('a', 'b')] }, 'invalidSyntax'],
    ['U+0000 in a key beside the operations', { 'a\0': 1, Operations: [user('a', 'a')] }, 'invalidSyntax'],
    ['a lone surrogate beside the operations', { a: ['\ud800'], Operations: [user('a', 'a')] }, 'invalidValue'],
  ])('refuses a request with %s', async (_, body, scimType) => {
    await fresh();
    const answer = await scim.post<JsonObject>('/Bulk', body);
    expect([answer.status, answer.body['scimType']]).toEqual([400, scimType]);
    expect((await scim.list('/Users')).body.totalResults).toBe(0);
  });

  it('refuses more operations or bytes than it publishes, naming the limit', async () => {
    await fresh();
    const config = await scim.get<JsonObject & { bulk: { maxOperations: number; maxPayloadSize: number } }>(
      '/ServiceProviderConfig',
    );
    const { maxOperations, maxPayloadSize } = config.body.bulk;
    const many = await scim.post<JsonObject>('/Bulk', {
      Operations: Array.from({ length: maxOperations + 1 }, () => ({})),
    });
    expect([many.status, many.body['detail']]).toEqual([
      413,
      `A bulk request may hold maxOperations = ${maxOperations} operations; this one has ${maxOperations + 1}.`,
    ]);
    const large = await scim.post<JsonObject>('/Bulk', {
      Operations: [user('a', 'a', { title: 'x'.repeat(maxPayloadSize) })],
    });
    expect([large.status, large.body['detail']]).toEqual([
      413,
      `The body is larger than maxPayloadSize = ${maxPayloadSize} bytes.`,
    ]);
  });

  it('carries out an operation behind one that the database refused', async () => {
    await fresh();
    const { id } = (await scim.post('/Users', { userName: 'taken' })).body;
    const put = (displayName: string): JsonObject => ({
      ...{ method: 'PUT', path: `/Users/${id}`, data: { userName: 'taken', displayName } },
    });
    const operations = [user('a', 'taken'), put('A'), user('b', 'taken'), user('c', 'taken'), put('B'), user('d', 'd')];
    expect(statuses(await bulk(operations))).toEqual(['409', '200', '409', '409', '200', '201']);
  });

  it("does not reach another tenant's resources", async () => {
    await fresh();
    const { id } = (await scim.post('/Users', { userName: 'theirs' })).body;
    const owner = scim;
    await fresh();
    const unknown = '00000000-0000-7000-8000-000000000000';
    const answer = await bulk([id, unknown].map((target) => ({ method: 'DELETE', path: `/Users/${target}` })));
    const [theirs, none] = answer.body.Operations.map(({ response }) => response?.detail);
    expect(statuses(answer)).toEqual(['404', '404']);
    expect(theirs?.replace(id, unknown)).toBe(none);
    expect((await owner.get(`/Users/${id}`)).status).toBe(200);
  });
});
