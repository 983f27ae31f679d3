import { pino, type Logger } from 'pino';
import type { LoggerService } from '@nestjs/common';
import type { Config } from '../config.js';

/** Makes the process's logger: one JSON object a line on standard output. */
export function createLogger({ logLevel }: Pick<Config, 'logLevel'>): Logger {
  return pino({
    level: logLevel,
    base: { service: 'rollcall' },
    redact: ['token', 'password', 'authorization', 'err.parameters', 'err.query', 'err.driverError'],
  });
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
    this.logger.error({ details }, String(message));
  }
}
