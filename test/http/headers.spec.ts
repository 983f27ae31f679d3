import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import { scimError } from '../support/errors.js';
import { startServer, type TestServer } from '../support/server.js';

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

type Line = readonly [name: string, value: string];

/** Sends header lines as they are. */
function send(
  method: string,
  path: string,
  lines: readonly Line[],
  body = '',
): Promise<{ status: number; type: string | undefined; text: string }> {
  const headers = [
    ['Host', 'localhost'],
    ['Connection', 'close'],
    ['Content-Length', String(body.length)],
    ...lines,
  ].flat();
  return new Promise((resolve, reject) => {
    request(server.scim.baseUrl + path, { method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'], text }),
      );
    })
      .on('error', reject)
      .end(body);
  });
}

/** With the three lines that `send` has. */
const filled = (count: number): Line[] => Array.from({ length: count - 3 }, (_, at) => [`a${at}`, '']);
const authorization = (): Line => ['Authorization', `Bearer ${server.scim.token}`];

describe('the header lines of a request', () => {
  it('may be 100', async () => {
    expect((await send('GET', '/Users', [authorization(), ...filled(99)])).status).toBe(200);
  });

  it.each([101, 102, 500, 1_003, 2_500])(
    'are answered with 431 when they are %i (RFC 6585 section 5)',
    async (count) => {
      const { status, type, text } = await send('GET', '/Users', [authorization(), ...filled(count - 1)]);
      expect([status, type]).toEqual([431, 'application/scim+json; charset=utf-8']);
      expect(JSON.parse(text)).toEqual(scimError(431, undefined, 'The request has more than 100 header lines.'));
    },
  );

  it.each([50, 99, 120, 1_001, 2_001])('do not hide a second Authorization behind %i others', async (count) => {
    const { status } = await send('GET', '/Users', [
      authorization(),
      ...filled(count),
      ['Authorization', 'Bearer other'],
    ]);
    expect([400, 431]).toContain(status);
  });

  it('do not hide a stale If-Match: nothing is changed', async () => {
    const { body: user } = await server.scim.post<{ id: string; meta: { version: string } }>('/Users', {
      userName: 'ann',
    });
    const patch = {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path: 'displayName', value: 'Ann' }],
    };
    await server.scim.patch(`/Users/${user.id}`, patch);
    const again = { ...patch, Operations: [{ op: 'replace', path: 'displayName', value: 'stale' }] };
    const type: Line = ['Content-Type', 'application/scim+json'];
    const stale: Line = ['If-Match', user.meta.version];
    const lines = (count: number): Line[] => [authorization(), type, ...filled(count), stale];
    for (const [count, status] of [
      [50, 412],
      [1_100, 431],
    ] as const) {
      expect((await send('PATCH', `/Users/${user.id}`, lines(count), JSON.stringify(again))).status).toBe(status);
    }
    const { body } = await server.scim.get<{ displayName: string }>(`/Users/${user.id}`);
    expect(body.displayName).toBe('Ann');
  });

  it('may have 16 KiB together', async () => {
    const { status, text } = await send('GET', '/Users', [authorization(), ['X-Long', 'x'.repeat(17_000)]]);
    expect([status, JSON.parse(text)]).toEqual([431, scimError(431)]);
  });
});
