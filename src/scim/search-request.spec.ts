import { describe, expect, it } from '@jest/globals';
import type { JsonValue } from './resource.js';
import { profiles } from './profile.js';
import { readSearchRequest } from './search-request.js';

const schemas = ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'];
const read = (body: JsonValue, profile = profiles.default) => readSearchRequest(body, profile);

describe('SearchRequest (RFC 7644 section 3.4.3)', () => {
  it('reads every member, whatever the case of its name', () => {
    expect(
      read({
        SCHEMAS: schemas,
        Attributes: ['userName'],
        excludedAttributes: ['emails'],
        FILTER: 'userName pr',
        sortBy: 'userName',
        sortOrder: 'descending',
        startIndex: 3,
        count: 10,
        cursor: '',
        other: 'ignored',
      }),
    ).toEqual({
      attributes: ['userName'],
      excludedAttributes: ['emails'],
      filter: 'userName pr',
      sortBy: 'userName',
      sortOrder: 'descending',
      startIndex: 3,
      count: 10,
      cursor: '',
    });
  });

  it('takes null and [] as absent', () => {
    expect(read({ schemas, filter: null, attributes: [], count: null })).toEqual({});
  });

  it('reads attributes as one string with commas where the profile tolerates it', () => {
    expect(read({ schemas, attributes: 'userName,emails' })).toEqual({ attributes: ['userName', 'emails'] });
    expect(() => read({ schemas, attributes: 'userName,emails' }, profiles.strict)).toThrow(
      expect.objectContaining({ row: 'invalidValue' }),
    );
  });

  it('infers schemas where the profile tolerates it', () => {
    expect(read({ filter: 'id pr' })).toEqual({ filter: 'id pr' });
    expect(() => read({ filter: 'id pr' }, profiles.strict)).toThrow(expect.objectContaining({ row: 'invalidSyntax' }));
  });

  it.each<[string, JsonValue, string]>([
    ['a body that is no object', [], 'invalidSyntax'],
    ['another message', { schemas: ['urn:example:other'] }, 'invalidSyntax'],
    ['schemas that are no array', { schemas: 'urn:ietf:params:scim:api:messages:2.0:SearchRequest' }, 'invalidSyntax'],
    ['schemas that hold a number', { schemas: [1] }, 'invalidSyntax'],
    ['a filter that is no string', { schemas, filter: 1 }, 'invalidValue'],
    ['a count that is no number', { schemas, count: '10' }, 'invalidValue'],
    ['attributes that are no array', { schemas, attributes: true }, 'invalidValue'],
    ['attributes that hold a number', { schemas, attributes: ['userName', 1] }, 'invalidValue'],
  ])('refuses %s', (_, body, row) => {
    expect(() => read(body)).toThrow(expect.objectContaining({ row }));
  });
});
