import { describe, expect, it } from '@jest/globals';
import { badgeSchema } from '../../../test/support/custom-schema.js';
import { errorOf, groupSchema, userSchema } from '../../../test/support/patching.js';
import { profiles } from '../profile.js';
import { enterpriseUserUrn } from '../schema/enterprise-user.js';
import { isSchemaTarget, type ResourceSchema } from '../schema/registry.js';
import { userUrn } from '../schema/user.js';
import { checkWritable, resolvePatchPath, type PatchAttribute } from './target.js';

const resolve = (path: string, schema: ResourceSchema = userSchema): ReturnType<typeof resolvePatchPath> =>
  resolvePatchPath(path, schema, profiles.default);

/** What a path points to, in short: extension, attribute, sub-attribute and whether it has a filter. */
function pointed(path: string, schema = userSchema): string {
  const target = resolve(path, schema);
  if (isSchemaTarget(target)) return `schema ${target.schema.name}`;
  const { extension, attribute, subAttribute, filter } = target;
  const sub = subAttribute ? `.${subAttribute.name}` : '';
  return `${extension ? `${extension.name} ` : ''}${attribute.name}${filter ? '[]' : ''}${sub}`;
}

function attributeAt(path: string, schema: ResourceSchema): PatchAttribute {
  const target = resolve(path, schema);
  if (isSchemaTarget(target)) throw new Error(`${path} is a schema`);
  return target;
}

const writableError = (path: string, schema = userSchema): [row: string, detail: string] => {
  const { row, detail } = errorOf(() => checkWritable(attributeAt(path, schema)));
  return [row, detail];
};

