import type { Examples } from '../http/scim-docs.js';
import { enterpriseUserUrn, messageUrn, userUrn } from '../scim/index.js';

const patch = (...Operations: object[]): object => ({ schemas: [messageUrn.patchOp], Operations });

const attributes = {
  externalId: '00ujl29u0le5T6Aj10h7',
  userName: 'test.user@okta.local',
  name: { familyName: 'User', givenName: 'Test' },
  displayName: 'Test User',
  locale: 'en-US',
  active: true,
  emails: [{ value: 'test.user@okta.local', type: 'work', primary: true }],
};

/** A user as it is answered with. */
export const userExample = {
  schemas: [userUrn],
  id: '019aaf3c-6b5e-7cc1-a4ad-0f8d8e5f0a11',
  ...attributes,
  meta: {
    resourceType: 'User',
    created: '2026-11-23T09:30:00.000Z',
    lastModified: '2026-11-23T09:30:00.000Z',
    location: 'http://localhost:3000/scim/v2/Users/019aaf3c-6b5e-7cc1-a4ad-0f8d8e5f0a11',
    version: 'W/"1"',
  },
};

/** Bodies of POST. */
export const createUserExamples: Examples = {
  okta: {
    summary: 'As Okta sends it',
    value: { schemas: [userUrn], ...attributes, groups: [], password: '1mz050nq' },
  },
  entra: {
    summary: 'As Microsoft Entra ID sends it',
    value: {
      schemas: [userUrn, enterpriseUserUrn],
      externalId: '58342554-38d6-4ec8-948c-50044d0a33fd',
      userName: 'jordan@contoso.example',
      active: true,
      displayName: 'Jordan Lee',
      emails: [{ primary: true, type: 'work', value: 'jordan@contoso.example' }],
      meta: { resourceType: 'User' },
      name: { formatted: 'Jordan Lee', familyName: 'Lee', givenName: 'Jordan' },
      roles: [],
      [enterpriseUserUrn]: { department: 'Sales' },
    },
  },
};

/** Bodies of PUT. */
export const replaceUserExamples: Examples = {
  okta: {
    summary: 'As Okta sends it: everything it read, changed',
    value: { ...userExample, displayName: 'Test U. User', groups: [] },
  },
};

/** Bodies of PATCH. */
export const patchUserExamples: Examples = {
  deactivate: { summary: 'Okta deactivates', value: patch({ op: 'replace', value: { active: false } }) },
  deactivateEntra: {
    summary: 'Entra ID deactivates',
    value: patch({ op: 'Replace', path: 'active', value: 'False' }),
  },
  password: { summary: 'Okta sets a password', value: patch({ op: 'replace', value: { password: '7ga3kq0z' } }) },
  entra: {
    summary: 'Entra ID updates',
    value: patch(
      { op: 'replace', path: 'emails[type eq "work"].value', value: 'jordan.lee@contoso.example' },
      {
        op: 'replace',
        value: {
          displayName: 'Jordan P. Lee',
          'name.givenName': 'Jordan',
          [`${enterpriseUserUrn}:department`]: 'Marketing',
        },
      },
    ),
  },
};

/** An answer to a list. */
export const userListExample = {
  schemas: [messageUrn.listResponse],
  totalResults: 1,
  startIndex: 1,
  itemsPerPage: 1,
  Resources: [userExample],
};
