import { describe, expect, it } from '@jest/globals';
import { badgeSchema } from '../../test/support/custom-schema.js';
import { errorOf, groupSchema, userSchema } from '../../test/support/patching.js';
import { coreRegistry } from './schema/core.js';
import { enterpriseUserSchema, enterpriseUserUrn } from './schema/enterprise-user.js';
import { subAttribute } from './schema/schema.js';
import { userUrn } from './schema/user.js';
import { readSort } from './sort.js';

/** The names of what resources are ordered by, and the direction. */
function read(sortBy: string, sortOrder?: string, schema = userSchema): unknown {
  const sort = readSort(sortBy, sortOrder, schema);
  if (!sort) return undefined;
  const { target, descending } = sort;
  const names = [target.extension?.id, target.attribute.name, target.subAttribute?.name];
  return [...names.filter((name) => name !== undefined), descending ? 'descending' : 'ascending'];
}

describe('readSort (RFC 7644 section 3.4.2.3)', () => {
  it('sorts by nothing without sortBy, whatever sortOrder says', () => {
    expect(readSort(undefined, undefined, userSchema)).toBeUndefined();
    expect(readSort(undefined, 'descending', userSchema)).toBeUndefined();
    expect(readSort(undefined, 'sideways', userSchema)).toBeUndefined();
  });

  it('gives the definitions of what it sorts by', () => {
    const manager = enterpriseUserSchema.attributes.find(({ name }) => name === 'manager');
    expect(readSort(`${enterpriseUserUrn}:manager`, undefined, userSchema)).toEqual({
      target: {
        extension: enterpriseUserSchema,
        attribute: manager,
        subAttribute: manager && subAttribute(manager, 'value'),
      },
      descending: false,
    });
  });

  it.each([
    ['userName', ['userName']],
    ['USERNAME', ['userName']],
    ['name.givenName', ['name', 'givenName']],
    ['active', ['active']],
    ['id', ['id']],
    ['meta.lastModified', ['meta', 'lastModified']],
    ['schemas', ['schemas']],
    ['emails', ['emails', 'value']],
    ['emails.type', ['emails', 'type']],
    ['groups', ['groups', 'value']],
    [`${userUrn}:userName`, ['userName']],
    [`${enterpriseUserUrn}:department`, [enterpriseUserUrn, 'department']],
    [`${enterpriseUserUrn}:manager.displayName`, [enterpriseUserUrn, 'manager', 'displayName']],
  ])('sorts by %s', (sortBy, names) => {
    expect(read(sortBy)).toEqual([...names, 'ascending']);
  });

  it.each([
    [undefined, 'ascending'],
    ['ascending', 'ascending'],
    ['descending', 'descending'],
    ['DESCENDING', 'descending'],
    ['Ascending', 'ascending'],
  ])('reads sortOrder %j as %s', (sortOrder, direction) => {
    expect(read('userName', sortOrder)).toEqual(['userName', direction]);
  });

  it.each(['', 'up', 'desc', 'descending ', 'true'])('refuses sortOrder %j as invalidValue', (sortOrder) => {
    expect(errorOf(() => read('userName', sortOrder))).toEqual({
      row: 'invalidValue',
      detail: `sortOrder must be "ascending" or "descending", not ${JSON.stringify(sortOrder)}.`,
    });
  });

  it.each([
    ['nonsense', userSchema],
    ['', userSchema],
    ['name.nonsense', userSchema],
    ['userName;drop table users', userSchema],
    ["userName'--", userSchema],
    ['pg_sleep(5)', userSchema],
    ['emails[type eq "work"].value', userSchema],
    ['department', userSchema],
    ['userName', groupSchema],
    [userUrn, userSchema],
    [enterpriseUserUrn, userSchema],
    ['password', userSchema],
    ['PASSWORD', userSchema],
    ['pin', badgeSchema],
    ['doors.code', badgeSchema],
    ['vault', badgeSchema],
  ])('refuses to sort by %j, which is unknown or never returned, as invalidValue', (sortBy, schema) => {
    expect(errorOf(() => read(sortBy, undefined, schema))).toEqual({
      row: 'invalidValue',
      detail: `sortBy: ${JSON.stringify(sortBy)} is not an attribute of ${schema.name} to sort by.`,
    });
  });

  it.each(['name', 'addresses', 'meta'])('refuses to sort by %s, which is complex and has no value', (sortBy) => {
    expect(errorOf(() => read(sortBy))).toEqual({
      row: 'invalidValue',
      detail: `sortBy: "${sortBy}" is complex; name one of its sub-attributes.`,
    });
  });

  it('sorts by nothing where one of several resource types lacks the attribute (RFC 7644 section 3.4.2.1)', () => {
    const across = { absentIn: coreRegistry };
    expect(readSort('userName', undefined, groupSchema, across)).toBeUndefined();
    expect(readSort(`${userUrn}:userName`, undefined, groupSchema, across)).toBeUndefined();
    expect(readSort('displayName', undefined, groupSchema, across)?.target.attribute.name).toBe('displayName');
    for (const sortBy of ['urn:example:2.0:User:userName', 'a b']) {
      expect(errorOf(() => readSort(sortBy, undefined, groupSchema, across))).toEqual({
        row: 'invalidValue',
        detail: `sortBy: "${sortBy}" is not an attribute of Group to sort by.`,
      });
    }
  });
});
