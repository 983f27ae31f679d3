import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startServer, type TestServer } from '../support/server.js';

describe('smoke', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());
  it('creates and lists', async () => {
    const created = await server.scim.post('/Users', { userName: 'a@b.c' });
    expect(created.status).toBe(201);
    const list = await server.scim.list('/Users');
    expect(list.body.totalResults).toBe(1);
    const put = await server.scim.send('PUT', '/Users', '{}');
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST, OPTIONS']);
  });
});
