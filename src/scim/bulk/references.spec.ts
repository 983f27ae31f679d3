import { describe, expect, it } from '@jest/globals';
import { referenceOf, referencesIn, resolveReferences, splitWaiting } from './references.js';

const extension = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const ids = new Map([['known', 'id-1']]);

describe('bulkId references (RFC 7644 section 3.7.2)', () => {
  it('are strings that start with "bulkId:"', () => {
    expect([
      referenceOf('bulkId:x'),
      referenceOf('bulkId:'),
      referenceOf('bulkid:x'),
      referenceOf(1),
      referenceOf(undefined),
    ]).toEqual(['x', '', undefined, undefined, undefined]);
  });

  it('are found at any depth', () => {
    const data = {
      members: [{ value: 'bulkId:a' }, { value: 'x' }],
      [extension]: { manager: { value: 'bulkId:b' } },
      n: 1,
    };
    expect([...referencesIn(data)]).toEqual(['a', 'b']);
    expect([...referencesIn(undefined)]).toEqual([]);
  });

  it('are replaced by ids', () => {
    const data = {
      members: [{ value: 'bulkId:known', type: 'User' }],
      displayName: 'Known',
      count: 1,
      gone: undefined,
    };
    expect(resolveReferences(data, ids)).toEqual({
      members: [{ value: 'id-1', type: 'User' }],
      displayName: 'Known',
      count: 1,
      gone: undefined,
    });
  });

  it('take the element they stand in with them when they have no id yet', () => {
    expect(resolveReferences([{ value: 'bulkId:known' }, { value: 'bulkId:new' }], ids)).toEqual([{ value: 'id-1' }]);
    expect(resolveReferences('bulkId:new', ids)).toBeUndefined();
  });

  it('in a circle part a resource into what is written now and what waits', () => {
    const data = {
      displayName: 'A',
      members: [{ value: 'bulkId:known' }, { value: 'bulkId:new' }],
      [extension]: { department: 'D', manager: { value: 'bulkId:new' } },
      dropped: undefined,
    };
    expect(splitWaiting(data, ids)).toEqual({
      now: { displayName: 'A', members: [{ value: 'id-1' }], [extension]: { department: 'D', manager: {} } },
      later: { members: data.members, [extension]: data[extension] },
    });
    expect(splitWaiting({ displayName: 'A', manager: 'bulkId:new' }, ids)).toEqual({
      now: { displayName: 'A' },
      later: { manager: 'bulkId:new' },
    });
  });

  it('leave nothing to wait for when all have an id', () => {
    expect(splitWaiting({ members: [{ value: 'bulkId:known' }] }, ids)).toEqual({
      now: { members: [{ value: 'id-1' }] },
      later: undefined,
    });
  });
});
