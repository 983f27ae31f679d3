import { attribute, type Schema } from './schema.js';

/** The URN of the Group schema (RFC 7643 section 4.2). */
export const groupUrn = 'urn:ietf:params:scim:schemas:core:2.0:Group';

/** The Group schema (RFC 7643 sections 4.2 and 8.7.1); displayName is REQUIRED by section 4.2's text. */
export const groupSchema: Schema = {
  id: groupUrn,
  name: 'Group',
  description: 'Group',
  attributes: [
    attribute({
      name: 'displayName',
      required: true,
      isIndexed: true,
      description: 'A human-readable name for the group.',
    }),
    attribute({
      name: 'members',
      type: 'complex',
      multiValued: true,
      description: 'The members of the group: users, and groups nested in it.',
      linksTo: ['User', 'Group'],
      subAttributes: [
        attribute({ name: 'value', caseExact: true, mutability: 'immutable', description: "The member's id." }),
        attribute({
          name: '$ref',
          type: 'reference',
          caseExact: true,
          mutability: 'immutable',
          referenceTypes: ['User', 'Group'],
          description: "The URI of the member's resource.",
        }),
        attribute({
          name: 'type',
          mutability: 'immutable',
          canonicalValues: ['User', 'Group'],
          description: "The member's resource type.",
        }),
        attribute({ name: 'display', mutability: 'readOnly', description: "The member's name." }),
      ],
    }),
  ],
};
