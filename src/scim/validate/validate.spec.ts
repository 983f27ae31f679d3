import { describe, expect, it } from '@jest/globals';
import { badgeSchema, badgeUrn, lockedBadgeSchema, lockUrn } from '../../../test/support/custom-schema.js';
import { errorOf, groupSchema, user, userSchema } from '../../../test/support/patching.js';
import { profiles, type Profile } from '../profile.js';
import type { JsonObject, JsonValue, ScimResource } from '../resource.js';
import { enterpriseUserUrn } from '../schema/enterprise-user.js';
import { groupUrn } from '../schema/group.js';
import type { ResourceSchema } from '../schema/registry.js';
import { userUrn } from '../schema/user.js';
import { checkRequired, readResource, withSchemas } from './validate.js';

const read = (body: JsonValue | undefined, profile = profiles.default, schema = userSchema): ScimResource =>
  readResource(body, schema, profile).resource;

const refusal = (
  body: JsonValue | undefined,
  profile: Profile = profiles.strict,
  schema: ResourceSchema = userSchema,
): [row: string, detail: string] => {
  const { row, detail } = errorOf(() => read(body, profile, schema));
  return [row, detail];
};

const babs = { schemas: [userUrn], userName: 'babs' };

describe('a body that is a resource (RFC 7644 section 3.3)', () => {
  it.each([[[]], ['babs'], [5], [true], [null], [undefined]])('is not %j', (body) => {
    expect(refusal(body)).toStrictEqual(['invalidSyntax', 'The body must be a JSON object that represents a User.']);
  });

  it('comes out complete, with names in the schema’s spelling and in its order (RFC 7643 section 2.1)', () => {
    const body = {
      EMAILS: [{ VALUE: 'babs@example.com', Type: 'work', primary: true }],
      USERNAME: 'babs',
      Schemas: [userUrn.toUpperCase(), enterpriseUserUrn.toLowerCase()],
      externalid: '701984',
      [enterpriseUserUrn.toUpperCase()]: { COSTCENTER: '4130' },
    };
    const resource = read(body, profiles.strict);
    expect(resource).toStrictEqual({
      schemas: [userUrn, enterpriseUserUrn],
      externalId: '701984',
      userName: 'babs',
      emails: [{ value: 'babs@example.com', type: 'work', primary: true }],
      [enterpriseUserUrn]: { costCenter: '4130' },
    });
    expect(Object.keys(resource)).toStrictEqual(['schemas', 'externalId', 'userName', 'emails', enterpriseUserUrn]);
  });

  it('is left as it was', () => {
    const body = { ...babs, emails: [{ VALUE: 'a@x' }, { VALUE: 'a@x' }], nickName: null };
    const copy = structuredClone(body);
    read(body);
    expect(body).toStrictEqual(copy);
  });

  it('names the attributes it holds, also those it clears (RFC 7644 section 3.5.1)', () => {
    const body = { ...babs, ACTIVE: null, emails: [], id: '1', shoeSize: 43, [enterpriseUserUrn]: null };
    expect([...readResource(body, userSchema, profiles.default).named].sort()).toStrictEqual(
      ['active', 'emails', 'id', 'userName', enterpriseUserUrn].sort(),
    );
  });
});

describe('readOnly attributes in a body (RFC 7644 section 3.3)', () => {
  it('are ignored, whatever they hold', () => {
    const body = {
      ...babs,
      id: '2819c223',
      meta: { created: '1970-01-01T00:00:00Z', location: 'https://evil.example/Users/1', resourceType: 5 },
      groups: [{ value: 'e9e30dba', display: 'Tour Guides' }],
      [enterpriseUserUrn]: { manager: { value: '26118915', displayName: 'John Smith' } },
    };
    expect(read(body, profiles.strict)).toStrictEqual(user({}, { manager: { value: '26118915' } }));
  });

  it('are ignored in an extension', () => {
    const body = { schemas: [badgeUrn], label: 'B1', [lockUrn]: { vendor: 'Acme', installed: 'yesterday' } };
    expect(read(body, profiles.strict, badgeSchema)).toStrictEqual({
      schemas: [badgeUrn, lockUrn],
      label: 'B1',
      [lockUrn]: { vendor: 'Acme' },
    });
  });
});

