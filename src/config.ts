import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { IsIn, IsOptional, IsPort, IsUrl, Matches, MinLength, ValidateBy, validateSync } from 'class-validator';
import ipaddr from 'ipaddr.js';

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const isPostgresUrl = /^postgres(?:ql)?:\/\/\S+$/;
const isRedisUrl = /^rediss?:\/\/\S+$/;
const isToken = /^[A-Za-z0-9._~+/-]+=*$/;
const leastTokenLength = 32;
/** A random token of 32 hexadecimal digits has fewer in one of 25 million cases. */
const leastDifferentCharacters = 8;
/** What stands in examples, ours and others', where a token is meant. */
const exampleToken =
  /change[._-]?(?:me|this)|replace[._-]?(?:me|this)|your[._-](?:\w+[._-])?(?:token|secret)|example|placeholder|1234567890|0123456789|abcdefgh/i;

/** What is wrong with a token of the configuration, after its name; undefined when it can be used. */
function faultOfToken(token: string): string | undefined {
  const advice = 'make one with: openssl rand -hex 32';
  if (!isToken.test(token)) return 'must be a bearer token: letters, digits and . _ ~ + / - =';
  if (token.length < leastTokenLength) return `must have ${leastTokenLength} characters or more; ${advice}`;
  const isRepeated = new Set(token).size < leastDifferentCharacters;
  return isRepeated || exampleToken.test(token) ? `must be random, not a value from an example; ${advice}` : undefined;
}

/** A bearer token (RFC 6750 section 2.1) that nobody can guess. */
const IsSecretToken = (): PropertyDecorator =>
  ValidateBy({
    name: 'isSecretToken',
    validator: {
      validate: (value: unknown) => faultOfToken(String(value)) === undefined,
      defaultMessage: (given) => `${given?.property} ${faultOfToken(String(given?.value))}`,
    },
  });

/** A whole number, in digits. */
const IsWholeNumber = (least: number, most: number): PropertyDecorator =>
  ValidateBy({
    name: 'isWholeNumber',
    validator: {
      validate: (value: unknown) => /^\d{1,9}$/.test(String(value)) && Number(value) >= least && Number(value) <= most,
      defaultMessage: (given) => `${given?.property} must be a whole number from ${least} to ${most}`,
    },
  });

const mostProxies = 10;
const longestRetention = 36_500;

/** Names that proxy-addr has for ranges of addresses. */
const addressRanges = ['loopback', 'linklocal', 'uniquelocal'];

/** How many proxies stand before this server, or which addresses they have. */
function readTrustProxy(text: string): number | string[] | undefined {
  if (/^\d{1,2}$/.test(text)) return Number(text) >= 1 && Number(text) <= mostProxies ? Number(text) : undefined;
  const ranges = text.split(',').map((range) => range.trim());
  const isRange = (range: string): boolean =>
    addressRanges.includes(range) ||
    ipaddr.IPv4.isValidFourPartDecimal(range) ||
    ipaddr.IPv6.isValid(range) ||
    ipaddr.isValidCIDR(range);
  return ranges.every(isRange) ? ranges : undefined;
}

const IsTrustProxy = (): PropertyDecorator =>
  ValidateBy({
    name: 'isTrustProxy',
    validator: {
      validate: (value: unknown) => readTrustProxy(String(value)) !== undefined,
      defaultMessage: () =>
        `TRUST_PROXY must be the number of proxies, from 1 to ${mostProxies}, or their addresses: IPs, CIDRs or ` +
        `${addressRanges.join(', ')}, with commas between`,
    },
  });

/** The environment variables that Rollcall reads, before defaults. */
class Environment {
  @IsPort({ message: 'PORT must be a port number, from 0 to 65535' })
  PORT = '3000';

  @MinLength(1, { message: 'HOST must be an address to listen on' })
  HOST = '127.0.0.1';

  @IsOptional()
  @Matches(isPostgresUrl, { message: 'DATABASE_URL must be a postgres:// URL' })
  DATABASE_URL?: string;

  @MinLength(1, { message: 'DATA_DIR must be a directory' })
  DATA_DIR = './data';

