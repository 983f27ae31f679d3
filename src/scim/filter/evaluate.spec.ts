import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { badgeSchema, badgeUrn, lockUrn } from '../../../test/support/custom-schema.js';
import { groupSchema, userSchema } from '../../../test/support/patching.js';
import { profiles } from '../profile.js';
import type { JsonObject } from '../resource.js';
import { coreRegistry } from '../schema/core.js';
import { enterpriseUserUrn } from '../schema/enterprise-user.js';
import { groupUrn } from '../schema/group.js';
import type { ResourceSchema } from '../schema/registry.js';
import { userUrn } from '../schema/user.js';
import { bindFilter } from './bind.js';
import { compareText, evaluate } from './evaluate.js';
import { foldResource } from './fold.js';
import { parseFilter } from './parser.js';

const matches = (filter: string, resource: JsonObject, schema: ResourceSchema = userSchema): boolean =>
  evaluate(bindFilter(parseFilter(filter), schema, profiles.default), foldResource(schema, resource));

const babs: JsonObject = {
  schemas: [userUrn, enterpriseUserUrn],
  id: '2819c223-7f76-453a-919d-413861904646',
  externalId: 'AbC',
  userName: 'BJensen@example.com',
  name: { familyName: "O'Jensen", givenName: 'Bárbara' },
  displayName: '50% off_',
  nickName: '',
  active: false,
  profileUrl: 'https://login.example.com/BJensen',
  emails: [
    { value: 'bjensen@example.com', type: 'work', primary: true },
    { value: 'babs@jensen.org', type: 'home', display: 'Home' },
  ],
  phoneNumbers: [{ type: 'work' }],
  x509Certificates: [{ value: 'AAEC' }],
  ims: [{ value: '' }],
  meta: { resourceType: 'User', created: '2010-01-23T04:56:22.123Z', version: 'W/"3"' },
  [enterpriseUserUrn]: {
    department: 'Tour Operations',
    manager: { value: '26118915-6090-4610-87e4-49d8ca9f808d', displayName: 'John Smith' },
  },
};
const nobody: JsonObject = { schemas: [userUrn], userName: 'nobody' };

/** Rows of a table: a filter on Barbara, and whether it matches. */
type Rows = readonly (readonly [filter: string, isMatch: boolean])[];
const check = (rows: Rows): void => {
  it.each(rows)('%s: %s', (filter, isMatch) => {
    expect(matches(filter, babs)).toBe(isMatch);
  });
};

describe('comparisons of strings (RFC 7644 section 3.4.2.2, table 3)', () => {
  check([
    ['userName eq "bjensen@example.com"', true],
    ['userName eq "bjensen"', false],
    ['userName ne "bjensen@example.com"', false],
    ['userName ne "bjensen"', true],
    ['userName co "JENSEN@"', true],
    ['userName co "x@"', false],
    ['userName sw "bj"', true],
    ['userName sw "jensen"', false],
    ['userName ew ".COM"', true],
    ['userName ew "example"', false],
    ['userName gt "bjensen"', true],
    ['userName gt "bjensen@example.com"', false],
    ['userName ge "bjensen@example.com"', true],
    ['userName ge "c"', false],
    ['userName lt "c"', true],
    ['userName lt "bjensen@example.com"', false],
    ['userName le "BJENSEN@EXAMPLE.COM"', true],
    ['userName le "b"', false],
    ['userName co ""', true],
    ['displayName co "0% O"', true],
    ['displayName co "5%f"', false],
    ['displayName ew "f_"', true],
    ['displayName ew "o_"', false],
    ['displayName eq "50\\\\u0025 off_"', false],
    ['name.familyName eq "o\'jensen"', true],
    ['userName eq "\\" or 1=1 --"', false],
  ]);
});

describe('caseExact (RFC 7643 section 2.2)', () => {
  check([
    ['externalId eq "AbC"', true],
    ['externalId eq "abc"', false],
    ['externalId sw "ab"', false],
    ['externalId lt "a"', true],
    ['id eq "2819C223-7F76-453A-919D-413861904646"', false],
    ['profileUrl co "BJensen"', true],
    ['profileUrl co "bjensen"', false],
    ['meta.resourceType eq "user"', false],
    ['meta.version eq "W/\\"3\\""', true],
    ['name.givenName eq "b\u00e1rbara"', true],
    ['name.givenName eq "BA\u0301RBARA"', true],
    ['name.givenName eq "barbara"', false],
    ['userName eq "\uff22jensen@example.com"', true],
    ['name.givenName sw "\uff22"', false],
    ['emails.type eq "WORK"', true],
    ['x509Certificates.value eq "aaec"', false],
    ['x509Certificates.value eq "AAEC"', true],
  ]);
});

