import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../src/scim/index.js';
import type { List } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { publicUrl, startServer, type TestServer } from '../support/server.js';

const base = `${publicUrl}/scim/v2`;
const core = 'urn:ietf:params:scim:schemas:core:2.0:';
const enterpriseUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.close());

const userType = {
  schemas: [`${core}ResourceType`],
  id: 'User',
  name: 'User',
  description: 'User Account',
  endpoint: '/Users',
  schema: `${core}User`,
  schemaExtensions: [{ schema: enterpriseUrn, required: false }],
  meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/User` },
};

const groupType = {
  schemas: [`${core}ResourceType`],
  id: 'Group',
  name: 'Group',
  description: 'Group',
  endpoint: '/Groups',
  schema: `${core}Group`,
  meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/Group` },
};

describe('the ServiceProviderConfig (RFC 7643 section 5, RFC 9865 section 3)', () => {
  it('says what there is', async () => {
    const { status, headers, body } = await server.scim.get<JsonObject>('/ServiceProviderConfig');
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        schemas: [`${core}ServiceProviderConfig`],
        documentationUri: `${publicUrl}/docs`,
        patch: { supported: true },
        bulk: { supported: true, maxOperations: 1000, maxPayloadSize: 4_194_304 },
        filter: { supported: true, maxResults: 200 },
        changePassword: { supported: true },
        sort: { supported: true },
        etag: { supported: true },
        pagination: {
          cursor: true,
          index: true,
          defaultPaginationMethod: 'index',
          defaultPageSize: 100,
          maxPageSize: 200,
          cursorTimeout: 86_400,
        },
        authenticationSchemes: [
          {
            type: 'oauthbearertoken',
            name: 'OAuth Bearer Token',
            description: 'A bearer token in the Authorization header',
            specUri: 'https://www.rfc-editor.org/info/rfc6750',
            primary: true,
          },
          {
            type: 'oauth2',
            name: 'OAuth 2.0',
            description: "An access token of the token endpoint, /oauth/token, or of the tenant's identity provider",
            specUri: 'https://www.rfc-editor.org/info/rfc6749',
            primary: false,
          },
        ],
        meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
      },
    });
    expect(headers.get('Content-Type')).toBe('application/scim+json; charset=utf-8');
  });

  it('is the same for everybody: it holds nothing of a tenant', async () => {
    const tenant = await server.addTenant('another', { profile: 'strict' });
    const texts = await Promise.all(
      [server.scim, tenant].map((client) => client.get('/ServiceProviderConfig').then(({ text }) => text)),
    );
    const anonymous = await server.scim.get('/ServiceProviderConfig', { token: null });
    expect(texts).toEqual([anonymous.text, anonymous.text]);
  });

  it('is believed: each feature that it says is supported does what it is for', async () => {
    const { scim } = server;
    const [ada, bob] = await Promise.all(
      ['Ada', 'Bob'].map(async (userName) => (await scim.post('/Users', { userName })).body),
    );
    const at = `/Users/${ada?.id}`;
    const done = {
      patch: (await scim.operations(at, [{ op: 'add', path: 'title', value: 'Dr' }])).body['title'],
      filter: (await scim.list('/Users?filter=title%20eq%20%22dr%22')).body.Resources.map(({ id }) => id),
      sort: (await scim.list('/Users?sortBy=userName&sortOrder=descending')).body.Resources.map(({ id }) => id),
      etag: (await scim.get(at, { headers: { 'If-None-Match': 'W/"2"' } })).status,
      changePassword: (await scim.operations(at, [{ op: 'replace', path: 'password', value: 'N3w-Secret-1' }])).status,
      bulk: (
        await scim.post<{ Operations: object[] }>('/Bulk', {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
          Operations: [{ method: 'DELETE', path: `/Users/${bob?.id}` }],
        })
      ).body.Operations.length,
      index: (await scim.list('/Users?startIndex=1&count=1')).body.itemsPerPage,
      cursor: (await scim.list('/Users?cursor&count=1')).body.itemsPerPage,
    };
    expect(done).toEqual({
      patch: 'Dr',
      filter: [ada?.id],
      sort: [bob?.id, ada?.id],
      etag: 304,
      changePassword: 200,
      bulk: 1,
      index: 1,
      cursor: 1,
    });
  });

  it('names a documentation page that is there', async () => {
    const { body } = await server.scim.get<{ documentationUri: string }>('/ServiceProviderConfig');
    const page = await server.scim.get(body.documentationUri.replace(publicUrl, server.origin), { token: null });
    expect([page.status, page.headers.get('Content-Type')]).toEqual([200, 'text/html; charset=utf-8']);
  });
});

