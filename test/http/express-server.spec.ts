import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { startServer, type TestServer } from '../support/server.js';

describe('Requests and responses', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer();
  });

  afterAll(() => server.close());

  it("have Express's prototypes before Express sees them, for changing those of each makes every use of it slow", async () => {
    const http: Server = server.app.getHttpServer();
    const express = server.app.getHttpAdapter().getInstance();
    const seen: unknown[] = [];
    http.prependOnceListener('request', (request: IncomingMessage, response: ServerResponse) => {
      seen.push(Object.getPrototypeOf(request), Object.getPrototypeOf(response));
    });
    expect((await server.scim.get('/Users')).status).toBe(200);
    expect(seen).toHaveLength(2);
    expect(seen[0] === express.request && seen[1] === express.response).toBe(true);
  });
});
