import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  applyPatch,
  enterpriseUserUrn,
  isJsonObject,
  profiles,
  readPatch,
  readResource,
  ScimError,
  userUrn,
  type JsonObject,
  type JsonValue,
  type Profile,
  type ScimResource,
} from '../../src/scim/index.js';
import { jsonText, messageText, operations, repeatableOperations, storedUser } from '../support/patch-arbitraries.js';
import { group, groupSchema, patch, patchOp, user, userSchema } from '../support/patching.js';

const profile = fc.constantFrom(profiles.default, profiles.strict);

/** The resource after the operations; undefined when they are refused. Whatever else is thrown fails the test. */
function attempt(before: ScimResource, given: JsonValue, chosen: Profile): ScimResource | undefined {
  try {
    return patch(before, given, chosen).resource;
  } catch (error) {
    if (error instanceof ScimError) return undefined;
    throw error;
  }
}

/** Freezes a value to its depths, so that writing to it throws a TypeError. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(frozen);
  return Object.freeze(value);
}

/** Every object and array within a value, and the value itself. */
function containers(value: JsonValue | undefined): (JsonObject | JsonValue[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap((item: JsonValue | undefined) => containers(item))];
}

function expectValid(resource: ScimResource): void {
  // The strictest reading of the result is the result: nothing in it is unknown, mistyped, unassigned or there twice.
  expect(readResource(resource, userSchema, profiles.strict).resource).toStrictEqual(resource);
  expect(resource.schemas).toStrictEqual(
    resource[enterpriseUserUrn] === undefined ? [userUrn] : [userUrn, enterpriseUserUrn],
  );
  const isVoid = (item: JsonValue | undefined): boolean => item === null || item === undefined;
  const isPrimary = (item: JsonValue | undefined): boolean => isJsonObject(item) && item['primary'] === true;
  const wrong = containers(resource).filter((container) => {
    const items: (JsonValue | undefined)[] = Object.values(container);
    return items.length === 0 || items.some(isVoid) || items.filter(isPrimary).length > 1;
  });
  expect(wrong).toStrictEqual([]);
}

describe('PATCH (RFC 7644 section 3.5.2)', () => {
  it('leaves the stored resource as it was, and makes a valid one of it or none', () => {
    let applied = 0;
    let refused = 0;
    fc.assert(
      fc.property(storedUser, operations, profile, (before, given, chosen) => {
        const copy = structuredClone(before);
        const after = attempt(frozen(before), given, chosen);
        expect(before).toStrictEqual(copy);
        if (after) expectValid(after);
        if (after) applied++;
        else refused++;
      }),
      { numRuns: 1_000 },
    );
    // The operations are such that both happen.
    expect(Math.min(applied, refused)).toBeGreaterThan(100);
  });

  it('fails as a whole when its last operation does, whatever came before', () => {
    fc.assert(
      fc.property(storedUser, operations, profile, (before, given, chosen) => {
        expect(attempt(frozen(before), [...given, { op: 'remove', path: 'userName' }], chosen)).toBeUndefined();
      }),
    );
  });

  it('gives the same operation by operation as all at once', () => {
    fc.assert(
      fc.property(storedUser, operations, profile, (before, given, chosen) => {
        const singly = given.reduce<ScimResource | undefined>(
          (resource, operation) => resource && attempt(resource, [operation], chosen),
          before,
        );
        expect(attempt(before, given, chosen)).toStrictEqual(singly);
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives the same when add and replace operations are applied again', () => {
    let applied = 0;
    fc.assert(
      fc.property(storedUser, repeatableOperations, profile, (before, given, chosen) => {
        fc.pre(given.length > 0);
        const once = attempt(before, given, chosen);
        if (!once) return;
        applied++;
        expect(attempt(once, given, chosen)).toStrictEqual(once);
      }),
      { numRuns: 2_000 },
    );
    expect(applied).toBeGreaterThan(100);
  });

  it('changes nothing when a user’s own attributes are added or put in their place again', () => {
    fc.assert(
      fc.property(storedUser, profile, (before, chosen) => {
        const { schemas: _schemas, ...attributes } = before;
        // In the default profile, a replace by "" clears.
        expect(attempt(before, [{ op: 'replace', value: attributes }], profiles.strict)).toStrictEqual(before);
        expect(attempt(before, [{ op: 'add', value: attributes }], chosen)).toStrictEqual(before);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a PATCH body of any JSON', () => {
  const bodies = fc.oneof(
    { arbitrary: messageText, weight: 3 },
    jsonText,
    jsonText.map((text) => `{"Operations":[${text}]}`),
    jsonText.map((text) => `{"Operations":[{"op":"add","value":${text}}]}`),
  );
  const prototypeKeys = Object.getOwnPropertyNames(Object.prototype);

  it.each([
    ['user', user({ active: false, emails: [{ value: 'a@x', type: 'work' }] }, { division: 'D' }), userSchema],
    ['group', group(), groupSchema],
  ])('changes a %s or throws a ScimError; keys that every object has stay inert', (_what, stored, schema) => {
    const before = JSON.stringify(frozen(stored));
    let applied = 0;
    const check = (text: string, chosen: Profile): void => {
      try {
        const { resource } = applyPatch(stored, readPatch(JSON.parse(text) as JsonValue, chosen), schema, chosen);
        applied++;
        const tampered = containers(resource).filter(
          (container) =>
            Object.getPrototypeOf(container) !== (Array.isArray(container) ? Array.prototype : Object.prototype) ||
            Object.keys(container).some((key) => prototypeKeys.includes(key)),
        );
        expect(tampered).toStrictEqual([]);
      } catch (error) {
        if (!(error instanceof ScimError)) throw error;
      }
    };
    fc.assert(fc.property(bodies, profile, check), { numRuns: 3_000 });
    // Some come through, their hostile keys passed over.
    expect(applied).toBeGreaterThan(20);
    expect(Object.getOwnPropertyNames(Object.prototype)).toStrictEqual(prototypeKeys);
    expect(JSON.stringify(stored)).toBe(before);
  });

  it('never takes all members away by a remove that has a value', () => {
    const value = fc.oneof(
      jsonText.map((text) => JSON.parse(text) as JsonValue),
      fc.array(fc.record({ value: fc.constantFrom('1', '2', '', null), $ref: fc.constantFrom(null, '../Users/1') })),
    );
    fc.assert(
      fc.property(value, profile, (listed, chosen) => {
        const body = patchOp([{ op: 'remove', path: 'members', value: listed }]);
        let kinds: string[] = [];
        try {
          kinds = applyPatch(group(), readPatch(body, chosen), groupSchema, chosen).links.map(({ kind }) => kind);
        } catch (error) {
          if (!(error instanceof ScimError)) throw error;
        }
        expect(['', 'remove']).toContain(kinds.join());
      }),
      { numRuns: 1_000 },
    );
  });
});
