import { CommanderError } from 'commander';
import { Failed, ServerRefused, ServerUnreachable, TokenMissing, UsageError } from './refusals.js';

/** What a command's exit code says: that all went well, that it failed, or that it was not understood. */
export const exitCode = { ok: 0, failure: 1, usage: 2 } as const;

/** How a command ended. */
export interface End {
  readonly code: number;
  /** What to tell, if it was not told yet. */
  readonly reason?: string;
}

/** How a command ends that threw. */
export async function endOf(error: unknown): Promise<End> {
  // Commander has written its own messages.
  if (error instanceof CommanderError) return { code: error.exitCode === 0 ? exitCode.ok : exitCode.usage };
  if (error instanceof Failed) return { code: exitCode.failure };
  if (error instanceof UsageError) return { code: exitCode.usage, reason: error.message };
  if (error instanceof ServerRefused) return { code: codeFor(error.isBadInput), reason: error.message };
  if (error instanceof ServerUnreachable || error instanceof TokenMissing) {
    return { code: exitCode.failure, reason: error.message };
  }
  // Loaded only now: what else a command can fail with knows the database.
  const { isBadInput, reasonOf } = await import('./errors.js');
  return { code: codeFor(isBadInput(error)), reason: reasonOf(error) };
}

const codeFor = (isBadInput: boolean): number => (isBadInput ? exitCode.usage : exitCode.failure);