  @IsOptional()
  @IsUrl(
    {
      require_tld: false,
      protocols: ['http', 'https'],
      require_protocol: true,
      disallow_auth: true,
      allow_query_components: false,
      allow_fragments: false,
    },
    { message: 'PUBLIC_URL must be an http or https URL, without credentials, query or fragment' },
  )
  PUBLIC_URL?: string;

  @IsOptional()
  @IsSecretToken()
  SCIM_TOKEN?: string;

  @IsOptional()
  @IsSecretToken()
  ADMIN_TOKEN?: string;

  @IsOptional()
  @IsPort({ message: 'ADMIN_PORT must be a port number, from 0 to 65535' })
  ADMIN_PORT?: string;

  @IsIn(['on', 'off'], { message: 'DOCS must be on or off' })
  DOCS = 'on';

  @IsWholeNumber(20, 100_000)
  HTTP_CONNECTIONS = '2000';

  @IsWholeNumber(2, 200)
  DATABASE_CONNECTIONS = '12';

  @IsWholeNumber(1, 60)
  SEARCH_SECONDS = '5';

  @IsIn(['true', 'false'], { message: 'PREPARED_STATEMENTS must be true or false' })
  PREPARED_STATEMENTS = 'true';

  @IsWholeNumber(1, 60)
  ACCESS_TOKEN_MINUTES = '10';

  @IsOptional()
  @MinLength(32, { message: 'KEY_ENCRYPTION_SECRET must have 32 characters or more' })
  KEY_ENCRYPTION_SECRET?: string;

  @IsIn(['true', 'false'], { message: 'LOOPBACK_ISSUERS must be true or false' })
  LOOPBACK_ISSUERS = 'false';

  @IsIn(['on', 'off'], { message: 'RATE_LIMIT must be on or off' })
  RATE_LIMIT = 'on';

  @IsWholeNumber(1, 100_000)
  REQUESTS_PER_SECOND = '200';

  @IsWholeNumber(1, 10_000)
  CONCURRENT_REQUESTS = '100';

  @IsOptional()
  @IsWholeNumber(16, 1_000_000)
  REQUEST_MEMORY_MB?: string;

  @IsWholeNumber(1, 100_000)
  FAILED_AUTHENTICATIONS_PER_MINUTE = '20';

  @IsOptional()
  @Matches(isRedisUrl, { message: 'REDIS_URL must be a redis:// or rediss:// URL' })
  REDIS_URL?: string;

  @IsOptional()
  @IsTrustProxy()
  TRUST_PROXY?: string;

  @IsWholeNumber(0, longestRetention)
  AUDIT_RETENTION_DAYS = '365';

  @IsOptional()
  @IsWholeNumber(1, 999_999_999)
  MAX_USERS_PER_TENANT?: string;

  @IsOptional()
  @IsWholeNumber(1, 999_999_999)
  MAX_GROUPS_PER_TENANT?: string;

  @IsOptional()
  @IsWholeNumber(1, 999_999_999)
  MAX_MEGABYTES_PER_TENANT?: string;

  @IsIn(['on', 'off'], { message: 'REQUEST_LOG must be on or off' })
  REQUEST_LOG = 'on';

  @IsWholeNumber(1, 366)
  REQUEST_LOG_DAYS = '7';

  @IsOptional()
  @IsPort({ message: 'METRICS_PORT must be a port number, from 0 to 65535' })
  METRICS_PORT?: string;

  @IsWholeNumber(0, 10_000)
  METRICS_TENANTS = '100';

  @IsOptional()
  @IsUrl(
    { require_tld: false, protocols: ['http', 'https'], require_protocol: true },
    { message: 'OTEL_EXPORTER_OTLP_ENDPOINT must be an http or https URL' },
  )
  OTEL_EXPORTER_OTLP_ENDPOINT?: string;

  @IsIn(logLevels, { message: `LOG_LEVEL must be one of ${logLevels.join(', ')}` })
  LOG_LEVEL: (typeof logLevels)[number] = 'info';
}

