import { describe, expect, it } from '@jest/globals';
import { badgeSchema, lockUrn } from '../../../test/support/custom-schema.js';
import { parseAttrPath } from '../filter/attr-path.js';
import { coreRegistry, groupResourceType, userResourceType } from './core.js';
import { enterpriseUserSchema, enterpriseUserUrn } from './enterprise-user.js';
import { groupSchema, groupUrn } from './group.js';
import { isSchemaTarget, ResourceSchema, SchemaRegistry } from './registry.js';
import { attribute } from './schema.js';
import { userSchema, userUrn } from './user.js';

const users = coreRegistry.resourceSchema('User');
const groups = coreRegistry.resourceSchema('Group');

/** What a path names: a schema, or the holder, attribute and sub-attribute. */
function resolve(text: string, schema: ResourceSchema = users): unknown {
  const path = parseAttrPath(text);
  const target = path && schema.resolve(path);
  if (!target) return undefined;
  if (isSchemaTarget(target)) return [target.schema.id, target.isBase ? 'base' : 'extension'];
  return [target.extension?.id, target.attribute.name, target.subAttribute?.name].filter((name) => name !== undefined);
}

describe('attribute', () => {
  it('has the characteristics of RFC 7643 section 2.2 where nothing else is said', () => {
    expect(attribute({ name: 'a', description: 'A.' })).toStrictEqual({
      name: 'a',
      description: 'A.',
      type: 'string',
      multiValued: false,
      required: false,
      caseExact: false,
      mutability: 'readWrite',
      returned: 'default',
      uniqueness: 'none',
    });
  });
});

describe('the schema of a resource type', () => {
  it('has the common attributes first, then those of its base schema, then meta (RFC 7643 section 3.1)', () => {
    expect(groups.attributes.map(({ name }) => name)).toEqual([
      'schemas',
      'id',
      'externalId',
      'displayName',
      'members',
      'meta',
    ]);
    expect(users.attributes.map(({ name }) => name)).toEqual([
      'schemas',
      'id',
      'externalId',
      ...userSchema.attributes.map(({ name }) => name),
      'meta',
    ]);
    expect([users.name, users.base, users.extensions]).toEqual(['User', userSchema, [enterpriseUserSchema]]);
  });

  it('has common attributes with the characteristics of RFC 7643 section 3.1', () => {
    const characteristics = (name: string): unknown => {
      const found = groups.attribute(name);
      return found && [found.type, found.caseExact, found.mutability, found.returned, found.multiValued];
    };
    expect(['id', 'externalId', 'meta', 'schemas'].map(characteristics)).toEqual([
      ['string', true, 'readOnly', 'always', false],
      ['string', true, 'readWrite', 'default', false],
      ['complex', false, 'readOnly', 'default', false],
      ['reference', false, 'readWrite', 'always', true],
    ]);
    const meta = groups.attribute('meta')?.subAttributes ?? [];
    expect(meta.map(({ name, type, mutability }) => [name, type, mutability])).toEqual([
      ['resourceType', 'string', 'readOnly'],
      ['created', 'dateTime', 'readOnly'],
      ['lastModified', 'dateTime', 'readOnly'],
      ['location', 'reference', 'readOnly'],
      ['version', 'string', 'readOnly'],
    ]);
  });

  it.each([
    ['userName', ['userName']],
    ['USERNAME', ['userName']],
    ['ID', ['id']],
    ['Meta.LastModified', ['meta', 'lastModified']],
    ['NAME.givenname', ['name', 'givenName']],
    ['groups.$REF', ['groups', '$ref']],
    [`${userUrn}:userName`, ['userName']],
    [`${userUrn.toUpperCase()}:NAME.familyName`, ['name', 'familyName']],
    [`${userUrn}:externalId`, ['externalId']],
    [`${enterpriseUserUrn}:department`, [enterpriseUserUrn, 'department']],
    [`${enterpriseUserUrn.toLowerCase()}:MANAGER.VALUE`, [enterpriseUserUrn, 'manager', 'value']],
    [userUrn, [userUrn, 'base']],
    [userUrn.toLowerCase(), [userUrn, 'base']],
    [enterpriseUserUrn, [enterpriseUserUrn, 'extension']],
    [enterpriseUserUrn.toUpperCase(), [enterpriseUserUrn, 'extension']],
  ])('finds what %s names, whatever its case (RFC 7643 section 2.1)', (text, found) => {
    expect(resolve(text)).toEqual(found);
  });

  it.each([
    'nonsense',
    'name.nonsense',
    'userName.value',
    'department',
    'constructor',
    'hasOwnProperty',
    `${userUrn}:department`,
    `${enterpriseUserUrn}:userName`,
    `${enterpriseUserUrn}:nonsense`,
    `${enterpriseUserUrn}:manager.nonsense`,
    `${enterpriseUserUrn}:id`,
    `${userUrn}.userName`,
    `${groupUrn}:displayName`,
    groupUrn,
    'urn:example:2.0:User:userName',
  ])('finds nothing for %s', (text) => {
    expect(resolve(text)).toBeUndefined();
  });

  it('finds attributes, extensions and their attributes by name', () => {
    expect(users.attribute('DISPLAYNAME')?.name).toBe('displayName');
    expect(users.attribute('members')).toBeUndefined();
    expect(users.extension(enterpriseUserUrn.toUpperCase())).toBe(enterpriseUserSchema);
    expect(users.extension(userUrn)).toBeUndefined();
    expect(groups.extension(enterpriseUserUrn)).toBeUndefined();
    expect(users.extensionAttribute(enterpriseUserSchema, 'COSTCENTER')?.name).toBe('costCenter');
    expect(users.extensionAttribute(enterpriseUserSchema, 'userName')).toBeUndefined();
    expect(groups.extensionAttribute(enterpriseUserSchema, 'costCenter')).toBeUndefined();
    expect([users.isBase(userUrn.toUpperCase()), users.isBase(enterpriseUserUrn)]).toEqual([true, false]);
  });

  it('knows whether an attribute is only returned on request (RFC 7643 section 7)', () => {
    expect([users, groups, badgeSchema].map((schema) => schema.returnsOnRequest)).toEqual([false, false, true]);
    const onRequest = attribute({ name: 'log', description: 'log', returned: 'request' });
    const parent = attribute({ name: 'holder', description: 'holder', type: 'complex', subAttributes: [onRequest] });
    const inExtension = new ResourceSchema(badgeSchema.type, groupSchema, [
      { id: lockUrn, name: 'Lock', description: 'Lock', attributes: [parent] },
    ]);
    expect(inExtension.returnsOnRequest).toBe(true);
  });
});

