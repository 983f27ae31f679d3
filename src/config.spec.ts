import { describe, expect, it } from '@jest/globals';
import { ConfigError, readConfig } from './config.js';

const defaults = {
  port: 3000,
  host: '127.0.0.1',
  dataDir: './data',
  publicUrl: 'http://localhost:3000',
  docs: true,
  httpConnections: 2000,
  databaseConnections: 12,
  preparedStatements: true,
  accessTokenSeconds: 600,
  loopbackIssuers: false,
  rateLimit: true,
  requestsPerSecond: 200,
  searchSeconds: 5,
  concurrentRequests: 100,
  failedAuthenticationsPerMinute: 20,
  auditRetentionDays: 365,
  requestLog: true,
  requestLogDays: 7,
  metricsTenants: 100,
  tracing: false,
  logLevel: 'info',
};

/** As `openssl rand -hex 16` makes one. */
const random = '9f86d081884c7d659a2feaa0c55ad015';

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
      SCIM_TOKEN: 'abc.DEF_123~+/-of-thirty-two-characters==',
      ADMIN_TOKEN: 'operators-token-of-32-characters',
      ADMIN_PORT: '3001',
      DOCS: 'off',
      HTTP_CONNECTIONS: '500',
      DATABASE_CONNECTIONS: '30',
      SEARCH_SECONDS: '20',
      PREPARED_STATEMENTS: 'false',
      ACCESS_TOKEN_MINUTES: '60',
      KEY_ENCRYPTION_SECRET: 'a secret of thirty-two characters',
      LOOPBACK_ISSUERS: 'true',
      RATE_LIMIT: 'off',
      REQUESTS_PER_SECOND: '1000',
      CONCURRENT_REQUESTS: '50',
      FAILED_AUTHENTICATIONS_PER_MINUTE: '5',
      REDIS_URL: 'rediss://user:password@redis.example:6380/1',
      TRUST_PROXY: '2',
      AUDIT_RETENTION_DAYS: '0',
      MAX_USERS_PER_TENANT: '5000',
      MAX_GROUPS_PER_TENANT: '500',
      MAX_MEGABYTES_PER_TENANT: '2048',
      REQUEST_LOG: 'off',
      REQUEST_LOG_DAYS: '30',
      METRICS_PORT: '9464',
      METRICS_TENANTS: '5',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      LOG_LEVEL: 'debug',
    };
    expect(readConfig(environment)).toEqual({
      port: 8080,
      host: '0.0.0.0',
      databaseUrl: 'postgres://rollcall:secret@db.example:5432/rollcall',
      dataDir: '/var/lib/rollcall',
      publicUrl: 'https://scim.example.com',
      scimToken: 'abc.DEF_123~+/-of-thirty-two-characters==',
      adminToken: 'operators-token-of-32-characters',
      adminPort: 3001,
      docs: false,
      httpConnections: 500,
      databaseConnections: 30,
      searchSeconds: 20,
      preparedStatements: false,
      accessTokenSeconds: 3600,
      keyEncryptionSecret: 'a secret of thirty-two characters',
      loopbackIssuers: true,
      rateLimit: false,
      requestsPerSecond: 1000,
      concurrentRequests: 50,
      failedAuthenticationsPerMinute: 5,
      redisUrl: 'rediss://user:password@redis.example:6380/1',
      trustProxy: 2,
      auditRetentionDays: 0,
      maxUsersPerTenant: 5000,
      maxGroupsPerTenant: 500,
      maxMegabytesPerTenant: 2048,
      requestLog: false,
      requestLogDays: 30,
      metricsPort: 9464,
      metricsTenants: 5,
      tracing: true,
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
      'ADMIN_PORT',
      'DOCS',
      'HTTP_CONNECTIONS',
      'DATABASE_CONNECTIONS',
      'PREPARED_STATEMENTS',
      'ACCESS_TOKEN_MINUTES',
      'KEY_ENCRYPTION_SECRET',
      'LOOPBACK_ISSUERS',
      'RATE_LIMIT',
      'REQUESTS_PER_SECOND',
      'SEARCH_SECONDS',
      'CONCURRENT_REQUESTS',
      'FAILED_AUTHENTICATIONS_PER_MINUTE',
      'REDIS_URL',
      'TRUST_PROXY',
      'AUDIT_RETENTION_DAYS',
      'MAX_USERS_PER_TENANT',
      'MAX_GROUPS_PER_TENANT',
      'MAX_MEGABYTES_PER_TENANT',
      'REQUEST_LOG',
      'REQUEST_LOG_DAYS',
      'METRICS_PORT',
      'METRICS_TENANTS',
      'OTEL_EXPORTER_OTLP_ENDPOINT',
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
    const error = failure({ ADMIN_TOKEN: random, SCIM_TOKEN: random });
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toBe(
      'ADMIN_TOKEN must not be SCIM_TOKEN: whoever provisions users would administer all tenants',
    );
  });

  it.each([['PORT'], ['METRICS_PORT']])('refuses one port for operators and %s', (name) => {
    const error = failure({ [name]: '4000', ADMIN_PORT: '4000' });
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toBe('ADMIN_PORT must be another port than PORT and METRICS_PORT');
  });

  it('takes 0 for each port: a free one', () => {
    expect(readConfig({ PORT: '0', ADMIN_PORT: '0', METRICS_PORT: '0' }).adminPort).toBe(0);
  });

  it.each(['SCIM_TOKEN', 'ADMIN_TOKEN'])('takes a random %s of 32 characters', (name) => {
    expect(readConfig({ [name]: random })).toEqual(
      expect.objectContaining({ [name === 'SCIM_TOKEN' ? 'scimToken' : 'adminToken']: random }),
    );
  });

  it.each([
    ['1', 1],
    ['10', 10],
    ['loopback', ['loopback']],
    ['10.0.0.0/8, fd00::/8,192.0.2.1,2001:db8::1', ['10.0.0.0/8', 'fd00::/8', '192.0.2.1', '2001:db8::1']],
  ])('reads TRUST_PROXY %s', (TRUST_PROXY, trustProxy) => {
    expect(readConfig({ TRUST_PROXY }).trustProxy).toEqual(trustProxy);
  });

  it('cannot be changed afterwards', () => {
    const config = readConfig({});
    expect(() => Object.assign(config, { port: 1 })).toThrow(TypeError);
  });

  const port = 'PORT must be a port number, from 0 to 65535';
  const publicUrl = 'PUBLIC_URL must be an http or https URL, without credentials, query or fragment';
  const databaseUrl = 'DATABASE_URL must be a postgres:// URL';
  const trustProxy =
    'TRUST_PROXY must be the number of proxies, from 1 to 10, or their addresses: IPs, CIDRs or loopback, linklocal, ' +
    'uniquelocal, with commas between';
  const token = (name: string): string => `${name} must be a bearer token: letters, digits and . _ ~ + / - =`;
  const short = (name: string): string =>
    `${name} must have 32 characters or more; make one with: openssl rand -hex 32`;
  const example = (name: string): string =>
    `${name} must be random, not a value from an example; make one with: openssl rand -hex 32`;

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
    ['SCIM_TOKEN', 'a', short('SCIM_TOKEN')],
    ['ADMIN_TOKEN', random.slice(1), short('ADMIN_TOKEN')],
    ['ADMIN_TOKEN', 'a'.repeat(64), example('ADMIN_TOKEN')],
    ['SCIM_TOKEN', '0123456789abcdef0123456789abcdef', example('SCIM_TOKEN')],
    ['SCIM_TOKEN', 'change-me-change-me-change-me-change-me', example('SCIM_TOKEN')],
    ['ADMIN_TOKEN', 'your-admin-token-of-32-characters-here', example('ADMIN_TOKEN')],
    ['SCIM_TOKEN', 'rollcall_an_example_of_a_token_that_is_long', example('SCIM_TOKEN')],
    ['ADMIN_PORT', 'admin', 'ADMIN_PORT must be a port number, from 0 to 65535'],
    ['DOCS', 'no', 'DOCS must be on or off'],
    ['HTTP_CONNECTIONS', '10', 'HTTP_CONNECTIONS must be a whole number from 20 to 100000'],
    ['DATABASE_CONNECTIONS', '1', 'DATABASE_CONNECTIONS must be a whole number from 2 to 200'],
    ['PREPARED_STATEMENTS', 'no', 'PREPARED_STATEMENTS must be true or false'],
    ['ACCESS_TOKEN_MINUTES', '0', 'ACCESS_TOKEN_MINUTES must be a whole number from 1 to 60'],
    ['ACCESS_TOKEN_MINUTES', '61', 'ACCESS_TOKEN_MINUTES must be a whole number from 1 to 60'],
    ['ACCESS_TOKEN_MINUTES', '1e1', 'ACCESS_TOKEN_MINUTES must be a whole number from 1 to 60'],
    ['KEY_ENCRYPTION_SECRET', 'short', 'KEY_ENCRYPTION_SECRET must have 32 characters or more'],
    ['LOOPBACK_ISSUERS', 'yes', 'LOOPBACK_ISSUERS must be true or false'],
    ['RATE_LIMIT', 'true', 'RATE_LIMIT must be on or off'],
    ['SEARCH_SECONDS', '61', 'SEARCH_SECONDS must be a whole number from 1 to 60'],
    ['REQUESTS_PER_SECOND', '0', 'REQUESTS_PER_SECOND must be a whole number from 1 to 100000'],
    ['REQUESTS_PER_SECOND', '0.5', 'REQUESTS_PER_SECOND must be a whole number from 1 to 100000'],
    ['MAX_USERS_PER_TENANT', '0', 'MAX_USERS_PER_TENANT must be a whole number from 1 to 999999999'],
    ['CONCURRENT_REQUESTS', '10001', 'CONCURRENT_REQUESTS must be a whole number from 1 to 10000'],
    [
      'FAILED_AUTHENTICATIONS_PER_MINUTE',
      '-1',
      'FAILED_AUTHENTICATIONS_PER_MINUTE must be a whole number from 1 to 100000',
    ],
    ['REDIS_URL', 'http://redis', 'REDIS_URL must be a redis:// or rediss:// URL'],
    ['TRUST_PROXY', 'true', trustProxy],
    ['TRUST_PROXY', '0', trustProxy],
    ['TRUST_PROXY', '11', trustProxy],
    ['TRUST_PROXY', '10.0.0.0/33', trustProxy],
    ['TRUST_PROXY', 'loopback,', trustProxy],
    ['METRICS_PORT', 'on', 'METRICS_PORT must be a port number, from 0 to 65535'],
    ['METRICS_TENANTS', '-1', 'METRICS_TENANTS must be a whole number from 0 to 10000'],
    ['METRICS_TENANTS', '10001', 'METRICS_TENANTS must be a whole number from 0 to 10000'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'OTEL_EXPORTER_OTLP_ENDPOINT must be an http or https URL'],
    ['LOG_LEVEL', 'INFO', 'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent'],
    ['LOG_LEVEL', 'verbose', 'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent'],
  ])('refuses %s=%j in one line that does not repeat the value', (name, value, message) => {
    const error = failure({ [name]: value });
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toBe(message);
  });
});
