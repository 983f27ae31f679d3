import { attribute, type Schema } from './schema.js';

/** The URN of the Enterprise User extension (RFC 7643 section 4.3). */
export const enterpriseUserUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

/** The Enterprise User extension (RFC 7643 sections 4.3 and 8.7.1). */
export const enterpriseUserSchema: Schema = {
  id: enterpriseUserUrn,
  name: 'EnterpriseUser',
  description: 'Enterprise User',
  attributes: [
    attribute({ name: 'employeeNumber', description: 'The number that the organization assigned to the person.' }),
    attribute({ name: 'costCenter', description: 'The name of a cost center.' }),
    attribute({ name: 'organization', description: 'The name of an organization.' }),
    attribute({ name: 'division', description: 'The name of a division.' }),
    attribute({ name: 'department', description: 'The name of a department.' }),
    attribute({
      name: 'manager',
      type: 'complex',
      description: "The user's manager.",
      subAttributes: [
        attribute({ name: 'value', caseExact: true, description: "The id of the manager's User resource." }),
        attribute({
          name: '$ref',
          type: 'reference',
          caseExact: true,
          referenceTypes: ['User'],
          description: "The URI of the manager's User resource.",
        }),
        attribute({ name: 'displayName', mutability: 'readOnly', description: "The manager's displayName." }),
      ],
    }),
  ],
};
