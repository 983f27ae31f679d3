import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { SwaggerModule } from '@nestjs/swagger';
import { request, type IncomingHttpHeaders } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { startAdministered, type AdministeredServer } from '../support/admin.js';
import { fakeClock } from '../support/clock.js';
import { whileNeighbourReads } from '../support/neighbour.js';

let server: AdministeredServer;

afterEach(async () => {
  jest.restoreAllMocks();
  jest.useRealTimers();
  await server.close();
});

interface Received {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

/** Reads an address as it is sent, compressed or not. */
function read(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Received> {
  return new Promise((resolve, reject) => {
    request(server.origin + path, { method, headers: { Connection: 'close', ...headers } }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(parts) }),
      );
    })
      .on('error', reject)
      .end();
  });
}

const gzip = { 'Accept-Encoding': 'br, gzip;q=0.8' };

describe('the documentation', () => {
  it('is sent compressed to clients that take it, and as it is to others', async () => {
    server = await startAdministered();
    for (const path of [
      '/docs',
      '/docs/swagger-ui-bundle.js',
      '/docs/swagger-ui.css',
      '/openapi.json',
      '/openapi-admin.json',
    ]) {
      const [plain, small, refused] = [
        await read(path),
        await read(path, gzip),
        await read(path, { 'Accept-Encoding': 'gzip;q=0' }),
      ];
      expect([path, plain.headers['content-encoding'], small.headers['content-encoding']]).toEqual([
        path,
        undefined,
        'gzip',
      ]);
      expect(gunzipSync(small.bytes).equals(plain.bytes)).toBe(true);
      expect(refused.bytes.equals(plain.bytes)).toBe(true);
      expect([small.headers.vary, small.headers['content-length']]).toEqual([
        'Accept-Encoding',
        String(small.bytes.length),
      ]);
      expect(small.bytes.length).toBeLessThan(plain.bytes.length);
    }
  });

  it('is kept by browsers: files for a year by the version in their address, the rest as long as it is the same', async () => {
    server = await startAdministered();
    const page = (await read('/docs')).bytes.toString();
    const [, file = ''] = /src="\.\/(docs\/swagger-ui-bundle\.js\?v=[\d.]+)"/.exec(page) ?? [];
    expect((await read(`/${file}`, {}, 'HEAD')).headers['cache-control']).toBe('public, max-age=31536000, immutable');
    for (const path of [
      '/docs',
      '/docs/swagger-ui-bundle.js',
      '/docs/swagger-ui-init.js',
      '/openapi.json',
      '/docs/admin',
    ]) {
      for (const accepted of [{}, gzip]) {
        const { headers } = await read(path, accepted);
        expect(headers['cache-control']).toBe('no-cache');
        const again = await read(path, { ...accepted, 'If-None-Match': `"other", ${headers.etag}` });
        expect([again.status, again.headers.etag, again.bytes.length]).toEqual([304, headers.etag, 0]);
      }
    }
  });

  it('is made once', async () => {
    server = await startAdministered();
    const made = jest.spyOn(SwaggerModule, 'createDocument');
    const answers = await Promise.all(Array.from({ length: 5 }, () => read('/openapi.json')));
    await read('/openapi.json', gzip);
    expect(new Set(answers.map(({ bytes }) => bytes.toString())).size).toBe(1);
    expect(made).toHaveBeenCalledTimes(1);
  });

  it('has nothing of Swagger UI that no page needs', async () => {
    server = await startAdministered();
    for (const file of ['README.md', 'package.json', 'swagger-ui-bundle.js.map', 'oauth2-redirect.html', 'index.css']) {
      expect([file, (await read(`/docs/${file}`)).status]).toEqual([file, 401]);
    }
  });

  it('keeps no credentials in the storage of browsers', async () => {
    server = await startAdministered();
    for (const page of ['/docs', '/docs/admin']) {
      const script = (await read(`${page}/swagger-ui-init.js`)).bytes.toString();
      expect(script).toContain('persistAuthorization: false');
      expect(script).toContain("localStorage.removeItem('authorized')");
    }
  });

  it('is limited by source, and stops nobody else', async () => {
    server = await startAdministered({ RATE_LIMIT: 'on', TRUST_PROXY: 'loopback' });
    fakeClock(Date.now());
    const neighbour = await server.addTenant('neighbour');
    const { body: user } = await neighbour.post<{ id: string }>('/Users', { userName: 'ann' });
    const from = (address: string, path: string) => read(path, { 'X-Forwarded-For': address, ...gzip });
    const { result, failures } = await whileNeighbourReads(neighbour, `/Users/${user.id}`, () =>
      Promise.all(Array.from({ length: 100 }, () => from('203.0.113.1', '/docs/swagger-ui-bundle.js'))),
    );
    const served = result.filter(({ status }) => status === 200).length;
    expect([served > 20, served < 100, failures]).toEqual([true, true, []]);
    const refused = result.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(100 - served);
    expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThan(0);
    expect((await from('203.0.113.2', '/docs')).status).toBe(200);
    expect((await read('/livez', { 'X-Forwarded-For': '203.0.113.1' })).status).toBe(200);
  });
});
