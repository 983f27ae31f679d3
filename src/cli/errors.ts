import { messageOf, startFailure } from '../ops/start-failure.js';
import { DataDirectoryInUse } from '../persistence/data-directory.js';
import { MoveRefused } from '../persistence/move.js';
import { ScimError } from '../scim/index.js';
import { NoDatabaseYet } from './open-database.js';

/** Whether an error says that what was given is at fault. */
export const isBadInput = (error: unknown): boolean =>
  error instanceof ScimError && (error.row === 'invalidSyntax' || error.row === 'invalidValue');

/** Errors of commands alone whose message is meant for people. */
const plain = [MoveRefused, NoDatabaseYet];

/** Why something failed, in a line for people. */
export function reasonOf(error: unknown): string {
  if (error instanceof ScimError) return error.detail;
  if (error instanceof DataDirectoryInUse) {
    return `${error.message} A command can also ask a running server: see --server.`;
  }
  if (plain.some((kind) => error instanceof kind)) return messageOf(error);
  return startFailure(error) ?? `Unexpected: ${messageOf(error)}`;
}
