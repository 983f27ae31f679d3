import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  coreRegistry,
  type Attribute,
  type JsonObject,
  type JsonValue,
  type ResourceSchema,
} from '../../src/scim/index.js';
import type { Resource } from '../support/client.js';
import { startServer, type TestServer } from '../support/server.js';

/** The parts of an OpenAPI document that are looked at here. */
interface Media {
  readonly schema: { readonly $ref?: string };
  readonly example?: JsonValue;
  readonly examples?: Readonly<Record<string, { readonly summary?: string; readonly value: JsonObject }>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly schema?: { readonly example?: string };
}

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, Media>> }>
  >;
}

interface Property {
  readonly type?: string;
  readonly items?: Property;
  readonly $ref?: string;
  readonly allOf?: readonly Property[];
  readonly readOnly?: boolean;
  readonly writeOnly?: boolean;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<
      Record<string, { readonly properties: Readonly<Record<string, Property>>; readonly required?: readonly string[] }>
    >;
    readonly securitySchemes: unknown;
  };
}

const scimMediaType = 'application/scim+json';
const oauth = ['GET /.well-known/oauth-authorization-server', 'GET /oauth/jwks', 'POST /oauth/token'];
const metrics = 'GET /metrics';
const withoutToken = [...oauth, metrics, 'GET /livez', 'GET /readyz', 'GET /scim/v2/ServiceProviderConfig'];
const probes = ['GET /livez', 'GET /readyz'];

let server: TestServer;
let document: Document;
let operations: [name: string, operation: Operation][];
/** Those whose messages and errors are SCIM's, and the probes. */
let scim: [name: string, operation: Operation][];

beforeAll(async () => {
  server = await startServer({ PUBLIC_URL: 'https://example.com/directory/' });
  const answer = await server.scim.get<JsonObject>(`${server.origin}/openapi.json`, { token: null });
  document = answer.body as unknown as Document;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );
  scim = operations.filter(([name]) => ![...oauth, metrics].includes(name));
});

afterAll(() => server.close());