describe('schemas (RFC 7643 section 3)', () => {
  it('comes out as the base schema and the extensions that have data, whatever was listed', () => {
    expect(read({ ...babs, schemas: [userUrn, enterpriseUserUrn, userUrn] }, profiles.strict)).toStrictEqual(user());
    expect(read({ ...babs, [enterpriseUserUrn]: { department: 'Tours' } }, profiles.strict)).toStrictEqual(
      user({}, { department: 'Tours' }),
    );
  });

  it.each<[what: string, extension: JsonValue]>([
    ['null', null],
    ['[]', []],
    ['{}', {}],
    ['an object of nulls', { department: null }],
    ['only what is readOnly', { manager: { displayName: 'John Smith' } }],
  ])('has no extension whose data is %s (RFC 7643 section 2.5)', (_what, extension) => {
    const body = { ...babs, schemas: [userUrn, enterpriseUserUrn], [enterpriseUserUrn]: extension };
    expect(read(body, profiles.strict)).toStrictEqual(user());
  });

  it.each<[what: string, schemas: JsonValue]>([
    ['a string', userUrn],
    ['an object', { a: userUrn }],
    ['an array with a number', [userUrn, 5]],
  ])('may not be %s', (_what, schemas) => {
    expect(refusal({ ...babs, schemas }, profiles.default)).toStrictEqual([
      'invalidSyntax',
      `schemas must be an array that holds "${userUrn}".`,
    ]);
  });

  it('may not name another resource type, in any profile', () => {
    for (const profile of [profiles.default, profiles.strict]) {
      expect(refusal({ ...babs, schemas: [groupUrn] }, profile)).toStrictEqual([
        'invalidSyntax',
        `schemas holds "${groupUrn}", which is not a schema of User.`,
      ]);
    }
  });

  it('must name the base schema where the profile is strict', () => {
    expect(refusal({ ...babs, schemas: [enterpriseUserUrn] })).toStrictEqual([
      'invalidSyntax',
      `schemas must hold "${userUrn}".`,
    ]);
  });
});

describe('attributes under the base schema’s URN', () => {
  it('are taken for those of the top level', () => {
    const body = { schemas: [userUrn], [userUrn]: { userName: 'babs', active: false, id: '1' } };
    expect(read(body)).toStrictEqual(user({ active: false }));
  });

  it.each<[what: string, body: JsonObject, name: string]>([
    ['attribute', { ...babs, [userUrn]: { USERNAME: 'jim' } }, 'userName'],
    ['readOnly attribute', { ...babs, id: '1', [userUrn]: { id: '2' } }, 'id'],
    [
      'extension',
      { ...babs, [enterpriseUserUrn]: { division: 'a' }, [userUrn]: { [enterpriseUserUrn]: { division: 'b' } } },
      enterpriseUserUrn,
    ],
  ])('may not give an %s a second time: neither is the last', (_what, body, name) => {
    expect(refusal(body, profiles.default)).toStrictEqual(['invalidSyntax', `${name} is given twice.`]);
  });

  it('must be an object', () => {
    expect(read({ ...babs, [userUrn]: 'x' })).toStrictEqual(user());
    expect(refusal({ ...babs, [userUrn]: 'x' })).toStrictEqual([
      'invalidSyntax',
      `"${userUrn}" is not an attribute of User.`,
    ]);
  });
});

describe('extensions (RFC 7643 section 3.3)', () => {
  it('must be objects', () => {
    expect(refusal({ ...babs, [enterpriseUserUrn]: 'Tours' }, profiles.default)).toStrictEqual([
      'invalidValue',
      `${enterpriseUserUrn} must be an object with the extension's attributes.`,
    ]);
  });

  it('refuse an attribute they do not have where the profile is strict', () => {
    expect(refusal({ ...babs, [enterpriseUserUrn]: { shoeSize: '43' } })).toStrictEqual([
      'invalidSyntax',
      '"shoeSize" is not an attribute of EnterpriseUser.',
    ]);
  });
});

