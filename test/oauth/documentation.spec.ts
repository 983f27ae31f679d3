import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { readConfig } from '../../src/config.js';
import { adminToken, type AdministeredServer } from '../support/admin.js';
import { commandsIn, curl } from '../support/curl.js';
import { startOAuthServer } from '../support/oauth.js';

const page = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

let server: AdministeredServer;
beforeAll(async () => {
  server = await startOAuthServer();
});
afterAll(() => server.close());

describe('docs/authentication.md', () => {
  it('connects a customer by client credentials and by an issuer, with requests that work', async () => {
    await server.admin.post('/tenants', { name: 'globex' });
    const variables: Record<string, string> = {
      ADMIN_TOKEN: adminToken,
      ROLLCALL: server.origin,
      ADMIN: `${server.origin}/admin/v1`,
    };
    const answers: unknown[] = [];
    for (const command of commandsIn(page('authentication.md'), 'curl')) {
      const answer = await curl(command, variables);
      const body = (await answer.json()) as Record<string, unknown>;
      if (typeof body['secret'] === 'string') {
        variables['CLIENT_SECRET'] = body['secret'];
        variables['CLIENT_ID'] = String(body['id']);
      }
      answers.push([answer.status, body['name'] ?? body['scope'] ?? body['audience']]);
    }
    expect(answers).toEqual([
      [201, 'Entra ID'],
      [200, 'read write'],
      [201, 'api://rollcall'],
    ]);
  });

  it('explains every field of an issuer', async () => {
    const { body } = await server.admin.get<{
      components: { schemas: Record<string, { properties: Record<string, unknown> }> };
    }>(`${server.origin}/openapi-admin.json`);
    const explained = [...page('authentication.md').matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    expect(explained).toEqual(Object.keys(body.components.schemas['IssuerDefinition']?.properties ?? {}));
  });
});

describe('docs/limits.md', () => {
  it('has the numbers that the configuration has', () => {
    const rows = new Map<string, number>();
    for (const [, number = '', name = ''] of page('limits.md').matchAll(/^\|[^|]+\| ([\d,]+)[^|]*\| `([A-Z_]+)` /gm)) {
      if (!rows.has(name)) rows.set(name, Number(number.replaceAll(',', '')));
    }
    const config = readConfig({});
    expect(Object.fromEntries(rows)).toEqual({
      REQUESTS_PER_SECOND: config.requestsPerSecond,
      CONCURRENT_REQUESTS: config.concurrentRequests,
      DATABASE_CONNECTIONS: config.databaseConnections,
      SEARCH_SECONDS: config.searchSeconds,
      FAILED_AUTHENTICATIONS_PER_MINUTE: config.failedAuthenticationsPerMinute,
      HTTP_CONNECTIONS: config.httpConnections,
    });
  });
});
