import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { IsIn, IsOptional, IsPort, IsUrl, Matches, MinLength, validateSync } from 'class-validator';

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const isPostgresUrl = /^postgres(?:ql)?:\/\/\S+$/;
const isToken = /^[A-Za-z0-9._~+/-]+=*$/;

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
  @Matches(isToken, { message: 'SCIM_TOKEN must be a bearer token: letters, digits and . _ ~ + / - =' })
  SCIM_TOKEN?: string;

  @IsOptional()
  @Matches(isToken, { message: 'ADMIN_TOKEN must be a bearer token: letters, digits and . _ ~ + / - =' })
  ADMIN_TOKEN?: string;

  @IsIn(['true', 'false'], { message: 'PREPARED_STATEMENTS must be true or false' })
  PREPARED_STATEMENTS = 'true';

  @IsIn(logLevels, { message: `LOG_LEVEL must be one of ${logLevels.join(', ')}` })
  LOG_LEVEL: (typeof logLevels)[number] = 'info';
}

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
  /** Whether statements are prepared by name; a pooler in transaction mode needs this off. */
  abstract readonly preparedStatements: boolean;
  abstract readonly logLevel: (typeof logLevels)[number];
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
  return Object.freeze({
    port: Number(read.PORT),
    host: read.HOST,
    ...(read.DATABASE_URL === undefined ? {} : { databaseUrl: read.DATABASE_URL }),
    dataDir: read.DATA_DIR,
    publicUrl: (read.PUBLIC_URL ?? `http://localhost:${read.PORT}`).replace(/\/+$/, ''),
    ...(read.SCIM_TOKEN === undefined ? {} : { scimToken: read.SCIM_TOKEN }),
    ...(read.ADMIN_TOKEN === undefined ? {} : { adminToken: read.ADMIN_TOKEN }),
    preparedStatements: read.PREPARED_STATEMENTS === 'true',
    logLevel: read.LOG_LEVEL,
  });
}
