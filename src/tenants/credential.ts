import { allScopes, type Scope } from '../http/scope.js';
import { ScimError } from '../scim/index.js';

const day = 24 * 60 * 60 * 1000;

/** How long a credential lives unless somebody says otherwise, and at most: one year and ten, in milliseconds. */
export const credentialLifetime = { standard: 365 * day, most: 3652 * day } as const;

/** What somebody may say of a new credential. */
export interface CredentialRequest {
  /** What it allows: all of them unless given, and without repetition. */
  readonly scopes?: readonly Scope[] | undefined;
  /** When it ends: in a year unless given. */
  readonly expiresAt?: Date | undefined;
}

/** @throws ScimError invalidValue for a credential that would be good for nothing, or for too long */
export function checkCredential({ scopes = allScopes, expiresAt }: CredentialRequest, now: Date): void {
  if (scopes.includes('bulk') && !scopes.includes('write')) {
    throw new ScimError('invalidValue', 'scopes: bulk is good for nothing without write.');
  }
  const latest = now.getTime() + credentialLifetime.most;
  if (expiresAt && (expiresAt <= now || expiresAt.getTime() > latest)) {
    throw new ScimError('invalidValue', 'expiresAt must be in the future, and ten years away at most.');
  }
}

/** When a new credential ends. */
export const endOf = ({ expiresAt }: CredentialRequest, now: Date): Date =>
  expiresAt ?? new Date(now.getTime() + credentialLifetime.standard);
