import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../src/scim/index.js';
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
});
