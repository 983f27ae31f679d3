import type { JsonObject } from '../resource.js';
import { attribute, type Attribute, type ResourceType, type Schema } from './schema.js';

/** URNs of the schemas of the discovery resources (RFC 7643 sections 5, 6 and 7). */
export const discoveryUrn = {
  serviceProviderConfig: 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig',
  resourceType: 'urn:ietf:params:scim:schemas:core:2.0:ResourceType',
  schema: 'urn:ietf:params:scim:schemas:core:2.0:Schema',
} as const;

const readOnly = (name: string, description: string, more: Partial<Attribute> = {}): Attribute =>
  attribute({ name, description, mutability: 'readOnly', ...more });

const supported = readOnly('supported', 'Whether the operation is supported.', { type: 'boolean', required: true });

const feature = (name: string, description: string, more: readonly Attribute[] = []): Attribute =>
  readOnly(name, description, { type: 'complex', required: true, subAttributes: [supported, ...more] });

const integer = (name: string, description: string): Attribute =>
  readOnly(name, description, { type: 'integer', required: true });

/** The ServiceProviderConfig schema (RFC 7643 sections 5 and 8.7.2). */
export const serviceProviderConfigSchema: Schema = {
  id: discoveryUrn.serviceProviderConfig,
  name: 'Service Provider Configuration',
  description: "Schema for representing the service provider's configuration",
  attributes: [
    readOnly('documentationUri', 'The URL of the human-readable documentation.', {
      type: 'reference',
      caseExact: true,
      referenceTypes: ['external'],
    }),
    feature('patch', 'PATCH configuration options.'),
    feature('bulk', 'Bulk configuration options.', [
      integer('maxOperations', 'The largest number of operations.'),
      integer('maxPayloadSize', 'The largest payload size in bytes.'),
    ]),
    feature('filter', 'FILTER options.', [integer('maxResults', 'The largest number of resources in a response.')]),
    feature('changePassword', 'Configuration options related to changing a password.'),
    feature('sort', 'Sort result options.'),
    feature('etag', 'ETag configuration options.'),
    // RFC 9865 section 3.
    readOnly('pagination', 'Pagination configuration options.', {
      type: 'complex',
      subAttributes: [
        readOnly('cursor', 'Whether cursor-based pagination is supported.', { type: 'boolean', required: true }),
        readOnly('index', 'Whether index-based pagination is supported.', { type: 'boolean', required: true }),
        readOnly('defaultPaginationMethod', 'The method used when the client names none.', {
          canonicalValues: ['cursor', 'index'],
        }),
        readOnly('defaultPageSize', 'The page size when the client gives none.', { type: 'integer' }),
        readOnly('maxPageSize', 'The largest page size.', { type: 'integer' }),
        readOnly('cursorTimeout', 'How many seconds a cursor can be used.', { type: 'integer' }),
      ],
    }),
    readOnly('authenticationSchemes', 'The supported authentication schemes.', {
      type: 'complex',
      multiValued: true,
      required: true,
      subAttributes: [
        // REQUIRED by RFC 7643 section 5 although the JSON of section 8.7.2 leaves it out.
        readOnly('type', 'The authentication scheme.', {
          required: true,
          canonicalValues: ['oauth', 'oauth2', 'oauthbearertoken', 'httpbasic', 'httpdigest'],
        }),
        readOnly('name', 'The common name of the scheme.', { required: true }),
        readOnly('description', 'A description of the scheme.', { required: true }),
        readOnly('specUri', "The URL of the scheme's specification.", {
          type: 'reference',
          caseExact: true,
          referenceTypes: ['external'],
        }),
        readOnly('documentationUri', "The URL of the scheme's usage documentation.", {
          type: 'reference',
          caseExact: true,
          referenceTypes: ['external'],
        }),
        readOnly('primary', 'Whether this is the preferred scheme.', { type: 'boolean' }),
      ],
    }),
  ],
};

/** The ResourceType schema (RFC 7643 sections 6 and 8.7.2). */
export const resourceTypeSchema: Schema = {
  id: discoveryUrn.resourceType,
  name: 'ResourceType',
  description: 'Specifies the schema that describes a SCIM resource type',
  attributes: [
    readOnly('name', 'The resource type name.', { required: true }),
    readOnly('description', "The resource type's human-readable description."),
    readOnly('endpoint', "The resource type's HTTP-addressable endpoint, relative to the base URL.", {
      type: 'reference',
      caseExact: true,
      required: true,
      referenceTypes: ['uri'],
    }),
    readOnly('schema', "The resource type's base schema URI.", {
      type: 'reference',
      caseExact: true,
      required: true,
      referenceTypes: ['uri'],
    }),
    readOnly('schemaExtensions', "The URIs of the resource type's schema extensions.", {
      type: 'complex',
      multiValued: true,
      subAttributes: [
        readOnly('schema', 'The URI of a schema extension.', {
          type: 'reference',
          caseExact: true,
          required: true,
          referenceTypes: ['uri'],
        }),
        readOnly('required', 'Whether a resource of this type must have the extension.', {
          type: 'boolean',
          required: true,
        }),
      ],
    }),
  ],
};

