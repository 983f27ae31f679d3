import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ScimClient } from '../support/client.js';
import { startServer, type TestServer } from '../support/server.js';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.close());

describe('requests that come at once with tokens that nobody has seen', () => {
  it("act each for its own token's tenant (RFC 7644 section 6)", async () => {
    const names = Array.from({ length: 20 }, (_, at) => `tenant-${at}`);
    const clients: ScimClient[] = [];
    for (const name of names) clients.push(await server.addTenant(name));
    await Promise.all(clients.map((client, at) => client.post('/Users', { userName: `only-${at}@example.com` })));
    for (const [at, client] of clients.entries()) {
      const { body } = await client.list('/Users');
      expect(body.Resources.map(({ ['userName']: userName }) => userName)).toEqual([`only-${at}@example.com`]);
    }
  });

  it('are refused each for its own, beside those that are good', async () => {
    const clients: ScimClient[] = [];
    for (const at of Array.from({ length: 10 }).keys()) clients.push(await server.addTenant(`good-${at}`));
    const answers = await Promise.all(
      clients.flatMap((client) => [client.get('/Users'), client.get('/Users', { token: `wrong-${client.token}` })]),
    );
    expect(answers.map(({ status }) => status)).toEqual(clients.flatMap(() => [200, 401]));
  });
});