describe('the registry', () => {
  it('publishes the schemas and resource types of RFC 7643', () => {
    expect(coreRegistry.schemas.map(({ id }) => id)).toEqual([
      userUrn,
      groupUrn,
      enterpriseUserUrn,
      'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig',
      'urn:ietf:params:scim:schemas:core:2.0:ResourceType',
      'urn:ietf:params:scim:schemas:core:2.0:Schema',
    ]);
    expect(coreRegistry.resourceTypes).toEqual([userResourceType, groupResourceType]);
  });

  it('finds a schema by URN, whatever its case', () => {
    expect(coreRegistry.schema(userUrn)).toBe(userSchema);
    expect(coreRegistry.schema(enterpriseUserUrn.toUpperCase())).toBe(enterpriseUserSchema);
    expect(coreRegistry.schema('urn:example:2.0:User')).toBeUndefined();
  });

  it('says which paths may name an attribute of some resource type', () => {
    const mayName = (text: string): boolean => coreRegistry.mayName(parseAttrPath(text) ?? { name: '' });
    const paths = [
      'nonsense',
      `${userUrn}:nonsense`,
      enterpriseUserUrn,
      'urn:example:2.0:User:userName',
      'urn:example:a',
    ];
    expect(paths.map(mayName)).toEqual([true, true, true, false, false]);
  });

  it('has the schema of each resource type by its exact name', () => {
    expect(coreRegistry.resourceSchema('User').type).toBe(userResourceType);
    expect(() => coreRegistry.resourceSchema('user')).toThrow(new Error('Unknown resource type user'));
  });

  it('cannot be made with a resource type whose schemas it does not have', () => {
    expect(() => new SchemaRegistry([groupSchema], [userResourceType])).toThrow(
      new Error(`Unknown schema ${enterpriseUserUrn}`),
    );
    expect(() => new SchemaRegistry([userSchema], [groupResourceType])).toThrow(
      new Error(`Unknown schema ${groupUrn}`),
    );
  });
});

describe('an attribute of an extension named without its URN', () => {
  const find = (text: string, schema: ResourceSchema = users): unknown => {
    const path = parseAttrPath(text);
    const target = path && schema.resolveUnqualified(path);
    return target && [target.extension?.id, target.attribute.name, target.subAttribute?.name];
  };

  it('is found in the extension that has it, with a sub-attribute or without', () => {
    expect(find('Manager')).toEqual([enterpriseUserUrn, 'manager', undefined]);
    expect(find('manager.value')).toEqual([enterpriseUserUrn, 'manager', 'value']);
  });

  it('is not found where no extension has it, it has no such sub-attribute, or a URN says otherwise', () => {
    expect([find('userName'), find('manager.other'), find('manager', groups)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(find(`${userUrn}:manager`)).toBeUndefined();
  });
});
