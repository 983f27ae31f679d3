import { CommanderError } from 'commander';
import { messageOf, startFailure } from '../ops/start-failure.js';
import { DataDirectoryInUse } from '../persistence/data-directory.js';
import { MoveRefused } from '../persistence/move.js';
import { ScimError } from '../scim/index.js';
import { Failed, UsageError } from './command.js';
import { NoDatabaseYet } from './services.js';

/** What a command's exit code says: that all went well, that it failed, or that it was not understood. */
export const exitCode = { ok: 0, failure: 1, usage: 2 } as const;

/** How a command ends that threw. @returns its exit code, and what to tell, if it was not told yet */
export function endOf(error: unknown): { code: number; reason?: string } {
  // Commander has written its own messages.
  if (error instanceof CommanderError) return { code: error.exitCode === 0 ? exitCode.ok : exitCode.usage };
  if (error instanceof Failed) return { code: exitCode.failure };
  return { code: isUsageError(error) ? exitCode.usage : exitCode.failure, reason: reasonOf(error) };
}

function isUsageError(error: unknown): boolean {
  const isBadInput = error instanceof ScimError && (error.row === 'invalidSyntax' || error.row === 'invalidValue');
  return error instanceof UsageError || isBadInput;
}

/** Errors of commands alone whose message is meant for people. */
const plain = [UsageError, MoveRefused, NoDatabaseYet];

/** Why something failed, in a line for people. */
export function reasonOf(error: unknown): string {
  if (error instanceof ScimError) return error.detail;
  if (error instanceof DataDirectoryInUse) {
    return `${error.message} While the server runs on the embedded database, use its admin API.`;
  }
  if (plain.some((kind) => error instanceof kind)) return messageOf(error);
  return startFailure(error) ?? `Unexpected: ${messageOf(error)}`;
}
