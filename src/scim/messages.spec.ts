import { describe, expect, it } from '@jest/globals';
import { ScimError } from './errors.js';
import { errorMessage, listResponse, messageUrn } from './messages.js';

describe('messageUrn', () => {
  it('names the messages as RFC 7644 section 8.2 registers them', () => {
    const prefix = 'urn:ietf:params:scim:api:messages:2.0:';
    expect(messageUrn).toEqual({
      error: `${prefix}Error`,
      listResponse: `${prefix}ListResponse`,
      patchOp: `${prefix}PatchOp`,
      bulkRequest: `${prefix}BulkRequest`,
      bulkResponse: `${prefix}BulkResponse`,
      searchRequest: `${prefix}SearchRequest`,
    });
  });
});

describe('errorMessage (RFC 7644 section 3.12)', () => {
  it('has the status as a string, and the scimType when there is one', () => {
    expect(errorMessage(new ScimError('uniqueness', 'Another user has this userName.'))).toStrictEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '409',
      scimType: 'uniqueness',
      detail: 'Another user has this userName.',
    });
  });

  it('has no scimType when there is none, and none of the headers', () => {
    expect(errorMessage(new ScimError('methodNotAllowed', undefined, { Allow: 'GET' }))).toStrictEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '405',
      detail: 'This method is not allowed here.',
    });
  });
});

describe('listResponse (RFC 7644 section 3.4.2)', () => {
  it('counts the resources of the page as itemsPerPage', () => {
    expect(listResponse([{ id: '1' }, { id: '2' }], 7, 3)).toStrictEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: 7,
      startIndex: 3,
      itemsPerPage: 2,
      Resources: [{ id: '1' }, { id: '2' }],
    });
  });

  it('has Resources also when there are none', () => {
    expect(listResponse([], 0, 1)).toStrictEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: 0,
      startIndex: 1,
      itemsPerPage: 0,
      Resources: [],
    });
  });
});