describe('the document', () => {
  it('says what it is, and where the server is: beside it', () => {
    const { openapi, info, servers, components } = document;
    expect([openapi, info.title, servers]).toEqual(['3.0.0', 'Rollcall', [{ url: '/directory' }]]);
    expect(components.securitySchemes).toEqual({
      bearer: { type: 'http', scheme: 'bearer', description: expect.stringContaining('token') },
    });
  });

  it('describes every route that the server has, and no other', () => {
    const { stack } = (
      server.app.getHttpAdapter().getInstance() as unknown as {
        router: { stack: { route?: { path: string; methods: Record<string, boolean> } }[] };
      }
    ).router;
    const served = stack.flatMap(({ route }) =>
      Object.keys(route?.methods ?? {}).map((method) => `${method.toUpperCase()} ${route?.path}`),
    );
    const elsewhere = /\/docs|\/openapi\.json|\/\*path|\/Me$/;
    const documented = operations.map(([name]) => name.replace(/\{(\w+)\}/g, ':$1'));
    expect(documented.sort()).toEqual(served.filter((route) => !elsewhere.test(route)).sort());
  });

  it('defines whatever it refers to, and refers to whatever it defines', () => {
    const referred = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g);
    const names = new Set([...referred].map(([, name]) => name));
    expect([...names].sort()).toEqual(Object.keys(document.components.schemas).sort());
  });

  it('names schemas as SCIM does, not as the code does', () => {
    expect(Object.keys(document.components.schemas).filter((name) => name.endsWith('Dto'))).toEqual([]);
  });

  it('gives every operation an id of its own', () => {
    const ids = operations.map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('groups the operations under headings that it explains', () => {
    const used = new Set(operations.flatMap(([, { tags = [] }]) => tags));
    expect([...used].sort()).toEqual(document.tags.map(({ name }) => name).sort());
    expect(document.tags.filter(({ description }) => description === '')).toEqual([]);
    expect(document.tags[0]?.name).toBe('Users');
  });
});

describe('every operation', () => {
  it('has a summary, one heading, and parameters that are explained', () => {
    const poor = operations.filter(
      ([, { summary, tags, parameters }]) =>
        !summary || tags?.length !== 1 || parameters.some((each) => each.name !== 'sortOrder' && !each.description),
    );
    expect(poor.map(([name]) => name)).toEqual([]);
  });

  it('declares the parameters of its path', () => {
    for (const [name, { parameters }] of operations) {
      const inPath = [...name.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      expect([name, parameters.filter((each) => each.in === 'path').map((each) => each.name)]).toEqual([name, inPath]);
    }
  });

  it('needs the bearer token, but for those that are open', () => {
    const open = operations.filter(([, { security }]) => !security?.length).map(([name]) => name);
    expect(open.sort()).toEqual([...withoutToken].sort());
    for (const [name, { security }] of operations) {
      if (!open.includes(name)) expect([name, security]).toEqual([name, [{ bearer: [] }]]);
    }
  });

  it('shows an example of its success, unless that has no body', () => {
    for (const [name, { responses }] of scim) {
      const [[status, success] = []] = Object.entries(responses).filter(([code]) => code.startsWith('2'));
      const media = Object.entries(success?.content ?? {});
      const mediaType = probes.includes(name) ? 'application/json' : scimMediaType;
      expect([name, success?.description]).toEqual([name, expect.stringMatching(/\.$/)]);
      if (status !== '204')
        expect([name, media]).toEqual([name, [[mediaType, expect.objectContaining({ example: expect.any(Object) })]]]);
    }
  });

  it('lists its errors, each with an example that is the Error message', () => {
    for (const [name, { responses }] of scim) {
      const errors = Object.entries(responses).filter(([status]) => !status.startsWith('2'));
      for (const [status, { description, content = {} }] of errors) {
        const { schema, examples = {} } = content[scimMediaType] ?? { schema: {} };
        expect([name, status, description, schema.$ref]).toEqual([
          name,
          status,
          expect.stringMatching(/\.$/),
          '#/components/schemas/Error',
        ]);
        const values = Object.values(examples).map(({ value }) => value);
        expect(values.length).toBeGreaterThan(0);
        for (const value of values) {
          expect([name, value]).toEqual([
            name,
            {
              schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
              status,
              detail: expect.stringMatching(/./),
              ...('scimType' in value ? { scimType: expect.stringMatching(/^[a-z][A-Za-z]+$/) } : {}),
            },
          ]);
        }
      }
    }
  });

  it('lists the errors that its kind can have', () => {
    for (const [name, { responses, requestBody, security }] of scim) {
      const expected = [
        ...(security?.length ? ['401'] : []),
        ...(requestBody ? ['400', '413', '415'] : []),
        ...(name.includes('{id}') ? ['404'] : []),
        ...(/^(?:PUT|PATCH|DELETE) /.test(name) ? ['412'] : []),
        ...(/^(?:POST|PUT|PATCH) \/scim\/v2\/(?:Users|Groups)(?:\/\{id\})?$/.test(name) ? ['409'] : []),
      ];
      expect([name, expected.filter((status) => !(status in responses))]).toEqual([name, []]);
    }
  });

  it('of the token endpoint has the messages of OAuth (RFC 6749 section 5)', () => {
    const [, token] = operations.find(([name]) => name === 'POST /oauth/token') ?? [];
    expect(Object.keys(token?.requestBody?.content ?? {})).toEqual(['application/x-www-form-urlencoded']);
    const answers = Object.entries(token?.responses ?? {});
    expect(answers.map(([status, { content = {} }]) => [status, Object.keys(content)])).toEqual(
      ['200', '400', '401', '413', '429', '503'].map((status) => [status, ['application/json']]),
    );
  });
});

describe('the examples of requests', () => {
  /** Ids that the examples name, and the resources that stand for them here. */
  const standIns = new Map<string, string>();
  const exampleUser = '019aaf3c-6b5e-7cc1-a4ad-0f8d8e5f0a11';
  const exampleGroup = '019aaf3d-0c7a-7d10-8f55-3a6c5d1b2e22';
  let users: Resource;
  let groups: Resource;

  /** Makes what the examples work on: a user with a work e-mail address, and a group with the user as its member. */
  async function prepare(): Promise<void> {
    users = (
      await server.scim.post('/Users', {
        userName: crypto.randomUUID(),
        emails: [{ type: 'work', value: 'a@example.com' }],
      })
    ).body;
    groups = (await server.scim.post('/Groups', { displayName: 'Examples', members: [{ value: users.id }] })).body;
    standIns.set(exampleUser, users.id).set(exampleGroup, groups.id);
  }

  async function clear(): Promise<void> {
    for (const type of ['Users', 'Groups']) {
      const { body } = await server.scim.list(`/${type}`);
      for (const { id } of body.Resources) await server.scim.delete(`/${type}/${id}`);
    }
  }

  it('are all accepted, with an answer that is documented', async () => {
    const sent: string[] = [];
    for (const [name, { requestBody, responses }] of scim) {
      const { examples = {} } = requestBody?.content[scimMediaType] ?? {};
      expect([name, Object.keys(requestBody?.content ?? {})]).toEqual([name, requestBody ? [scimMediaType] : []]);
      for (const [key, { summary, value }] of Object.entries(examples)) {
        await prepare();
        const [method = '', path = ''] = name.split(' ');
        const id = path.includes('/Users') ? users.id : groups.id;
        let body = JSON.stringify(value);
        for (const [example, real] of standIns) body = body.replaceAll(example, real);
        const answer = await server.scim.send(method, server.origin + path.replace('{id}', id), body);
        const documented = Object.keys(responses).filter((status) => status.startsWith('2'));
        expect([name, key, summary, documented, answer.text]).toEqual([
          name,
          key,
          expect.stringMatching(/./),
          expect.arrayContaining([String(answer.status)]),
          expect.not.stringContaining('scimType'),
        ]);
        sent.push(`${name} ${key}`);
        await clear();
      }
    }
    expect(sent).toEqual(
      expect.arrayContaining([
        'POST /scim/v2/Users okta',
        'POST /scim/v2/Users entra',
        'PUT /scim/v2/Users/{id} okta',
        'PATCH /scim/v2/Users/{id} deactivate',
        'PATCH /scim/v2/Users/{id} deactivateEntra',
        'PATCH /scim/v2/Groups/{id} removeEntra',
        'POST /scim/v2/Bulk group',
      ]),
    );
  });

  it('of a filter find what the examples create', async () => {
    for (const [path, name] of [
      ['/scim/v2/Users', 'POST /scim/v2/Users'],
      ['/scim/v2/Groups', 'POST /scim/v2/Groups'],
    ] as const) {
      const create = operations.find(([each]) => each === name)?.[1].requestBody?.content[scimMediaType]?.examples;
      await server.scim.post(path.replace('/scim/v2', ''), create?.['okta']?.value ?? null);
      const list = document.paths[path]?.['get']?.parameters.find((each) => each.name === 'filter');
      const found = await server.scim.list(
        `${server.origin}${path}?filter=${encodeURIComponent(list?.schema?.example ?? '')}`,
      );
      expect([path, found.body.totalResults]).toEqual([path, 1]);
    }
    await clear();
  });
});

describe('the documented resources', () => {
  const properties = (name: string): Readonly<Record<string, Property>> =>
    document.components.schemas[name]?.properties ?? {};
  const referred = (property: Property): string | undefined =>
    (property.$ref ?? property.allOf?.[0]?.$ref)?.replace('#/components/schemas/', '');

  /** Describes a documented attribute in the words of a schema. */
  function described(property: Property): object {
    const value = property.type === 'array' && property.items ? property.items : property;
    const reference = referred(value);
    return {
      isArray: property.type === 'array',
      type: reference === undefined ? value.type : 'object',
      readOnly: property.readOnly === true,
      writeOnly: property.writeOnly === true,
    };
  }

  const wanted = ({ multiValued, type, mutability }: Attribute): object => ({
    isArray: multiValued,
    type: type === 'complex' ? 'object' : type === 'boolean' ? 'boolean' : 'string',
    readOnly: mutability === 'readOnly',
    writeOnly: mutability === 'writeOnly',
  });

  /** Compares what is documented with what the schema says, all the way down. */
  function compare(name: string, attributes: readonly Attribute[], extensions: readonly string[] = []): void {
    const documented = properties(name);
    const names = [...attributes.map((attribute) => attribute.name), ...extensions];
    expect([name, Object.keys(documented).sort()]).toEqual([name, [...names].sort()]);
    for (const attribute of attributes) {
      const property = documented[attribute.name] ?? {};
      expect([name, attribute.name, described(property)]).toEqual([name, attribute.name, wanted(attribute)]);
      const below = referred(property.items ?? property);
      if (below !== undefined) compare(below, attribute.subAttributes ?? []);
    }
  }

  it.each(['User', 'Group'])(
    'have the attributes of the %s schema: names, arrays, types, readOnly and writeOnly',
    (name) => {
      const schema: ResourceSchema = coreRegistry.resourceSchema(name);
      compare(
        name,
        schema.attributes,
        schema.extensions.map(({ id }) => id),
      );
      for (const extension of schema.extensions) compare('EnterpriseUser', extension.attributes);
      const required = schema.base.attributes
        .filter((attribute) => attribute.required)
        .map((attribute) => attribute.name);
      expect(document.components.schemas[name]?.required).toEqual(['schemas', 'id', 'meta', ...required]);
    },
  );

  it.each([
    ['User', 'GET /scim/v2/Users/{id}'],
    ['Group', 'GET /scim/v2/Groups/{id}'],
  ])('have examples of the attributes that are documented: %s', (name, operation) => {
    const found = operations.find(([each]) => each === operation)?.[1];
    const example = found?.responses['200']?.content?.[scimMediaType]?.example as JsonObject;
    const check = (schema: string, value: JsonObject): void => {
      for (const [key, item] of Object.entries(value)) {
        const property = properties(schema)[key];
        expect([schema, key, property === undefined]).toEqual([schema, key, false]);
        const below = property && referred(property.items ?? property);
        for (const each of [item].flat()) if (below !== undefined) check(below, each as JsonObject);
      }
    };
    check(name, example);
  });
});

describe('the page', () => {
  it('is served with what it needs, from this server alone', async () => {
    const page = (await server.scim.get(`${server.origin}/docs`, { token: null })).text;
    const needed = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, url = '']) => new URL(url, `${server.origin}/docs`),
    );
    expect(needed.length).toBeGreaterThan(3);
    for (const url of needed) {
      const { status } = await server.scim.get(url.href, { token: null });
      expect([url.origin, status]).toEqual([server.origin, 200]);
    }
  });

  it('offers the document as JSON only', async () => {
    const yaml = await server.scim.get(`${server.origin}/docs-yaml`);
    const json = await server.scim.get(`${server.origin}/openapi.json`, { token: null });
    expect([yaml.status, json.status, json.headers.get('Content-Type')]).toEqual([
      404,
      200,
      'application/json; charset=utf-8',
    ]);
  });
});
