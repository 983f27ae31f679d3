import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { fetchJson } from '../../src/oauth/fetch-json.js';
import { guardedLookup, mayConnect, readIssuerUrl } from '../../src/oauth/issuer-url.js';

describe('the URL of an issuer', () => {
  it.each([
    'https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0',
    'https://acme.okta.com/oauth2/default',
    'https://keycloak.internal:8443/realms/acme',
    'https://10.1.2.3/',
    'https://192.168.1.1',
    'https://[fd12:3456::1]/jwks?p=b2c_1',
    'https://8.8.8.8',
  ])('may be %s', (text) => {
    expect(readIssuerUrl(text, 'issuer', false).href).toBe(new URL(text).href);
  });

  it.each([
    ['http://login.example.com', 'must be https'],
    ['http://127.0.0.1:8080', 'must be https'],
    ['ftp://login.example.com', 'must be https'],
    ['file:///etc/passwd', 'must be https'],
    ['javascript:alert(1)', 'must be https'],
    ['login.example.com', 'is not a URL'],
    ['', 'is not a URL'],
    ['https://', 'is not a URL'],
    ['https://user@login.example.com', 'must have no credentials'],
    ['https://:password@login.example.com', 'must have no credentials'],
    ['https://login.example.com/#keys', 'must have no fragment'],
    ['https://localhost', 'is at an address that is not allowed'],
    ['https://LOCALHOST:443', 'is at an address that is not allowed'],
    ['https://keys.localhost', 'is at an address that is not allowed'],
    ['https://127.0.0.1', 'is at an address that is not allowed'],
    ['https://127.1', 'is at an address that is not allowed'],
    ['https://2130706433', 'is at an address that is not allowed'],
    ['https://0x7f.1', 'is at an address that is not allowed'],
    ['https://[::1]', 'is at an address that is not allowed'],
    ['https://[::ffff:127.0.0.1]', 'is at an address that is not allowed'],
    ['https://0.0.0.0', 'is at an address that is not allowed'],
    ['https://[::]', 'is at an address that is not allowed'],
    ['https://169.254.169.254/latest/meta-data', 'is at an address that is not allowed'],
    ['https://2852039166', 'is at an address that is not allowed'],
    ['https://[::ffff:169.254.169.254]', 'is at an address that is not allowed'],
    ['https://[64:ff9b::a9fe:a9fe]', 'is at an address that is not allowed'],
    ['https://[2002:a9fe:a9fe::]', 'is at an address that is not allowed'],
    ['https://[fe80::1]', 'is at an address that is not allowed'],
    ['https://[fd00:ec2::254]', 'is at an address that is not allowed'],
    ['https://100.100.100.200', 'is at an address that is not allowed'],
    ['https://168.63.129.16', 'is at an address that is not allowed'],
    ['https://224.0.0.1', 'is at an address that is not allowed'],
    ['https://255.255.255.255', 'is at an address that is not allowed'],
    [`https://login.example.com/${'x'.repeat(2048)}`, 'is longer than 2048 characters'],
  ])('must not be %s', (text, rule) => {
    expect(() => readIssuerUrl(text, 'issuer', false)).toThrow(rule);
  });

  it.each(['http://localhost:8080', 'http://127.0.0.1:8080/realms/x', 'http://[::1]:8080', 'https://localhost'])(
    'may be on this machine where that is switched on: %s',
    (text) => {
      expect(readIssuerUrl(text, 'issuer', true).href).toBe(new URL(text).href);
    },
  );

  it.each(['http://login.example.com', 'http://10.0.0.1', 'https://169.254.169.254', 'http://169.254.169.254'])(
    'is not %s because of that switch',
    (text) => {
      expect(() => readIssuerUrl(text, 'issuer', true)).toThrow();
    },
  );
});

describe('the address that is connected to', () => {
  it.each([
    ['8.8.8.8', true],
    ['10.0.0.1', true],
    ['2606:4700::1111', true],
    ['127.0.0.1', false],
    ['169.254.169.254', false],
    ['::ffff:169.254.169.254', false],
    ['no address', false],
  ])('%s is allowed: %s', (address, allowed) => {
    expect(mayConnect(address, false)).toBe(allowed);
  });

  const resolve = (lookup: LookupFunction, name: string, all: boolean): Promise<unknown[]> =>
    new Promise((resolved) => void lookup(name, { all }, (...answer) => resolved(answer)));

  it('is the one that was checked: a name that has come to mean this machine is refused', async () => {
    for (const all of [true, false]) {
      const [error] = await resolve(guardedLookup(false), 'localhost', all);
      expect(String(error)).toBe('Error: The name has an address that is not allowed');
    }
    const [error, first] = await resolve(guardedLookup(true), 'localhost', false);
    expect([error, ['127.0.0.1', '::1'].includes(first as string)]).toEqual([null, true]);
  });

  it('is not there for a name that nobody has', async () => {
    const [error] = await resolve(guardedLookup(false), 'nobody.invalid', true);
    expect((error as NodeJS.ErrnoException).syscall).toBe('getaddrinfo');
  });
});

describe('fetching a document', () => {
  it('does not ask this machine for what is to be elsewhere, by name or address', async () => {
    let asked = 0;
    const server = createServer((_request, response) => void (asked++, response.end('{}')));
    server.listen(0);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(fetchJson(new URL(`http://127.0.0.1:${port}`), false)).rejects.toThrow('The address is not allowed');
    await expect(fetchJson(new URL(`http://localhost:${port}`), false)).rejects.toThrow('not allowed');
    expect(asked).toBe(0);
    expect(await fetchJson(new URL(`http://localhost:${port}`), true)).toEqual({});
    server.close();
  });
});