/**
 * How many connections to a database server a process opens beside DATABASE_CONNECTIONS, at most: one for look-ups by key,
 * two for credentials and probes, and four to read large answers.
 */
export const otherConnections = 7;

/** The configuration, read once at start; also its own injection token. */
export abstract class Config {
  abstract readonly port: number;
  abstract readonly host: string;
  /** Absent: the embedded database under `dataDir`. */
  abstract readonly databaseUrl?: string;
  abstract readonly dataDir: string;
  /** The base of every meta.location and $ref, without a trailing slash. Never taken from a request. */
  abstract readonly publicUrl: string;
  /** When set, the bearer token of the default tenant. */
  abstract readonly scimToken?: string;
  abstract readonly adminToken?: string;
  /** Where the administration and its documentation are served, and nothing else; absent: on `port`. */
  abstract readonly adminPort?: number;
  /** Whether Swagger UI and the OpenAPI documents are served. */
  abstract readonly docs: boolean;
  /** How many connections clients may have open to `port` at the same time. */
  abstract readonly httpConnections: number;
  /** How many connections to a database server tenants' requests share; what needs little of them has some of its own. */
  abstract readonly databaseConnections: number;
  /** How long a search may take in the database. */
  abstract readonly searchSeconds: number;
  /** Whether statements are prepared by name; a pooler in transaction mode needs this off. */
  abstract readonly preparedStatements: boolean;
  /** How long the access tokens of the token endpoint live. */
  abstract readonly accessTokenSeconds: number;
  /** What signing keys are encrypted with in the database; absent: they are in clear. */
  abstract readonly keyEncryptionSecret?: string;
  /** Whether an issuer may be on this machine, by plain http: for development and tests. */
  abstract readonly loopbackIssuers: boolean;
  /** Whether tenants' requests and sources' failed authentications are limited. */
  abstract readonly rateLimit: boolean;
  /** Of a tenant, in all processes together, unless its settings say otherwise. */
  abstract readonly requestsPerSecond: number;
  /** Of a tenant, in one process, unless its settings say otherwise. */
  abstract readonly concurrentRequests: number;
  /**
   * The megabytes (2^20 bytes) of bodies and answers that all requests may hold in this process; absent: a quarter of the
   * memory there is.
   */
  abstract readonly requestMemoryMegabytes?: number;
  /** Of a source address. */
  abstract readonly failedAuthenticationsPerMinute: number;
  /** Where processes share what they counted; absent: in the database. */
  abstract readonly redisUrl?: string;
  /** The proxies whose X-Forwarded-For counts: how many, or their addresses; absent: none. */
  abstract readonly trustProxy?: number | readonly string[];
  /** For how many days events stay in the audit trail, unless a tenant's settings say otherwise; 0: for ever. */
  abstract readonly auditRetentionDays: number;
  /** What a tenant may keep, unless its settings say otherwise; absent: as much as there is room for. */
  abstract readonly maxUsersPerTenant?: number;
  abstract readonly maxGroupsPerTenant?: number;
  /** In units of 2^20 bytes. */
  abstract readonly maxMegabytesPerTenant?: number;
  /** Whether requests are kept for tenants' administrators to look at. */
  abstract readonly requestLog: boolean;
  abstract readonly requestLogDays: number;
  /** Where the metrics are served apart from everything else; absent: beside it, to this machine only. */
  abstract readonly metricsPort?: number;
  /** How many tenants have a label of their own in the metrics. */
  abstract readonly metricsTenants: number;
  /** Whether traces are sent. Where to and how, the OpenTelemetry SDK reads from its own OTEL_ variables. */
  abstract readonly tracing: boolean;
  abstract readonly logLevel: (typeof logLevels)[number];
}

/** The limits on what tenants keep, as far as there are any. */
function quotasIn(read: Environment): Partial<Config> {
  const { MAX_USERS_PER_TENANT: users, MAX_GROUPS_PER_TENANT: groups, MAX_MEGABYTES_PER_TENANT: megabytes } = read;
  return {
    ...(users === undefined ? {} : { maxUsersPerTenant: Number(users) }),
    ...(groups === undefined ? {} : { maxGroupsPerTenant: Number(groups) }),
    ...(megabytes === undefined ? {} : { maxMegabytesPerTenant: Number(megabytes) }),
  };
}