describe('the resource types (RFC 7643 section 6)', () => {
  it('are listed in one page', async () => {
    const { status, body } = await server.scim.get<List<JsonObject>>('/ResourceTypes');
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
        totalResults: 2,
        startIndex: 1,
        itemsPerPage: 2,
        Resources: [userType, groupType],
      },
    });
  });

  it.each([
    ['User', userType],
    ['user', userType],
    ['GROUP', groupType],
  ])('are found by name, in any case: %s', async (name, type) => {
    const { status, body } = await server.scim.get(`/ResourceTypes/${name}`);
    expect([status, body]).toEqual([200, type]);
  });

  it('name endpoints and schemas that are there', async () => {
    for (const { endpoint, schema } of [userType, groupType]) {
      expect((await server.scim.list(endpoint)).status).toBe(200);
      expect((await server.scim.get(`/Schemas/${schema}`)).status).toBe(200);
    }
    expect((await server.scim.get(`/Schemas/${enterpriseUrn}`)).status).toBe(200);
  });
});

describe('the schemas (RFC 7643 section 7)', () => {
  it('are listed in one page, and each is the same by itself', async () => {
    const { body } = await server.scim.list<JsonObject & { id: string }>('/Schemas');
    const { Resources, ...page } = body;
    expect(page).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: Resources.length,
      startIndex: 1,
      itemsPerPage: Resources.length,
    });
    for (const schema of Resources) {
      const { status, body: single } = await server.scim.get(`/Schemas/${schema.id}`);
      expect([status, single]).toEqual([200, schema]);
    }
  });

  it.each([
    ['in upper case', `${core}User`.toUpperCase()],
    ['in lower case', `${core}User`.toLowerCase()],
    ['percent-encoded', encodeURIComponent(`${core}User`)],
    ['with a slash at the end', `${core}User/`],
  ])('are found by URN %s', async (_how, urn) => {
    const { status, body } = await server.scim.get(`/Schemas/${urn}`);
    expect([status, body.id]).toEqual([200, `${core}User`]);
  });
});

describe('a discovery endpoint (RFC 7644 section 4)', () => {
  const endpoints = [
    '/ServiceProviderConfig',
    '/ResourceTypes',
    '/ResourceTypes/User',
    '/Schemas',
    `/Schemas/${core}User`,
  ];

  it.each(endpoints)('ignores paging, sorting and projection: %s', async (path) => {
    const plain = await server.scim.get(path);
    for (const query of [
      'startIndex=5&count=0',
      'attributes=id',
      'excludedAttributes=name',
      'sortBy=name',
      'count=abc',
    ]) {
      const { status, body } = await server.scim.get(`${path}?${query}`);
      expect([query, status, body]).toEqual([query, 200, plain.body]);
    }
  });

  it.each(endpoints)('refuses to filter, whatever the filter: %s', async (path) => {
    for (const filter of ['id%20pr', 'not%20a%20filter', '']) {
      const { status, body } = await server.scim.get(`${path}?filter=${filter}`);
      expect([status, body]).toEqual([
        403,
        scimError(403, undefined, 'filter cannot be used here: this endpoint always returns all there is.'),
      ]);
    }
  });

  it.each(endpoints)('cannot be written to, whatever is sent: %s', async (path) => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await server.scim.send(method, path, method === 'DELETE' ? undefined : '{broken');
      expect([method, answer.status, answer.headers.get('Allow')]).toEqual([method, 405, 'GET, HEAD, OPTIONS']);
      expect(answer.body).toEqual(scimError(405, undefined, `${method} is not allowed here; use GET, HEAD.`));
    }
  });

  it.each(['/ResourceTypes', '/ResourceTypes/User', '/Schemas', `/Schemas/${core}User`])(
    'needs a token, but for the ServiceProviderConfig: %s',
    async (path) => {
      const answer = await server.scim.get(path, { token: null });
      expect([answer.status, answer.body]).toEqual([401, scimError(401)]);
    },
  );

  it.each([
    '/ResourceTypes/Device',
    '/ResourceTypes/Users',
    '/ResourceTypes/Schema',
    '/Schemas/User',
    '/Schemas/urn:ietf:params:scim:schemas:core:2.0:Device',
    '/Schemas/urn:ietf:params:scim:api:messages:2.0:Error',
    '/ServiceProviderConfigs',
    '/ServiceProviderConfig/x',
  ])('answers 404 for what is not there: %s', async (path) => {
    const { status, body } = await server.scim.get(path);
    expect([status, body]).toEqual([404, scimError(404)]);
  });
});
