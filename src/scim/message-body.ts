import { ScimError } from './errors.js';
import type { Profile } from './profile.js';
import { isUnassigned, type JsonObject, type JsonValue } from './resource.js';

/** A member of a message by name: names are case-insensitive (RFC 7643 section 2.1). */
export function memberOf(message: JsonObject, name: string): JsonValue | undefined {
  const wanted = name.toLowerCase();
  return Object.entries(message).find(([key]) => key.toLowerCase() === wanted)?.[1];
}

/**
 * Checks that a message says it is what its endpoint takes (RFC 7644 section 3.1). Where the profile allows, one that
 * says nothing is taken as that.
 * @param urn the message's schema
 * @throws ScimError invalidSyntax
 */
export function checkMessageSchema(message: JsonObject, urn: string, profile: Profile): void {
  const schemas = memberOf(message, 'schemas');
  if (isUnassigned(schemas) && profile.inferSchemas) return;
  const isNamed = (item: JsonValue): boolean => typeof item === 'string' && item.toLowerCase() === urn.toLowerCase();
  if (!Array.isArray(schemas) || !schemas.some(isNamed)) {
    throw new ScimError('invalidSyntax', `schemas must be ["${urn}"].`);
  }
}

/**
 * The operations of a PATCH or bulk request.
 * @throws ScimError invalidSyntax when there is not one
 */
export function operationsOf(message: JsonObject): JsonValue[] {
  const operations = memberOf(message, 'Operations');
  if (Array.isArray(operations) && operations.length > 0) return operations;
  throw new ScimError('invalidSyntax', 'Operations must be an array with at least one operation.');
}
