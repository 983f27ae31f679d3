import { pino, type DestinationStream, type Logger } from 'pino';
import type { LoggerService } from '@nestjs/common';
import type { Config } from '../config.js';

/**
 * Makes the process's logger: one JSON object a line.
 * @param destination where lines go; standard output by default
 */
export function createLogger({ logLevel }: Pick<Config, 'logLevel'>, destination?: DestinationStream): Logger {
  const options = { level: logLevel, base: { service: 'rollcall' }, serializers: { err: loggedError } };
  return destination ? pino(options, destination) : pino(options);
}

/** What is logged of an error, in this order. */
const told = ['code', 'constraint', 'table', 'column', 'routine'] as const;
// Five characters, a digit among them: EPIPE is none.
const sqlState = /^(?=.*\d)[0-9A-Z]{5}$/;

/**
 * What is logged of an error: what it is and where it came from. PostgreSQL repeats values in its messages and details, and
 * TypeORM adds statements and parameters, so nothing of those is kept.
 */
function loggedError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const given = error as Error & Partial<Record<(typeof told)[number], unknown>>;
  const isDatabaseError = typeof given.code === 'string' && sqlState.test(given.code);
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return {
    type: error.name,
    ...(isDatabaseError ? {} : { message: error.message }),
    ...Object.fromEntries(told.filter((name) => given[name] !== undefined).map((name) => [name, given[name]])),
    stack: frames.join('\n'),
    ...(error.cause === undefined ? {} : { cause: loggedError(error.cause) }),
  };
}

/** Passes what Nest says to the logger: its warnings and errors, and the rest only when debugging. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, context?: unknown): void {
    this.logger.debug({ context }, String(message));
  }

  warn(message: unknown, context?: unknown): void {
    this.logger.warn({ context }, String(message));
  }

  error(message: unknown, ...details: unknown[]): void {
    // An object among the details is facts to log by name, such as `err`.
    const facts = Object.assign({}, ...details.filter((detail) => typeof detail === 'object')) as object;
    this.logger.error({ ...facts, details: details.filter((detail) => typeof detail !== 'object') }, String(message));
  }
}