describe('the path of a PATCH operation (RFC 7644 section 3.5.2)', () => {
  it.each([
    ['displayName', 'displayName'],
    ['DISPLAYNAME', 'displayName'],
    ['name.familyName', 'name.familyName'],
    ['emails', 'emails'],
    ['emails.value', 'emails.value'],
    ['addresses[type eq "work"]', 'addresses[]'],
    ['emails[type eq "work"].value', 'emails[].value'],
    ['Emails[TYPE Eq "work"].VALUE', 'emails[].value'],
    ['emails[type eq "work" and value ew "example.com"]', 'emails[]'],
    ['emails[not (type eq "work]") or primary eq true].display', 'emails[].display'],
    ['roles[primary eq "True"].value', 'roles[].value'],
    ['externalId', 'externalId'],
    [`${userUrn}:userName`, 'userName'],
    [`${userUrn}:emails[type eq "work"].value`, 'emails[].value'],
    [`${enterpriseUserUrn}:department`, 'EnterpriseUser department'],
    [`${enterpriseUserUrn.toUpperCase()}:DEPARTMENT`, 'EnterpriseUser department'],
    [`${enterpriseUserUrn}:manager`, 'EnterpriseUser manager'],
    [`${enterpriseUserUrn}:manager.value`, 'EnterpriseUser manager.value'],
    [`${enterpriseUserUrn}:manager.$ref`, 'EnterpriseUser manager.$ref'],
    [enterpriseUserUrn, 'schema EnterpriseUser'],
    [userUrn, 'schema User'],
  ])('%s points to %s', (path, target) => {
    expect(pointed(path)).toBe(target);
  });

  it('points to the values of a custom extension', () => {
    expect(pointed('urn:example:schemas:extension:2.0:Lock:parts[type eq "bolt"].value', badgeSchema)).toBe(
      'Lock parts[].value',
    );
  });

  it('keeps the text and the filter as written', () => {
    const target = resolve('emails[type eq "Work"]');
    expect(target).toMatchObject({
      text: 'emails[type eq "Work"]',
      filter: {
        written: { kind: 'compare', path: { name: 'type' }, op: 'eq', value: 'Work' },
        bound: { kind: 'compare', op: 'eq', value: 'work' },
      },
    });
  });

  it.each([
    'shoeSize',
    'department',
    'name.shoeSize',
    'emails.shoeSize',
    'emails[type eq "work"].shoeSize',
    'urn:example:unknown:2.0:User:department',
    `${enterpriseUserUrn}:userName`,
    `${enterpriseUserUrn}:__proto__`,
    '.',
    '..',
    'name.',
    '.name',
    'a.b.c.d',
    '/name/familyName',
    '$.emails',
    '__proto__',
    'constructor',
    'constructor.prototype',
    'name.__proto__',
    'emails[type eq "work"',
    'emails[type eq "work"]value',
    'emails[type eq "work"].value.x',
    'emails[type eq "work"][type eq "home"]',
    'emails[type eq "work"].urn:x:value',
    ' emails',
    'name familyName',
    'userName[value eq "x"]',
    'name[familyName eq "x"]',
    'emails.value[type eq "x"]',
    `${enterpriseUserUrn}[division eq "x"]`,
    `${enterpriseUserUrn}:manager[value eq "x"]`,
    'schemas[value eq "x"]',
    'x'.repeat(65_536),
  ])('%s is no path of a user', (path) => {
    expect(errorOf(() => resolve(path)).row).toBe('invalidPath');
  });

  it.each([
    ['shoeSize', 'invalidPath', '"shoeSize" does not name an attribute of User.'],
    ['emails[type eq "work"].shoeSize', 'invalidPath', '"emails" has no sub-attribute "shoeSize".'],
    [
      'name[familyName eq "x"]',
      'invalidPath',
      '"name[familyName eq \\"x\\"]" has brackets, but only a multi-valued complex attribute takes them.',
    ],
    [
      'schemas[value eq "x"]',
      'invalidPath',
      '"schemas[value eq \\"x\\"]" has brackets, but only a multi-valued complex attribute takes them.',
    ],
  ])('%s fails with %s: %s', (path, row, detail) => {
    expect(errorOf(() => resolve(path))).toStrictEqual({ row, detail });
  });

  it.each([
    'emails[]',
    'emails[0]',
    'emails[type eq]',
    'emails[type = "work"]',
    "emails[type eq 'work']",
    'emails[shoeSize eq "x"]',
    'emails[type eq 5]',
    'emails[emails.type eq "work"]',
    'emails[primary gt true]',
    'members[',
    'emails[0',
  ])('%s has a bad filter', (path) => {
    const schema = path.startsWith('members') ? groupSchema : userSchema;
    expect(errorOf(() => resolve(path, schema)).row).toBe('invalidFilter');
  });
});

describe('what a client may not change at all (RFC 7643 section 2.2)', () => {
  it.each([
    'id',
    'meta',
    'meta.created',
    'groups',
    'groups.display',
    'groups[value eq "x"]',
    'groups[value eq "x"].display',
    `${userUrn}:groups`,
    `${enterpriseUserUrn}:manager.displayName`,
  ])('%s is readOnly', (path) => {
    expect(writableError(path)).toStrictEqual(['mutability', `${JSON.stringify(path)} is readOnly.`]);
  });

  it.each(['members.display', 'members[value eq "x"].display'])('%s of a group is readOnly', (path) => {
    expect(writableError(path, groupSchema)).toStrictEqual(['mutability', `${JSON.stringify(path)} is readOnly.`]);
  });

  it.each(['members.value', 'members[value eq "x"].value', 'members[value eq "x"].$ref', 'members[value eq "x"].type'])(
    '%s of a group is immutable within a value (RFC 7643 section 4.2)',
    (path) => {
      expect(writableError(path, groupSchema)).toStrictEqual([
        'mutability',
        `${JSON.stringify(path)} is immutable; add and remove whole values of members instead.`,
      ]);
    },
  );

  it('a sub-attribute that is immutable may have a first value where the attribute has one value', () => {
    expect(() => checkWritable(attributeAt('holder.value', badgeSchema))).not.toThrow();
  });

  it.each(['userName', 'password', 'schemas', 'emails[type eq "work"].value', 'externalId'])('%s is free', (path) => {
    expect(() => checkWritable(attributeAt(path, userSchema))).not.toThrow();
  });
});
