import { describe, expect, it } from '@jest/globals';
import { checkMessageSchema, memberOf, operationsOf } from './message-body.js';
import { messageUrn } from './messages.js';
import { profiles } from './profile.js';
import type { JsonObject } from './resource.js';

describe('memberOf', () => {
  it('finds no member that every object has', () => {
    expect(['constructor', 'toString', '__proto__'].map((name) => memberOf({}, name))).toStrictEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('the schemas of a message (RFC 7644 section 3.1)', () => {
  const check = (message: JsonObject, profile = profiles.default) =>
    checkMessageSchema(message, messageUrn.patchOp, profile);

  it('name the message, in any case and among others', () => {
    expect(() => check({ SCHEMAS: ['urn:example:x', messageUrn.patchOp.toUpperCase()] })).not.toThrow();
  });

  it('may be left out where the profile allows', () => {
    expect(() => check({})).not.toThrow();
    expect(() => check({}, profiles.strict)).toThrow(
      expect.objectContaining({ row: 'invalidSyntax', detail: `schemas must be ["${messageUrn.patchOp}"].` }),
    );
  });

  it.each([[messageUrn.patchOp], [['urn:example:x']], [[1]], [{}]])('are refused when they are %j', (schemas) => {
    expect(() => check({ schemas })).toThrow(expect.objectContaining({ row: 'invalidSyntax' }));
  });
});

describe('the operations of a message', () => {
  it('are an array with at least one', () => {
    expect(operationsOf({ operations: [1] })).toEqual([1]);
    for (const Operations of [[], {}, 'x', null]) {
      expect(() => operationsOf({ Operations })).toThrow(expect.objectContaining({ row: 'invalidSyntax' }));
    }
  });
});
