import { describe, expect, it } from '@jest/globals';
import { errorOf, groupSchema, userSchema } from '../../../test/support/patching.js';
import type { JsonObject } from '../resource.js';
import { enterpriseUserSchema } from '../schema/enterprise-user.js';
import type { Attribute } from '../schema/schema.js';
import { readReference } from './reference.js';

const manager = userSchema.extensionAttribute(enterpriseUserSchema, 'manager') as Attribute;
const emails = userSchema.attribute('emails') as Attribute;
const members = groupSchema.attribute('members') as Attribute;

describe('values that refer to a resource (RFC 7643 section 2.4)', () => {
  it.each<[what: string, given: JsonObject, settled: JsonObject]>([
    ['a value', { value: '26118915' }, { value: '26118915' }],
    ['an absolute $ref', { $ref: 'https://example.com/v2/Users/26118915' }, { value: '26118915' }],
    ['a relative $ref', { $ref: '../Users/26118915' }, { value: '26118915' }],
    ['a $ref with a slash at its end', { $ref: '../Users/26118915/' }, { value: '26118915' }],
    ['a $ref that is the id itself', { $ref: '26118915' }, { value: '26118915' }],
    ['a value and the $ref to it', { value: '26118915', $ref: '../Users/26118915' }, { value: '26118915' }],
    ['a value and an empty $ref', { value: '26118915', $ref: '' }, { value: '26118915' }],
    ['an empty $ref alone', { $ref: '' }, {}],
    ['neither', {}, {}],
  ])('settles %s', (_what, given, settled) => {
    expect(readReference(manager, given, 'manager')).toStrictEqual(settled);
  });

  it('keeps the other sub-attributes', () => {
    expect(readReference(members, { type: 'User', $ref: '../Users/1' }, 'members[0]')).toStrictEqual({
      type: 'User',
      value: '1',
    });
  });

  it('refuses a value and a $ref that differ', () => {
    expect(
      errorOf(() => readReference(manager, { value: '1', $ref: 'https://example.com/v2/Users/2' }, 'manager')),
    ).toStrictEqual({
      row: 'invalidValue',
      detail: 'manager: "value" and "$ref" name different resources ("https://example.com/v2/Users/2").',
    });
  });

  it('leaves an attribute without $ref alone', () => {
    expect(readReference(emails, { value: 'a@x', type: 'work' }, 'emails[0]')).toStrictEqual({
      value: 'a@x',
      type: 'work',
    });
  });
});
