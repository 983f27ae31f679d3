import { describe, expect, it } from '@jest/globals';
import { ConfigError, readConfig } from './config.js';

const defaults = {
  port: 3000,
  host: '127.0.0.1',
  dataDir: './data',
  publicUrl: 'http://localhost:3000',
  preparedStatements: true,
  logLevel: 'info',
};

/** What reading an environment fails with. */
function failure(environment: Readonly<Record<string, string>>): unknown {
  try {
    return readConfig(environment);
  } catch (error) {
    return error;
  }
}

describe('readConfig', () => {
  it('needs nothing', () => {
    expect(readConfig({})).toEqual(defaults);
  });

  it('reads everything', () => {
    const environment = {
      PORT: '8080',
      HOST: '0.0.0.0',
      DATABASE_URL: 'postgres://rollcall:secret@db.example:5432/rollcall',
      DATA_DIR: '/var/lib/rollcall',
      PUBLIC_URL: 'https://scim.example.com',
      SCIM_TOKEN: 'abc.DEF_123~+/-==',
      ADMIN_TOKEN: 'admin-token',
      PREPARED_STATEMENTS: 'false',
      LOG_LEVEL: 'debug',
    };
    expect(readConfig(environment)).toEqual({
      port: 8080,
      host: '0.0.0.0',
      databaseUrl: 'postgres://rollcall:secret@db.example:5432/rollcall',
      dataDir: '/var/lib/rollcall',
      publicUrl: 'https://scim.example.com',
      scimToken: 'abc.DEF_123~+/-==',
      adminToken: 'admin-token',
      preparedStatements: false,
      logLevel: 'debug',
    });
  });

  it('takes an empty variable for an absent one, as in a compose file', () => {
    const names = [
      'PORT',
      'HOST',
      'DATABASE_URL',
      'DATA_DIR',
      'PUBLIC_URL',
      'SCIM_TOKEN',
      'ADMIN_TOKEN',
      'PREPARED_STATEMENTS',
      'LOG_LEVEL',
    ];
    expect(readConfig(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(defaults);
  });

  it('passes over variables of others', () => {
    expect(readConfig({ PATH: '/bin', publicUrl: 'x', __proto__: 'x', constructor: 'x' })).toEqual(defaults);
  });

  it.each([
    ['0', 0],
    ['1', 1],
    ['65535', 65535],
  ])('reads PORT %s, which may be 0 for a free one', (PORT, port) => {
    expect(readConfig({ PORT }).port).toBe(port);
  });

  it('derives PUBLIC_URL from PORT', () => {
    expect(readConfig({ PORT: '8080' }).publicUrl).toBe('http://localhost:8080');
  });

  it.each([
    ['https://scim.example.com/', 'https://scim.example.com'],
    ['https://example.com/directory//', 'https://example.com/directory'],
    ['http://localhost:3000', 'http://localhost:3000'],
    ['http://rollcall:3000', 'http://rollcall:3000'],
    ['http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
  ])('reads PUBLIC_URL %s without slashes at its end', (PUBLIC_URL, publicUrl) => {
    expect(readConfig({ PUBLIC_URL }).publicUrl).toBe(publicUrl);
  });

  it.each(['postgres://u@h/d', 'postgresql://u:p@h:5432/d?sslmode=require'])(
    'reads DATABASE_URL %s',
    (DATABASE_URL) => {
      expect(readConfig({ DATABASE_URL }).databaseUrl).toBe(DATABASE_URL);
    },
  );

  it('refuses one token for operators and clients', () => {
    const error = failure({ ADMIN_TOKEN: 'same', SCIM_TOKEN: 'same' });
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toBe(
      'ADMIN_TOKEN must not be SCIM_TOKEN: whoever provisions users would administer all tenants',
    );
  });

  it('cannot be changed afterwards', () => {
    const config = readConfig({});
    expect(() => Object.assign(config, { port: 1 })).toThrow(TypeError);
  });

  const port = 'PORT must be a port number, from 0 to 65535';
  const publicUrl = 'PUBLIC_URL must be an http or https URL, without credentials, query or fragment';
  const databaseUrl = 'DATABASE_URL must be a postgres:// URL';
  const token = (name: string): string => `${name} must be a bearer token: letters, digits and . _ ~ + / - =`;

  it.each([
    ['PORT', 'http', port],
    ['PORT', '-1', port],
    ['PORT', '65536', port],
    ['PORT', '1.5', port],
    ['PORT', '0x50', port],
    ['PORT', '3e3', port],
    ['PORT', ' ', port],
    ['PORT', '3000 ', port],
    ['DATABASE_URL', 'mysql://u@h/d', databaseUrl],
    ['DATABASE_URL', 'localhost:5432', databaseUrl],
    ['DATABASE_URL', 'postgres://', databaseUrl],
    ['PUBLIC_URL', 'scim.example.com', publicUrl],
    ['PUBLIC_URL', 'ftp://scim.example.com', publicUrl],
    ['PUBLIC_URL', 'https://', publicUrl],
    ['PUBLIC_URL', 'https://user:password@scim.example.com', publicUrl],
    ['PUBLIC_URL', 'https://scim.example.com/?tenant=1', publicUrl],
    ['PUBLIC_URL', 'https://scim.example.com/#top', publicUrl],
    ['PUBLIC_URL', 'https://scim.example.com\nX-Injected: yes', publicUrl],
    ['PUBLIC_URL', 'https://scim.example.com/a b', publicUrl],
    ['SCIM_TOKEN', 'with space', token('SCIM_TOKEN')],
    ['SCIM_TOKEN', 'naïve', token('SCIM_TOKEN')],
    ['SCIM_TOKEN', 'a\nb', token('SCIM_TOKEN')],
    ['SCIM_TOKEN', '=', token('SCIM_TOKEN')],
    ['ADMIN_TOKEN', 'a"b', token('ADMIN_TOKEN')],
    ['PREPARED_STATEMENTS', 'no', 'PREPARED_STATEMENTS must be true or false'],
    ['LOG_LEVEL', 'INFO', 'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent'],
    ['LOG_LEVEL', 'verbose', 'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent'],
  ])('refuses %s=%j in one line that does not repeat the value', (name, value, message) => {
    const error = failure({ [name]: value });
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toBe(message);
  });
});