/** What describes an attribute; `subAttributes` repeats it one level down (RFC 7643 section 7). */
function characteristics(nested: boolean): readonly Attribute[] {
  return [
    readOnly('name', "The attribute's name.", { required: true, caseExact: true }),
    readOnly('type', "The attribute's data type.", {
      required: true,
      canonicalValues: ['string', 'complex', 'boolean', 'decimal', 'integer', 'dateTime', 'reference', 'binary'],
    }),
    readOnly('multiValued', 'Whether the attribute holds several values.', { type: 'boolean', required: true }),
    readOnly('description', 'A human-readable description of the attribute.'),
    readOnly('required', 'Whether the attribute is required.', { type: 'boolean', required: true }),
    readOnly('canonicalValues', 'Suggested values.', { multiValued: true, caseExact: true }),
    readOnly('caseExact', 'Whether a string is compared case-sensitively.', { type: 'boolean' }),
    readOnly('mutability', 'Whether and when the attribute can be modified.', {
      canonicalValues: ['readOnly', 'readWrite', 'immutable', 'writeOnly'],
    }),
    readOnly('returned', 'When the attribute is returned.', {
      canonicalValues: ['always', 'never', 'default', 'request'],
    }),
    readOnly('uniqueness', 'How unique a value must be.', { canonicalValues: ['none', 'server', 'global'] }),
    readOnly('referenceTypes', 'What a reference may refer to.', { multiValued: true, caseExact: true }),
    ...(nested
      ? [
          readOnly('subAttributes', 'The sub-attributes of a complex attribute.', {
            type: 'complex',
            multiValued: true,
            subAttributes: characteristics(false),
          }),
        ]
      : []),
  ];
}

/** The Schema schema (RFC 7643 sections 7 and 8.7.2). */
export const schemaSchema: Schema = {
  id: discoveryUrn.schema,
  name: 'Schema',
  description: 'Specifies the schema that describes a SCIM schema',
  attributes: [
    readOnly('name', "The schema's human-readable name."),
    readOnly('description', "The schema's human-readable description."),
    readOnly('attributes', 'The attributes of the schema.', {
      type: 'complex',
      multiValued: true,
      required: true,
      subAttributes: characteristics(true),
    }),
  ],
};

/** Writes an attribute definition as JSON, without the properties that do not apply (RFC 7643 section 7). */
function attributeJson(definition: Attribute): JsonObject {
  return {
    name: definition.name,
    type: definition.type,
    ...(definition.subAttributes ? { subAttributes: definition.subAttributes.map(attributeJson) } : {}),
    multiValued: definition.multiValued,
    description: definition.description,
    required: definition.required,
    ...(definition.canonicalValues ? { canonicalValues: [...definition.canonicalValues] } : {}),
    caseExact: definition.caseExact,
    mutability: definition.mutability,
    returned: definition.returned,
    uniqueness: definition.uniqueness,
    ...(definition.referenceTypes ? { referenceTypes: [...definition.referenceTypes] } : {}),
  };
}

/**
 * Writes a schema as its discovery resource (RFC 7643 section 7).
 * @param baseUrl the SCIM base URL, without a trailing slash
 */
export function schemaResource(schema: Schema, baseUrl: string): JsonObject {
  return {
    schemas: [discoveryUrn.schema],
    id: schema.id,
    name: schema.name,
    description: schema.description,
    attributes: schema.attributes.map(attributeJson),
    meta: { resourceType: 'Schema', location: `${baseUrl}/Schemas/${schema.id}` },
  };
}

/**
 * Writes a resource type as its discovery resource (RFC 7643 section 6).
 * @param baseUrl the SCIM base URL, without a trailing slash
 */
export function resourceTypeResource(type: ResourceType, baseUrl: string): JsonObject {
  return {
    schemas: [discoveryUrn.resourceType],
    id: type.name,
    name: type.name,
    description: type.description,
    endpoint: type.endpoint,
    schema: type.schema,
    ...(type.schemaExtensions.length > 0
      ? { schemaExtensions: type.schemaExtensions.map((extension) => ({ ...extension })) }
      : {}),
    meta: { resourceType: 'ResourceType', location: `${baseUrl}/ResourceTypes/${type.name}` },
  };
}
