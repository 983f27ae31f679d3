import { describe, expect, it } from '@jest/globals';
import { isJsonObject, textOf, type JsonObject, type JsonValue } from '../resource.js';
import { coreRegistry, groupResourceType, userResourceType } from './core.js';
import { discoveryUrn, resourceTypeResource, schemaResource, schemaSchema } from './discovery.js';
import { enterpriseUserUrn } from './enterprise-user.js';
import { groupSchema, groupUrn } from './group.js';
import type { Attribute } from './schema.js';
import { userUrn } from './user.js';

const baseUrl = 'https://scim.example.com/scim/v2';

const published = coreRegistry.schemas.map((schema) => schemaResource(schema, baseUrl));

const objects = (value: JsonValue | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isJsonObject) : [];

/** Every attribute that a schema publishes, with its sub-attributes, by its path. */
function attributesOf(holder: JsonObject, prefix = ''): Map<string, JsonObject> {
  const found = new Map<string, JsonObject>();
  for (const definition of [...objects(holder['attributes']), ...objects(holder['subAttributes'])]) {
    const path = `${prefix}${textOf(definition, 'name')}`;
    found.set(path, definition);
    for (const [subPath, sub] of attributesOf(definition, `${path}.`)) found.set(subPath, sub);
  }
  return found;
}

/** What an attribute's definition says beyond the defaults of RFC 7643 section 2.2, such as `complex[] readOnly`. */
function characteristics(definition: JsonObject): string {
  const list = (name: string): string[] => (definition[name] as string[] | undefined) ?? [];
  return [
    `${textOf(definition, 'type')}${definition['multiValued'] === true ? '[]' : ''}`,
    ...(definition['required'] === true ? ['required'] : []),
    ...(definition['caseExact'] === true ? ['caseExact'] : []),
    ...['mutability', 'returned', 'uniqueness']
      .map((name) => textOf(definition, name))
      .filter((value) => !['readWrite', 'default', 'none'].includes(value)),
    ...[list('canonicalValues'), list('referenceTypes')]
      .map((values) => values.join('|'))
      .filter((text) => text !== ''),
  ].join(' ');
}

const plural = (name: string, value: string, type: string): Record<string, string> => ({
  [name]: 'complex[]',
  [`${name}.value`]: value,
  [`${name}.display`]: 'string',
  [`${name}.type`]: type,
  [`${name}.primary`]: 'boolean',
});

const strings = (prefix: string, names: string): Record<string, string> =>
  Object.fromEntries(names.split(' ').map((name) => [`${prefix}${name}`, 'string']));

/**
 * RFC 7643 section 8.7.1, and where it differs: caseExact holds for URIs, ids, binary values and the password, which have no
 * other way to be compared; addresses.primary is what section 8.2 shows; a Group's displayName is REQUIRED and members have a
 * type and a display by section 4.2; groups refer to groups by section 4.1.2.
 */
