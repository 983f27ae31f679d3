import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startAdministered, type AdministeredServer } from '../support/admin.js';

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly examples?: object }>> };
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

interface Document {
  readonly info: { readonly title: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly properties: Readonly<Record<string, object>> }>>;
    readonly securitySchemes: object;
  };
}

let server: AdministeredServer;
let document: Document;
let scimDocument: Document;
let operations: [name: string, operation: Operation][];

beforeAll(async () => {
  server = await startAdministered();
  const read = async (path: string): Promise<Document> =>
    (await server.admin.get<Document>(server.origin + path, { token: null })).body;
  document = await read('/openapi-admin.json');
  scimDocument = await read('/openapi.json');
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );
});
afterAll(() => server.close());

describe('the document of the administration', () => {
  it('has every route of it, and no other', () => {
    const { stack } = (
      server.app.getHttpAdapter().getInstance() as unknown as {
        router: { stack: { route?: { path: string; methods: Record<string, boolean> } }[] };
      }
    ).router;
    const served = stack.flatMap(({ route }) =>
      Object.keys(route?.methods ?? {}).map((method) => `${method.toUpperCase()} ${route?.path}`),
    );
    const admin = served.filter((route) => route.includes('/admin/v1/') && !route.includes('*'));
    expect(admin.length).toBeGreaterThan(10);
    expect(operations.map(([name]) => name.replace(/\{(\w+)\}/g, ':$1')).sort()).toEqual(admin.sort());
  });

  it('leaves the document of SCIM as it is without it', () => {
    expect(document.info.title).toBe('Rollcall administration');
    expect(scimDocument.info.title).toBe('Rollcall');
    expect(Object.keys(scimDocument.paths).filter((path) => path.startsWith('/admin'))).toEqual([]);
    expect(Object.keys(scimDocument.paths)).toContain('/scim/v2/Users');
    expect(scimDocument.components.schemas).not.toHaveProperty('Tenant');
  });

  it('defines whatever it refers to, and refers to whatever it defines', () => {
    const referred = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g);
    const names = new Set([...referred].map(([, name]) => name));
    expect([...names].sort()).toEqual(Object.keys(document.components.schemas).sort());
  });

  it('explains every operation: what it does, what it needs, what it answers', () => {
    const headings = document.tags.map(({ name }) => name);
    for (const [name, { summary, tags, security, responses, requestBody }] of operations) {
      expect([name, typeof summary, headings.includes(tags?.[0] ?? ''), security]).toEqual([
        name,
        'string',
        true,
        [{ admin: [] }],
      ]);
      const statuses = Object.keys(responses);
      expect([name, statuses.filter((status) => status.startsWith('2')).length]).toEqual([name, 1]);
      expect([name, statuses]).toEqual([name, expect.arrayContaining(['401', '503'])]);
      if (requestBody) expect(requestBody.content['application/json']?.examples).toBeDefined();
    }
    expect(document.tags.filter(({ description }) => description === '')).toEqual([]);
    expect(document.components.securitySchemes).toEqual({
      admin: { type: 'http', scheme: 'bearer', description: expect.stringContaining('ADMIN_TOKEN') },
    });
  });

  it('describes each setting that there is', async () => {
    const { body } = await server.admin.get<object>('/tenants/default/settings');
    expect(Object.keys(document.components.schemas['Settings']?.properties ?? {}).sort()).toEqual(
      Object.keys(body).sort(),
    );
  });

  it('is shown by a page of its own, beside that of SCIM', async () => {
    for (const [path, title] of [
      ['/docs/admin', 'Rollcall administration'],
      ['/docs', 'Rollcall'],
    ]) {
      const answer = await fetch(server.origin + path);
      expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining(`<title>${title}</title>`)]);
    }
    for (const file of ['swagger-ui-bundle.js', 'swagger-ui.css', 'swagger-ui-init.js']) {
      for (const page of ['/docs', '/docs/admin']) {
        const answer = await fetch(`${server.origin}${page}/${file}`);
        expect([page, file, answer.status]).toEqual([page, file, 200]);
        await answer.arrayBuffer();
      }
    }
  });
});