describe('keys that every object has', () => {
  const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];

  it.each(keys)('%s is dropped at every level, and inert', (key) => {
    const hostile = `"${key}": {"admin": true, "value": "x", "active": false}`;
    const body = JSON.parse(
      `{"schemas": ["${userUrn}"], "userName": "babs", ${hostile}, "name": {${hostile}, "givenName": "B"},
        "emails": [{${hostile}, "value": "a@x"}], "${enterpriseUserUrn}": {${hostile}, "division": "D"}}`,
    ) as JsonValue;
    expect(read(body)).toStrictEqual(user({ name: { givenName: 'B' }, emails: [{ value: 'a@x' }] }, { division: 'D' }));
    expect(({} as JsonObject)['admin']).toBeUndefined();
  });

  it.each(keys)('%s is refused where the profile is strict', (key) => {
    const body = JSON.parse(`{"schemas": ["${userUrn}"], "userName": "babs", "${key}": {"admin": true}}`) as JsonValue;
    expect(refusal(body)).toStrictEqual(['invalidSyntax', `"${key}" is not an attribute of User.`]);
  });
});

describe('required attributes (RFC 7643 section 2.2)', () => {
  it.each<[what: string, body: JsonObject]>([
    ['absent', { schemas: [userUrn] }],
    ['null', { schemas: [userUrn], userName: null }],
    ['[]', { schemas: [userUrn], userName: [] }],
  ])('may not be %s', (_what, body) => {
    expect(refusal(body, profiles.default)).toStrictEqual(['invalidValue', 'userName is required.']);
  });

  it('may not be empty', () => {
    const body = { schemas: [groupUrn], displayName: '' };
    expect(refusal(body, profiles.default, groupSchema)).toStrictEqual([
      'invalidValue',
      'displayName must not be empty.',
    ]);
  });

  it.each<[what: string, body: JsonObject, missing: string]>([
    ['an extension that is present', { [lockUrn]: { model: 'X' } }, `${lockUrn}:vendor`],
    ['a complex value that is present', { holder: { stamp: 'X' } }, 'holder.note'],
    ['each of several values', { doors: [{ value: 'front' }, { zone: '2' }] }, 'doors.value'],
  ])('are required of %s', (_what, more, missing) => {
    const body = { schemas: [badgeUrn], label: 'B1', ...more };
    expect(refusal(body, profiles.strict, badgeSchema)).toStrictEqual(['invalidValue', `${missing} is required.`]);
  });

  it('are not required of what is absent', () => {
    const body = { schemas: [badgeUrn], label: 'B1' };
    expect(read(body, profiles.strict, badgeSchema)).toStrictEqual(body);
  });

  it('are required of an extension that is required itself', () => {
    expect(refusal({ schemas: [badgeUrn], label: 'B1' }, profiles.strict, lockedBadgeSchema)).toStrictEqual([
      'invalidValue',
      `${lockUrn}:vendor is required.`,
    ]);
  });
});

describe('withSchemas and checkRequired', () => {
  it('drop what the schema does not have, and put the rest in its order', () => {
    const resource = withSchemas(
      { meta: {}, shoeSize: 43, [enterpriseUserUrn]: { division: 'D' }, emails: [], userName: 'babs', id: '1' },
      userSchema,
    );
    expect(Object.entries(resource)).toStrictEqual([
      ['schemas', [userUrn, enterpriseUserUrn]],
      ['id', '1'],
      ['userName', 'babs'],
      ['emails', []],
      ['meta', {}],
      [enterpriseUserUrn, { division: 'D' }],
    ]);
  });

  it('find a required attribute that a change took away', () => {
    expect(errorOf(() => checkRequired({ schemas: [groupUrn] }, groupSchema))).toStrictEqual({
      row: 'invalidValue',
      detail: 'displayName is required.',
    });
  });
});