const expected: Record<string, Record<string, string>> = {
  [userUrn]: {
    userName: 'string required server',
    name: 'complex',
    ...strings('name.', 'formatted familyName givenName middleName honorificPrefix honorificSuffix'),
    ...strings('', 'displayName nickName'),
    profileUrl: 'reference caseExact external',
    ...strings('', 'title userType preferredLanguage locale timezone'),
    active: 'boolean',
    password: 'string caseExact writeOnly never',
    ...plural('emails', 'string', 'string work|home|other'),
    ...plural('phoneNumbers', 'string', 'string work|home|mobile|fax|pager|other'),
    ...plural('ims', 'string', 'string aim|gtalk|icq|xmpp|msn|skype|qq|yahoo'),
    ...plural('photos', 'reference caseExact external', 'string photo|thumbnail'),
    addresses: 'complex[]',
    ...strings('addresses.', 'formatted streetAddress locality region postalCode country'),
    'addresses.type': 'string work|home|other',
    'addresses.primary': 'boolean',
    groups: 'complex[] readOnly',
    'groups.value': 'string caseExact readOnly',
    'groups.$ref': 'reference caseExact readOnly Group',
    'groups.display': 'string readOnly',
    'groups.type': 'string readOnly direct|indirect',
    ...plural('entitlements', 'string', 'string'),
    ...plural('roles', 'string', 'string'),
    ...plural('x509Certificates', 'binary caseExact', 'string'),
  },
  [groupUrn]: {
    displayName: 'string required',
    members: 'complex[]',
    'members.value': 'string caseExact immutable',
    'members.$ref': 'reference caseExact immutable User|Group',
    'members.type': 'string immutable User|Group',
    'members.display': 'string readOnly',
  },
  [enterpriseUserUrn]: {
    ...strings('', 'employeeNumber costCenter organization division department'),
    manager: 'complex',
    'manager.value': 'string caseExact',
    'manager.$ref': 'reference caseExact User',
    'manager.displayName': 'string readOnly',
  },
  // RFC 7643 section 8.7.2, with the type of an authentication scheme that section 5 requires, and RFC 9865 section 3.
  [discoveryUrn.serviceProviderConfig]: {
    documentationUri: 'reference caseExact readOnly external',
    ...Object.fromEntries(
      ['patch', 'bulk', 'filter', 'changePassword', 'sort', 'etag'].flatMap((name) => [
        [name, 'complex required readOnly'],
        [`${name}.supported`, 'boolean required readOnly'],
      ]),
    ),
    'bulk.maxOperations': 'integer required readOnly',
    'bulk.maxPayloadSize': 'integer required readOnly',
    'filter.maxResults': 'integer required readOnly',
    pagination: 'complex readOnly',
    'pagination.cursor': 'boolean required readOnly',
    'pagination.index': 'boolean required readOnly',
    'pagination.defaultPaginationMethod': 'string readOnly cursor|index',
    'pagination.defaultPageSize': 'integer readOnly',
    'pagination.maxPageSize': 'integer readOnly',
    'pagination.cursorTimeout': 'integer readOnly',
    authenticationSchemes: 'complex[] required readOnly',
    'authenticationSchemes.type': 'string required readOnly oauth|oauth2|oauthbearertoken|httpbasic|httpdigest',
    'authenticationSchemes.name': 'string required readOnly',
    'authenticationSchemes.description': 'string required readOnly',
    'authenticationSchemes.specUri': 'reference caseExact readOnly external',
    'authenticationSchemes.documentationUri': 'reference caseExact readOnly external',
    'authenticationSchemes.primary': 'boolean readOnly',
  },
  [discoveryUrn.resourceType]: {
    name: 'string required readOnly',
    description: 'string readOnly',
    endpoint: 'reference required caseExact readOnly uri',
    schema: 'reference required caseExact readOnly uri',
    schemaExtensions: 'complex[] readOnly',
    'schemaExtensions.schema': 'reference required caseExact readOnly uri',
    'schemaExtensions.required': 'boolean required readOnly',
  },
  [discoveryUrn.schema]: {
    name: 'string readOnly',
    description: 'string readOnly',
    attributes: 'complex[] required readOnly',
    ...Object.fromEntries(
      ['attributes.', 'attributes.subAttributes.'].flatMap((prefix) => [
        [`${prefix}name`, 'string required caseExact readOnly'],
        [`${prefix}type`, 'string required readOnly string|complex|boolean|decimal|integer|dateTime|reference|binary'],
        [`${prefix}multiValued`, 'boolean required readOnly'],
        [`${prefix}description`, 'string readOnly'],
        [`${prefix}required`, 'boolean required readOnly'],
        [`${prefix}canonicalValues`, 'string[] caseExact readOnly'],
        [`${prefix}caseExact`, 'boolean readOnly'],
        [`${prefix}mutability`, 'string readOnly readOnly|readWrite|immutable|writeOnly'],
        [`${prefix}returned`, 'string readOnly always|never|default|request'],
        [`${prefix}uniqueness`, 'string readOnly none|server|global'],
        [`${prefix}referenceTypes`, 'string[] caseExact readOnly'],
      ]),
    ),
    'attributes.subAttributes': 'complex[] readOnly',
  },
};