/** A value in the environment that cannot be used; its message is one line that says which and what would be right. */
export class ConfigError extends Error {}

/**
 * Reads the configuration. Empty variables count as absent.
 * @param environment variables by name, such as `process.env`
 * @throws ConfigError for the first invalid value
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const read = plainToInstance(Environment, given, { exposeDefaultValues: true });
  const [invalid] = validateSync(read, { skipUndefinedProperties: false });
  if (invalid) throw new ConfigError(Object.values(invalid.constraints ?? {})[0] ?? `${invalid.property} is invalid`);
  if (read.ADMIN_TOKEN !== undefined && read.ADMIN_TOKEN === read.SCIM_TOKEN) {
    throw new ConfigError('ADMIN_TOKEN must not be SCIM_TOKEN: whoever provisions users would administer all tenants');
  }
  if (read.ADMIN_PORT !== undefined && Number(read.ADMIN_PORT) !== 0) {
    const taken = [read.PORT, read.METRICS_PORT].some((port) => Number(port) === Number(read.ADMIN_PORT));
    if (taken) throw new ConfigError('ADMIN_PORT must be another port than PORT and METRICS_PORT');
  }
  return Object.freeze({
    port: Number(read.PORT),
    host: read.HOST,
    ...(read.DATABASE_URL === undefined ? {} : { databaseUrl: read.DATABASE_URL }),
    dataDir: read.DATA_DIR,
    publicUrl: (read.PUBLIC_URL ?? `http://localhost:${read.PORT}`).replace(/\/+$/, ''),
    ...(read.SCIM_TOKEN === undefined ? {} : { scimToken: read.SCIM_TOKEN }),
    ...(read.ADMIN_TOKEN === undefined ? {} : { adminToken: read.ADMIN_TOKEN }),
    ...(read.ADMIN_PORT === undefined ? {} : { adminPort: Number(read.ADMIN_PORT) }),
    docs: read.DOCS === 'on',
    httpConnections: Number(read.HTTP_CONNECTIONS),
    databaseConnections: Number(read.DATABASE_CONNECTIONS),
    searchSeconds: Number(read.SEARCH_SECONDS),
    preparedStatements: read.PREPARED_STATEMENTS === 'true',
    accessTokenSeconds: Number(read.ACCESS_TOKEN_MINUTES) * 60,
    ...(read.KEY_ENCRYPTION_SECRET === undefined ? {} : { keyEncryptionSecret: read.KEY_ENCRYPTION_SECRET }),
    loopbackIssuers: read.LOOPBACK_ISSUERS === 'true',
    rateLimit: read.RATE_LIMIT === 'on',
    requestsPerSecond: Number(read.REQUESTS_PER_SECOND),
    concurrentRequests: Number(read.CONCURRENT_REQUESTS),
    ...(read.REQUEST_MEMORY_MB === undefined ? {} : { requestMemoryMegabytes: Number(read.REQUEST_MEMORY_MB) }),
    failedAuthenticationsPerMinute: Number(read.FAILED_AUTHENTICATIONS_PER_MINUTE),
    ...(read.REDIS_URL === undefined ? {} : { redisUrl: read.REDIS_URL }),
    ...(read.TRUST_PROXY === undefined ? {} : { trustProxy: readTrustProxy(read.TRUST_PROXY) ?? [] }),
    auditRetentionDays: Number(read.AUDIT_RETENTION_DAYS),
    ...quotasIn(read),
    requestLog: read.REQUEST_LOG === 'on',
    requestLogDays: Number(read.REQUEST_LOG_DAYS),
    ...(read.METRICS_PORT === undefined ? {} : { metricsPort: Number(read.METRICS_PORT) }),
    metricsTenants: Number(read.METRICS_TENANTS),
    tracing: read.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined,
    logLevel: read.LOG_LEVEL,
  });
}
