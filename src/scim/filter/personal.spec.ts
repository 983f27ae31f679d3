import { describe, expect, it } from '@jest/globals';
import { profiles } from '../profile.js';
import { coreRegistry } from '../schema/core.js';
import { bindFilter } from './bind.js';
import { parseFilter } from './parser.js';
import { namesPersonal } from './personal.js';

const isPersonal = (type: string, filter: string): boolean =>
  namesPersonal(bindFilter(parseFilter(filter), coreRegistry.resourceSchema(type), profiles.default), type);

describe('a filter (RFC 7644 section 7.5.2)', () => {
  it.each([
    ['User', 'userName eq "a"'],
    ['User', 'externalId eq "a"'],
    ['User', 'displayName sw "a"'],
    ['User', 'name.familyName co "a"'],
    ['User', 'emails[type eq "work"]'],
    ['User', 'active eq true and not (title eq "a")'],
    ['User', 'active eq true or phoneNumbers.value eq "1"'],
    ['User', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "1"'],
    ['Group', 'externalId eq "a"'],
  ])('of %ss holds a personal value: %s', (type, filter) => {
    expect(isPersonal(type, filter)).toBe(true);
  });

  it.each([
    ['User', 'id eq "a"'],
    ['User', 'active eq true and meta.lastModified gt "2020-01-01T00:00:00Z"'],
    ['User', 'userName pr'],
    ['User', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr'],
    ['User', 'schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"'],
    ['User', 'userType eq "a" or preferredLanguage eq "en" or locale eq "en" or timezone eq "UTC"'],
    ['User', 'entitlements.value eq "a"'],
    ['User', 'groups.value eq "a" or roles[value eq "admin"]'],
    ['Group', 'displayName eq "a"'],
    ['Group', 'members[value eq "a"]'],
  ])('of %ss holds none: %s', (type, filter) => {
    expect(isPersonal(type, filter)).toBe(false);
  });
});