describe('comparisons of booleans and dateTimes (RFC 7643 section 2.3)', () => {
  check([
    ['active eq false', true],
    ['active eq true', false],
    ['active ne true', true],
    ['active eq "False"', true],
    ['emails.primary eq true', true],
    ['emails.primary eq false', false],
    ['meta.created eq "2010-01-23T04:56:22.123Z"', true],
    ['meta.created eq "2010-01-22T23:56:22.123-05:00"', true],
    ['meta.created gt "2010-01-23T06:56:22+02:00"', true],
    ['meta.created gt "2010-01-23T04:56:22.2Z"', false],
    ['meta.created ge "2010-01-23T04:56:22.123000Z"', true],
    ['meta.created lt "2010-01-23T04:56:22.1231Z"', true],
    ['meta.created le "2010-01-23T05:56:22.122+01:00"', false],
  ]);
});

describe('comparisons of numbers (RFC 7643 section 2.3)', () => {
  const badge: JsonObject = { schemas: [badgeUrn], label: 'x', level: 10, weight: 0.5, tags: ['Blue', 'red'] };

  it.each([
    ['level gt 9', true],
    ['level gt 10', false],
    ['level ge 10.0', true],
    ['level lt 9', false],
    ['level lt 1e2', true],
    ['level le 10', true],
    ['level le 9.5', false],
    ['level eq 10.0', true],
    ['level ne 10', false],
    ['weight eq 0.5', true],
    ['weight gt -1', true],
    ['tags eq "blue"', true],
    ['tags co "E"', true],
    ['tags ne "blue"', true],
    ['not (tags eq "blue")', false],
    ['tags pr', true],
    ['history pr', false],
    [`${lockUrn} pr`, false],
    [`${lockUrn}:vendor pr`, false],
    [`${lockUrn}:parts[type eq "x"]`, false],
  ])('%s: %s', (filter, isMatch) => {
    expect(matches(filter, badge, badgeSchema)).toBe(isMatch);
  });
});

describe('presence (RFC 7644 section 3.4.2.2, table 3)', () => {
  check([
    ['userName pr', true],
    ['title pr', false],
    ['nickName pr', false],
    ['active pr', true],
    ['name pr', true],
    ['emails pr', true],
    ['emails.display pr', true],
    ['phoneNumbers pr', true],
    ['phoneNumbers.value pr', false],
    ['phoneNumbers eq null', false],
    ['ims pr', false],
    ['ims.value pr', false],
    ['addresses pr', false],
    ['schemas pr', true],
    ['meta pr', true],
    ['title eq null', true],
    ['title ne null', false],
    ['nickName eq null', true],
    ['active ne null', true],
    [`${userUrn} pr`, true],
    [`${enterpriseUserUrn} pr`, true],
    [`${enterpriseUserUrn}:manager pr`, true],
    [`${enterpriseUserUrn}:manager.$ref pr`, false],
    [`${enterpriseUserUrn}:costCenter pr`, false],
  ]);

  it.each([{}, { department: '' }, { manager: { value: '' } }])(
    'of an extension asks for a value in it, not %j',
    (data) => {
      expect(matches(`${enterpriseUserUrn} pr`, { ...nobody, [enterpriseUserUrn]: data })).toBe(false);
    },
  );
});

describe('an attribute without a value', () => {
  it.each([
    ['title eq "x"', false],
    ['title ne "x"', true],
    ['not (title eq "x")', true],
    ['title co "x"', false],
    ['title co ""', false],
    ['title sw "x"', false],
    ['title gt "x"', false],
    ['title le "x"', false],
    ['not (title gt "x")', true],
    ['active eq false', false],
    ['active ne false', true],
    ['meta.created lt "2026-01-31T23:30:00Z"', false],
    ['name.givenName ne "x"', true],
    ['emails.type ne "work"', true],
    ['emails.type eq "work"', false],
    ['emails[type ne "work"]', false],
    ['not (emails[type eq "work"])', true],
    [`${enterpriseUserUrn}:department ne "x"`, true],
    [`${enterpriseUserUrn}:manager.value eq "x"`, false],
    ['urn:ietf:params:scim:schemas:core:2.0:User:emails.value co ""', false],
  ])('%s: %s', (filter, isMatch) => {
    expect(matches(filter, nobody)).toBe(isMatch);
  });
});

