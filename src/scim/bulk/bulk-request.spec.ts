import { describe, expect, it } from '@jest/globals';
import type { ScimError } from '../errors.js';
import { limits } from '../limits.js';
import { profiles } from '../profile.js';
import type { JsonObject, JsonValue } from '../resource.js';
import { readBulkRequest } from './bulk-request.js';

const schemas = ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'];
const read = (body: JsonValue, profile = profiles.default) => readBulkRequest(body, profile);
const one = (operation: JsonValue) => read({ schemas, Operations: [operation] }).operations[0];
const detailOf = (error: ScimError | undefined): string | undefined => error?.detail;

describe('BulkRequest (RFC 7644 section 3.7)', () => {
  it('reads operations, with the method in any case and names in any case', () => {
    expect(
      read({
        schemas,
        failOnErrors: 3,
        operations: [
          { Method: 'post', path: '/Users', bulkId: 'a', data: { userName: 'x' } },
          { method: 'DELETE', path: '/Users/1', version: 'W/"1"' },
        ],
      }),
    ).toEqual({
      failOnErrors: 3,
      operations: [
        { method: 'POST', path: '/Users', bulkId: 'a', data: { userName: 'x' } },
        { method: 'DELETE', path: '/Users/1', version: 'W/"1"' },
      ],
    });
  });

  it.each<[string, JsonValue, string]>([
    ['that is no object', 'x', 'Operations[0] must be an object.'],
    [
      'with an unknown method',
      { method: 'GET', path: '/Users' },
      'Operations[0].method must be POST, PUT, PATCH or DELETE, not "GET".',
    ],
    ['without a method', { path: '/Users' }, 'Operations[0].method must be POST, PUT, PATCH or DELETE, not "null".'],
    ['without a path', { method: 'DELETE' }, 'Operations[0].path must be a string.'],
    [
      'with a bulkId that is no string',
      { method: 'POST', path: '/Users', bulkId: 1, data: {} },
      'Operations[0].bulkId must be a string.',
    ],
    [
      'POST without a bulkId',
      { method: 'POST', path: '/Users', data: {} },
      'Operations[0] has no bulkId; POST needs one.',
    ],
    [
      'POST with an empty bulkId',
      { method: 'POST', path: '/Users', bulkId: '', data: {} },
      'Operations[0] has no bulkId; POST needs one.',
    ],
    [
      'with a version that is no string',
      { method: 'DELETE', path: '/Users/1', version: 1 },
      'Operations[0].version must be a string.',
    ],
    ['PATCH without data', { method: 'PATCH', path: '/Users/1' }, 'Operations[0] has no data; PATCH needs it.'],
  ])('gives an operation %s an error of its own', (_, operation, detail) => {
    const read = one(operation);
    expect([read?.error?.row, detailOf(read?.error)]).toEqual(['invalidSyntax', detail]);
  });

  it.each<[string, JsonObject, string]>([
    ['a string', { version: 'a\0' }, 'invalidValue'],
    ['a key', { data: { '\ud800': 1 } }, 'invalidSyntax'],
  ])('gives an operation with %s that cannot be stored an error of its own', (_, more, row) => {
    const read = one({ method: 'POST', path: '/Users', bulkId: 'a', data: {}, ...more });
    expect([read?.bulkId, read?.error?.row]).toEqual(['a', row]);
  });

  it('keeps what a faulty operation can be answered with', () => {
    expect(one({ method: 'fetch', path: 5, bulkId: 'a' })).toMatchObject({ method: 'fetch', path: '', bulkId: 'a' });
  });

  it.each<[string, JsonValue, string]>([
    ['no object', null, 'invalidSyntax'],
    ['another message', { schemas: ['urn:example:other'], Operations: [{}] }, 'invalidSyntax'],
    ['no operations', { schemas }, 'invalidSyntax'],
    ['an empty list of operations', { schemas, Operations: [] }, 'invalidSyntax'],
    ['failOnErrors of 0', { schemas, failOnErrors: 0, Operations: [{}] }, 'invalidValue'],
    ['failOnErrors with a fraction', { schemas, failOnErrors: 1.5, Operations: [{}] }, 'invalidValue'],
    ['a key beside the operations that cannot be stored', { schemas, 'a\0': 1, Operations: [{}] }, 'invalidSyntax'],
    ['a string beside the operations that cannot be stored', { schemas, a: '\0', Operations: [{}] }, 'invalidValue'],
    ['a bulkId twice', { schemas, Operations: [{ bulkId: 'a' }, { bulkId: 'a' }] }, 'invalidSyntax'],
    [
      'too many operations',
      { schemas, Operations: Array(limits.bulkOperations + 1).fill({}) as JsonValue[] },
      'payloadTooLarge',
    ],
  ])('refuses a request with %s', (_, body, row) => {
    expect(() => read(body)).toThrow(expect.objectContaining({ row }));
  });

  it('refuses more operations than it may hold here', () => {
    const body = { schemas, Operations: [{}, {}] };
    expect(() => readBulkRequest(body, profiles.default, 1)).toThrow(
      'A bulk request may hold maxOperations = 1 operations; this one has 2.',
    );
    expect(readBulkRequest(body, profiles.default, 2).operations).toHaveLength(2);
  });

  it('infers schemas where the profile tolerates it', () => {
    expect(read({ Operations: [{}] }).operations).toHaveLength(1);
    expect(() => read({ Operations: [{}] }, profiles.strict)).toThrow(
      expect.objectContaining({ row: 'invalidSyntax' }),
    );
  });
});
