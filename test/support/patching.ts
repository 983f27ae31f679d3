import { expect } from '@jest/globals';
import {
  applyPatch,
  coreRegistry,
  enterpriseUserUrn,
  groupUrn,
  profiles,
  readPatch,
  ScimError,
  userUrn,
  type JsonObject,
  type JsonValue,
  type PatchResult,
  type Profile,
  type ResourceSchema,
  type ScimResource,
} from '../../src/scim/index.js';

/** The schema of users. */
export const userSchema = coreRegistry.resourceSchema('User');

/** The schema of groups. */
export const groupSchema = coreRegistry.resourceSchema('Group');

/** A user as it is stored; with the Enterprise User extension when `enterprise` is given. */
export function user(attributes: JsonObject = {}, enterprise?: JsonObject): ScimResource {
  return {
    schemas: enterprise ? [userUrn, enterpriseUserUrn] : [userUrn],
    userName: 'babs',
    ...attributes,
    ...(enterprise ? { [enterpriseUserUrn]: enterprise } : {}),
  };
}

/** A group as it is stored: its members are kept beside it. */
export function group(attributes: JsonObject = {}): ScimResource {
  return { schemas: [groupUrn], displayName: 'Tour Guides', ...attributes };
}

/** The body of a PATCH request. */
export const patchOp = (operations: JsonValue): JsonObject => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: operations,
});

/** What a PATCH request makes of a resource. */
export function patch(
  before: ScimResource,
  operations: JsonValue,
  profile: Profile = profiles.default,
  schema: ResourceSchema = schemaOf(before),
): PatchResult {
  return applyPatch(before, readPatch(patchOp(operations), profile), schema, profile);
}

/**
 * The error that a PATCH request causes. Makes sure that it left the given resource as it was.
 * @throws Error when the request succeeds
 */
export function refusal(
  before: ScimResource,
  operations: JsonValue,
  profile: Profile = profiles.default,
  schema: ResourceSchema = schemaOf(before),
): Pick<ScimError, 'row' | 'detail'> {
  const copy = structuredClone(before);
  const refused = errorOf(() => patch(before, operations, profile, schema));
  expect(before).toStrictEqual(copy);
  return refused;
}

/**
 * The ScimError that a call throws.
 * @throws Error when it throws none
 */
export function errorOf(call: () => unknown): Pick<ScimError, 'row' | 'detail'> {
  try {
    call();
  } catch (error) {
    if (error instanceof ScimError) return { row: error.row, detail: error.detail };
    throw error;
  }
  throw new Error('Expected a ScimError, but the call succeeded');
}

function schemaOf({ schemas }: ScimResource): ResourceSchema {
  return schemas.includes(groupUrn) ? groupSchema : userSchema;
}
