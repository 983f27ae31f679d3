import { describe, expect, it } from '@jest/globals';
import { badgeSchema, badgeUrn, lockUrn } from '../../../test/support/custom-schema.js';
import { errorOf, user, userSchema } from '../../../test/support/patching.js';
import type { JsonObject, ScimResource } from '../resource.js';
import { ResourceSchema } from '../schema/registry.js';
import { attribute } from '../schema/schema.js';
import { checkImmutable } from './mutability.js';

const badge = (attributes: JsonObject): ScimResource => ({ schemas: [badgeUrn], label: 'B1', ...attributes });

const sealed = new ResourceSchema(badgeSchema.type, badgeSchema.base, [
  {
    id: lockUrn,
    name: 'Lock',
    description: 'Lock',
    attributes: [attribute({ name: 'seal', description: 'seal', mutability: 'immutable' })],
  },
]);

describe('immutable attributes in a PUT (RFC 7644 section 3.5.1)', () => {
  it.each<[what: string, before: JsonObject, after: JsonObject]>([
    ['a first value', {}, { serial: 'a' }],
    ['the same value', { serial: 'a' }, { serial: 'a' }],
    ['no value where there was none', { serial: null }, {}],
    ['the same values in several', { history: [{ value: 'a' }] }, { history: [{ value: 'a' }] }],
    ['the same value in a complex one', { holder: { value: '1', note: 'a' } }, { holder: { note: 'b', value: '1' } }],
    ['a first value in a complex one', { holder: { note: 'a' } }, { holder: { note: 'a', value: '1' } }],
    ['elements that come and go', { doors: [{ value: 'a', zone: '1' }] }, { doors: [{ value: 'a', zone: '2' }] }],
    ['the same value in an extension', { [lockUrn]: { seal: 'a' } }, { [lockUrn]: { seal: 'a' } }],
    ['a first value in an extension', {}, { [lockUrn]: { seal: 'a' } }],
  ])('may be sent with %s', (_what, before, after) => {
    expect(() => checkImmutable(badge(before), badge(after), sealed)).not.toThrow();
  });

  it.each<[what: string, before: JsonObject, after: JsonObject, name: string]>([
    ['another value', { serial: 'a' }, { serial: 'b' }, 'serial'],
    ['a value in another case, where case matters', { serial: 'a' }, { serial: 'A' }, 'serial'],
    ['no value', { serial: 'a' }, {}, 'serial'],
    ['other values', { history: [{ value: 'a' }] }, { history: [{ value: 'a' }, { value: 'b' }] }, 'history'],
    ['another value in a complex one', { holder: { value: '1' } }, { holder: { value: '2' } }, 'holder.value'],
    ['no complex value', { holder: { value: '1' } }, {}, 'holder.value'],
    ['another value in an extension', { [lockUrn]: { seal: 'a' } }, { [lockUrn]: { seal: 'b' } }, 'seal'],
    ['no extension', { [lockUrn]: { seal: 'a' } }, {}, 'seal'],
  ])('may not be sent with %s', (_what, before, after, name) => {
    expect(errorOf(() => checkImmutable(badge(before), badge(after), sealed))).toStrictEqual({
      row: 'mutability',
      detail: `${name} is immutable; it already has a value and cannot be changed.`,
    });
  });

  it('are none of a user’s', () => {
    const before = user({ displayName: 'a', emails: [{ value: 'a@x' }] }, { manager: { value: '1' } });
    expect(() => checkImmutable(before, user({}), userSchema)).not.toThrow();
  });
});
