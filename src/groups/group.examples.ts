import type { Examples } from '../http/scim-docs.js';
import { groupUrn, messageUrn } from '../scim/index.js';

const groupId = '019aaf3d-0c7a-7d10-8f55-3a6c5d1b2e22';
const userId = '019aaf3c-6b5e-7cc1-a4ad-0f8d8e5f0a11';

const patch = (...Operations: object[]): object => ({ schemas: [messageUrn.patchOp], Operations });

/** A group as it is answered with. */
export const groupExample = {
  schemas: [groupUrn],
  id: groupId,
  displayName: 'Test SCIMv2',
  members: [
    {
      value: userId,
      $ref: `http://localhost:3000/scim/v2/Users/${userId}`,
      type: 'User',
      display: 'Test User',
    },
  ],
  meta: {
    resourceType: 'Group',
    created: '2026-11-23T09:31:00.000Z',
    lastModified: '2026-11-23T09:31:00.000Z',
    location: `http://localhost:3000/scim/v2/Groups/${groupId}`,
    version: 'W/"1"',
  },
};

/** Bodies of POST. */
export const createGroupExamples: Examples = {
  okta: {
    summary: 'As Okta sends it',
    value: { schemas: [groupUrn], displayName: 'Test SCIMv2', members: [] },
  },
  entra: {
    summary: 'As Microsoft Entra ID sends it',
    value: {
      schemas: [groupUrn, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'],
      externalId: '8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159',
      displayName: 'Sales',
      meta: { resourceType: 'Group' },
    },
  },
};

/** Bodies of PUT. */
export const replaceGroupExamples: Examples = {
  okta: {
    summary: 'As Okta sends it: with the complete list of members',
    value: {
      schemas: [groupUrn],
      displayName: 'Test SCIMv2',
      members: [{ value: userId, display: 'test.user@okta.local' }],
    },
  },
};

/** Bodies of PATCH. */
export const patchGroupExamples: Examples = {
  add: {
    summary: 'Okta adds a member',
    value: patch({ op: 'add', path: 'members', value: [{ value: userId, display: 'test.user@okta.local' }] }),
  },
  remove: { summary: 'Okta removes a member', value: patch({ op: 'remove', path: `members[value eq "${userId}"]` }) },
  removeEntra: {
    summary: 'Entra ID removes a member: only those listed go',
    value: patch({ op: 'Remove', path: 'members', value: [{ $ref: null, value: userId }] }),
  },
  replaceAll: {
    summary: 'Okta pushes all members',
    value: patch({ op: 'replace', path: 'members', value: [{ value: userId }] }),
  },
  rename: {
    summary: 'Okta renames the group',
    value: patch({ op: 'replace', value: { id: groupId, displayName: 'Test SCIMv2 renamed' } }),
  },
};

/** An answer to a list. */
export const groupListExample = {
  schemas: [messageUrn.listResponse],
  totalResults: 1,
  startIndex: 1,
  itemsPerPage: 1,
  Resources: [groupExample],
};
