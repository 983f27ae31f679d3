import type { Examples } from '../http/scim-docs.js';
import { groupUrn, messageUrn, userUrn } from '../scim/index.js';

/** Bodies of POST /Bulk. */
export const bulkExamples: Examples = {
  group: {
    summary: 'A user and a group with this user',
    value: {
      schemas: [messageUrn.bulkRequest],
      failOnErrors: 1,
      Operations: [
        {
          method: 'POST',
          path: '/Users',
          bulkId: 'ytrewq',
          data: { schemas: [userUrn], userName: 'alice@example.com' },
        },
        {
          method: 'POST',
          path: '/Groups',
          bulkId: 'qwerty',
          data: {
            schemas: [groupUrn],
            displayName: 'Tour Guides',
            members: [{ type: 'User', value: 'bulkId:ytrewq' }],
          },
        },
      ],
    },
  },
};

const location = 'http://localhost:3000/scim/v2';

/** An answer to a bulk request. */
export const bulkResponseExample = {
  schemas: [messageUrn.bulkResponse],
  Operations: [
    {
      method: 'POST',
      bulkId: 'ytrewq',
      version: 'W/"1"',
      location: `${location}/Users/019aaf3c-6b5e-7cc1-a4ad-0f8d8e5f0a11`,
      status: '201',
    },
    {
      method: 'POST',
      bulkId: 'qwerty',
      version: 'W/"1"',
      location: `${location}/Groups/019aaf3d-0c7a-7d10-8f55-3a6c5d1b2e22`,
      status: '201',
    },
  ],
};