describe('published schemas (RFC 7643 sections 7 and 8.7)', () => {
  it.each(published)('of $id have the attributes and characteristics that the RFC gives them', (schema) => {
    const found = [...attributesOf(schema)].map(([path, definition]) => [path, characteristics(definition)]);
    expect(Object.fromEntries(found)).toEqual(expected[textOf(schema, 'id')]);
  });

  it.each([
    [userUrn, 'User', 'User Account'],
    [groupUrn, 'Group', 'Group'],
    [enterpriseUserUrn, 'EnterpriseUser', 'Enterprise User'],
    [
      discoveryUrn.serviceProviderConfig,
      'Service Provider Configuration',
      "Schema for representing the service provider's configuration",
    ],
    [discoveryUrn.resourceType, 'ResourceType', 'Specifies the schema that describes a SCIM resource type'],
    [discoveryUrn.schema, 'Schema', 'Specifies the schema that describes a SCIM schema'],
  ])('%s are resources of the type Schema, called %s', (id, name, description) => {
    const { attributes, ...rest } = published.find((schema) => schema['id'] === id) ?? {};
    expect(Array.isArray(attributes)).toBe(true);
    expect(rest).toEqual({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'],
      id,
      name,
      description,
      meta: { resourceType: 'Schema', location: `${baseUrl}/Schemas/${id}` },
    });
  });

  it.each(published)('of $id describe each attribute with the properties that apply to it, and no null', (schema) => {
    const common = 'name type multiValued description required caseExact mutability returned uniqueness'.split(' ');
    const allowed = new Set([...common, 'canonicalValues', 'referenceTypes', 'subAttributes']);
    for (const [path, definition] of attributesOf(schema)) {
      const keys = Object.keys(definition);
      expect({ path, missing: common.filter((key) => !keys.includes(key)) }).toEqual({ path, missing: [] });
      expect({ path, unknown: keys.filter((key) => !allowed.has(key)) }).toEqual({ path, unknown: [] });
      const isComplex = definition['type'] === 'complex';
      const isReference = definition['type'] === 'reference';
      expect({ path, has: 'subAttributes' in definition }).toEqual({ path, has: isComplex });
      expect({ path, has: 'referenceTypes' in definition }).toEqual({ path, has: isReference });
      expect(definition['description']).toMatch(/^[A-Z].*\.$/);
    }
    expect(JSON.stringify(schema)).not.toContain('null');
  });

  it('say nothing of how values are prepared, stored or linked', () => {
    const text = JSON.stringify(published);
    expect(['precis', 'linksTo', 'isIndexed'].filter((name) => text.includes(name))).toEqual([]);
  });

  it('hold only what the Schema schema describes, which itself goes one level deeper', () => {
    const undescribed = (attributes: readonly Attribute[] | undefined, value: JsonObject, path: string): string[] =>
      Object.entries(value).flatMap(([name, item]) => {
        const definition = attributes?.find((attribute) => attribute.name === name);
        if (!definition) return [`${path}${name}`];
        return objects(item).flatMap((element) => undescribed(definition.subAttributes, element, `${path}${name}.`));
      });
    const found = published.map(({ schemas: _schemas, meta: _meta, id, ...own }): [id: unknown, paths: string[]] => [
      id,
      undescribed(schemaSchema.attributes, own, ''),
    ]);
    expect(found.filter(([, paths]) => paths.length > 0)).toEqual([
      [discoveryUrn.schema, ['attributes.subAttributes.subAttributes']],
    ]);
  });

  it('are complete JSON: the Group schema', () => {
    const defaults = { multiValued: false, required: false, caseExact: false, returned: 'default', uniqueness: 'none' };
    const sub = { ...defaults, caseExact: true, mutability: 'immutable' };
    expect(schemaResource(groupSchema, baseUrl)).toStrictEqual({
      schemas: [discoveryUrn.schema],
      id: groupUrn,
      name: 'Group',
      description: 'Group',
      attributes: [
        {
          ...defaults,
          name: 'displayName',
          type: 'string',
          description: 'A human-readable name for the group.',
          required: true,
          mutability: 'readWrite',
        },
        {
          ...defaults,
          name: 'members',
          type: 'complex',
          subAttributes: [
            { ...sub, name: 'value', type: 'string', description: "The member's id." },
            {
              ...sub,
              name: '$ref',
              type: 'reference',
              description: "The URI of the member's resource.",
              referenceTypes: ['User', 'Group'],
            },
            {
              ...sub,
              name: 'type',
              type: 'string',
              description: "The member's resource type.",
              canonicalValues: ['User', 'Group'],
              caseExact: false,
            },
            {
              ...defaults,
              name: 'display',
              type: 'string',
              description: "The member's name.",
              mutability: 'readOnly',
            },
          ],
          multiValued: true,
          description: 'The members of the group: users, and groups nested in it.',
          mutability: 'readWrite',
        },
      ],
      meta: { resourceType: 'Schema', location: `${baseUrl}/Schemas/${groupUrn}` },
    });
  });
});

describe('published resource types (RFC 7643 sections 6 and 8.6)', () => {
  it('name the schema and the extensions of users', () => {
    expect(resourceTypeResource(userResourceType, baseUrl)).toStrictEqual({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
      id: 'User',
      name: 'User',
      description: 'User Account',
      endpoint: '/Users',
      schema: 'urn:ietf:params:scim:schemas:core:2.0:User',
      schemaExtensions: [{ schema: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User', required: false }],
      meta: { resourceType: 'ResourceType', location: `${baseUrl}/ResourceTypes/User` },
    });
  });

  it('leave out the extensions of groups, which have none', () => {
    expect(resourceTypeResource(groupResourceType, baseUrl)).toStrictEqual({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
      id: 'Group',
      name: 'Group',
      description: 'Group',
      endpoint: '/Groups',
      schema: 'urn:ietf:params:scim:schemas:core:2.0:Group',
      meta: { resourceType: 'ResourceType', location: `${baseUrl}/ResourceTypes/Group` },
    });
  });
});