describe('multi-valued attributes (RFC 7644 section 3.4.2.2)', () => {
  check([
    ['emails.value eq "babs@jensen.org"', true],
    ['emails co "jensen.org"', true],
    ['emails eq "babs@jensen.org"', true],
    ['emails.type eq "work" and emails.value ew "jensen.org"', true],
    ['emails[type eq "work" and value ew "jensen.org"]', false],
    ['emails[type eq "home" and value ew "jensen.org"]', true],
    ['emails[type eq "work" or value ew "jensen.org"]', true],
    ['emails[type eq "work"].value eq "bjensen@example.com"', true],
    ['emails[type eq "work"].value eq "babs@jensen.org"', false],
    ['emails[type eq "home"].primary eq true', false],
    ['emails.type ne "work"', true],
    ['not (emails.type eq "work")', false],
    ['emails[not (type eq "work")]', true],
    ['not (emails[type eq "other"])', true],
    ['emails[display pr]', true],
    ['emails[display eq null and type eq "work"]', true],
    ['emails[display eq null and type eq "home"]', false],
    ['emails[display ne "Home"]', true],
    ['emails.display ne "Home"', true],
    ['phoneNumbers.value ne "x"', true],
    ['phoneNumbers.value eq null', true],
    ['phoneNumbers[value eq null]', true],
    ['addresses[type eq "work"]', false],
    ['schemas eq "URN:ietf:params:scim:schemas:extension:enterprise:2.0:USER"', true],
    ['schemas eq "urn:x"', false],
    [`${enterpriseUserUrn}:manager eq "26118915-6090-4610-87e4-49d8ca9f808d"`, true],
    [`${enterpriseUserUrn}:manager.displayName sw "john"`, true],
    [`${enterpriseUserUrn}:DEPARTMENT eq "tour operations"`, true],
  ]);

  it('that hold members compare by the value, type and display of any member', () => {
    const group = {
      schemas: [groupUrn],
      displayName: 'Tour Guides',
      members: [
        { value: 'a', type: 'User', display: 'Babs Jensen' },
        { value: 'b', type: 'Group' },
      ],
    };
    const rows: Rows = [
      ['members eq "b"', true],
      ['members eq "B"', false],
      ['members.type eq "user"', true],
      ['members[type eq "Group" and value eq "a"]', false],
      ['members.display co "JENSEN"', true],
      ['displayName eq "tour guides" and members.value eq "a"', true],
    ];
    expect(rows.map(([filter]) => [filter, matches(filter, group, groupSchema)])).toEqual(rows);
  });
});

describe('logical operators (RFC 7644 section 3.4.2.2, table 4)', () => {
  const [yes, no] = ['active eq false', 'active eq true'];

  check([
    [`${yes} and ${yes}`, true],
    [`${yes} and ${no}`, false],
    [`${yes} or ${no}`, true],
    [`${no} or ${no}`, false],
    [`not (${no})`, true],
    [`${yes} or ${no} and ${no}`, true],
    [`(${yes} or ${no}) and ${no}`, false],
    [`not (${no}) and ${no}`, false],
    [`not (${no} and ${no})`, true],
  ]);

  it('of a filter over several types take a name that a type lacks for one without a value', () => {
    const across = (text: string): boolean =>
      evaluate(
        bindFilter(parseFilter(text), groupSchema, profiles.default, { absentIn: coreRegistry }),
        foldResource(groupSchema, { schemas: [groupUrn], displayName: 'x' }),
      );
    expect(across('userName eq "x" or displayName eq "x"')).toBe(true);
    expect(across('userName pr')).toBe(false);
    expect(across('userName ne "x"')).toBe(true);
  });
});

describe('compareText', () => {
  it.each([
    ['', ''],
    ['', 'a'],
    ['a', 'ab'],
    ['A', 'a'],
    ['z', 'é'],
    ['\ud7ff', '\ue000'],
    ['\uffff', '\u{10000}'],
    ['\ue000', '\u{1f600}'],
    ['x\ufffd', 'x\u{10ffff}'],
    ['\u{10000}', '\u{10001}'],
    ['\u{103ff}', '\u{10400}'],
  ])('puts %j not behind %j', (a, b) => {
    expect(compareText(a, b)).toBeLessThanOrEqual(0);
    expect(Math.sign(compareText(b, a))).toBe(a === b ? 0 : 1);
  });

  it('orders texts as their code points, which is also the order of their UTF-8 bytes', () => {
    const unit = fc.oneof(
      fc.constantFrom('a', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    );
    const text = fc.string({ unit, maxLength: 3 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      { numRuns: 2_000 },
    );
  });
});
