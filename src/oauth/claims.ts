import type { JWTPayload } from 'jose';
import { allScopes, type Scope } from '../http/scope.js';
import type { IssuerEntity } from './issuer.entity.js';

/** What a claim says, as a list: an array of texts, or a text with spaces between values (RFC 8693 section 4.2). */
export function claimValues(claims: JWTPayload, name: string): readonly string[] {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (typeof value === 'string') return value.split(' ').filter((part) => part !== '');
  return Array.isArray(value) ? value.filter((part): part is string => typeof part === 'string') : [];
}

/** Scopes in their own order, each once. */
export const inOrder = (scopes: Iterable<Scope>): Scope[] => {
  const granted = new Set(scopes);
  return allScopes.filter((scope) => granted.has(scope));
};

/** What a token of an issuer allows: what all its tokens do, and what the values of the scope claim add. */
export function grantedScopes(issuer: IssuerEntity, claims: JWTPayload): Scope[] {
  const values = issuer.scopeClaim === null ? [] : claimValues(claims, issuer.scopeClaim);
  const added = values.flatMap((value) =>
    Object.hasOwn(issuer.scopeValues, value) ? (issuer.scopeValues[value] ?? []) : [],
  );
  return inOrder([...issuer.scopes, ...added]);
}

/** Whether a token has the claims that its issuer's tokens must have here. */
export function hasRequiredClaims({ requiredClaims }: IssuerEntity, claims: JWTPayload): boolean {
  return Object.entries(requiredClaims).every(([name, allowed]) => {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    // A text counts as a whole: its parts could be put together by whoever the token is about.
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return values.some((one) => typeof one === 'string' && allowed.includes(one));
  });
}

const longestSubject = 256;

/** Who a token is about, for the log and the audit trail: its subject, or the client it was given to. */
export function subjectOf(claims: JWTPayload): string {
  const names = ['sub', 'azp', 'appid', 'client_id'];
  const subject = names.map((name) => claims[name]).find((value) => typeof value === 'string' && value !== '');
  return typeof subject === 'string' ? subject.slice(0, longestSubject) : 'unknown';
}
