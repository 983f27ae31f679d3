import { attribute, type Attribute } from './schema.js';

const readOnly = { mutability: 'readOnly', caseExact: true } as const;

/**
 * The attributes every resource has beside `meta` (RFC 7643 sections 3 and 3.1). They are not listed in /Schemas, and valid in
 * filters, sorting, projection and paths of every resource type.
 */
export const commonAttributes: readonly Attribute[] = [
  attribute({
    name: 'schemas',
    type: 'reference',
    multiValued: true,
    required: true,
    // URIs of schemas are compared case-insensitively (RFC 8141 section 3.1).
    caseExact: false,
    returned: 'always',
    referenceTypes: ['uri'],
    description: 'The URIs of the schemas present in the resource.',
  }),
  attribute({ name: 'id', ...readOnly, returned: 'always', uniqueness: 'global', description: 'The unique id.' }),
  attribute({
    name: 'externalId',
    caseExact: true,
    isIndexed: true,
    description: "The provisioning client's own identifier.",
  }),
];

/** The `meta` attribute (RFC 7643 section 3.1); it comes last in a representation. */
export const metaAttribute: Attribute = attribute({
  name: 'meta',
  type: 'complex',
  mutability: 'readOnly',
  description: 'Resource metadata.',
  subAttributes: [
    attribute({ name: 'resourceType', ...readOnly, description: 'The name of the resource type.' }),
    attribute({ name: 'created', type: 'dateTime', ...readOnly, description: 'When the resource was created.' }),
    attribute({ name: 'lastModified', type: 'dateTime', ...readOnly, description: 'When it was last changed.' }),
    attribute({ name: 'location', type: 'reference', ...readOnly, description: 'The URI of the resource.' }),
    attribute({ name: 'version', ...readOnly, description: 'The version, equal to the ETag header.' }),
  ],
});
