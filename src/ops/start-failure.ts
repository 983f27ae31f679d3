import { ConfigError } from '../config.js';
import { DataDirectoryInUse } from '../persistence/data-directory.js';
import { toScimError } from '../persistence/database-error.js';
import { NewerDatabase } from '../persistence/schema-version.js';

/** Errors whose message is meant for people. */
const plain = [ConfigError, DataDirectoryInUse, NewerDatabase];

/** By SQLSTATE: who one is, which database there is, and what one may do. */
const refusal = /^(?:28|3D|3F|42501)/;

/**
 * Why a start failed, or a command, in a line for whoever runs it and can change that.
 * @returns undefined for a defect
 */
export function startFailure(error: unknown): string | undefined {
  if (plain.some((kind) => error instanceof kind)) return messageOf(error);
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown };
  if (syscall === 'listen') return `The server cannot listen: ${messageOf(error)}`;
  if (typeof code === 'string' && refusal.test(code)) return `The database refuses: ${messageOf(error)}`;
  if (toScimError(error)?.row === 'unavailable') return `The database cannot be reached: ${messageOf(error)}`;
  return undefined;
}

/** The message, or that of the first of several: a name with two addresses fails twice. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return messageOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
