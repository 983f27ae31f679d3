import { describe, expect, it } from '@jest/globals';
import { badgeSchema } from '../../../test/support/custom-schema.js';
import { errorOf, groupSchema, userSchema } from '../../../test/support/patching.js';
import { profiles } from '../profile.js';
import { coreRegistry } from '../schema/core.js';
import { enterpriseUserSchema, enterpriseUserUrn } from '../schema/enterprise-user.js';
import { isSchemaTarget, type AttributeTarget, type ResourceSchema } from '../schema/registry.js';
import { userUrn } from '../schema/user.js';
import type { CompareOp } from './ast.js';
import { parseAttrPath } from './attr-path.js';
import { bindFilter, bindValFilter, leaf, type BoundFilter } from './bind.js';
import { parseFilter } from './parser.js';

const bind = (text: string, schema: ResourceSchema = userSchema, profile = profiles.strict): BoundFilter =>
  bindFilter(parseFilter(text), schema, profile);

const refusal = (text: string, schema: ResourceSchema = userSchema, profile = profiles.strict): unknown =>
  errorOf(() => bind(text, schema, profile));
const refused = (detail: string): unknown => ({ row: 'invalidFilter', detail });

function targetOf(path: string, schema: ResourceSchema = userSchema): AttributeTarget {
  const attrPath = parseAttrPath(path);
  const target = attrPath && schema.resolve(attrPath);
  if (!target || isSchemaTarget(target)) throw new Error(`${path} is not an attribute`);
  return target;
}
const compare = (path: string, op: CompareOp, value: string | number | boolean, schema = userSchema): BoundFilter => ({
  kind: 'compare',
  target: targetOf(path, schema),
  op,
  value,
});
const present = (path: string, schema = userSchema): BoundFilter => ({
  kind: 'present',
  target: targetOf(path, schema),
});

describe('the names of a filter (RFC 7643 section 2.1, RFC 7644 section 3.10)', () => {
  it.each([
    ['USERNAME eq "x"', compare('userName', 'eq', 'x')],
    ['NAME.GivenNAME eq "x"', compare('name.givenName', 'eq', 'x')],
    [`${userUrn}:userName eq "x"`, compare('userName', 'eq', 'x')],
    [`${userUrn.toUpperCase()}:name.familyName eq "x"`, compare('name.familyName', 'eq', 'x')],
    [`${enterpriseUserUrn}:department eq "x"`, compare(`${enterpriseUserUrn}:department`, 'eq', 'x')],
    [`${enterpriseUserUrn}:MANAGER.Value eq "x"`, compare(`${enterpriseUserUrn}:manager.value`, 'eq', 'x')],
    [`${enterpriseUserUrn}:manager.$REF eq "x"`, compare(`${enterpriseUserUrn}:manager.$ref`, 'eq', 'x')],
    ['id eq "x"', compare('id', 'eq', 'x')],
    ['externalId eq "x"', compare('externalId', 'eq', 'x')],
    ['schemas eq "x"', compare('schemas', 'eq', 'x')],
    ['meta.resourceType eq "User"', compare('meta.resourceType', 'eq', 'User')],
    ['meta.version eq "x"', compare('meta.version', 'eq', 'x')],
    ['groups.value eq "x"', compare('groups.value', 'eq', 'x')],
    [`${userUrn} pr`, { kind: 'and' as const, terms: [] }],
    [`${enterpriseUserUrn} pr`, { kind: 'presentExtension' as const, schema: enterpriseUserSchema }],
    ['name pr', present('name')],
    ['emails pr', present('emails')],
    ['emails.type pr', present('emails.type')],
    [`${enterpriseUserUrn}:manager pr`, present(`${enterpriseUserUrn}:manager`)],
  ])('are found: %s', (text, bound) => {
    expect(bind(text)).toEqual(bound);
  });

  it.each([
    ['members.value eq "x"', compare('members.value', 'eq', 'x', groupSchema)],
    ['members.type eq "User"', compare('members.type', 'eq', 'user', groupSchema)],
    ['members.display eq "X"', compare('members.display', 'eq', 'x', groupSchema)],
  ])("are found among a group's: %s", (text, bound) => {
    expect(bind(text, groupSchema)).toEqual(bound);
  });

  it.each([
    ['nonsense eq "x"', '"nonsense" is not an attribute of User.'],
    ['nonsense pr', '"nonsense" is not an attribute of User.'],
    ['nonsense[a pr]', '"nonsense" is not an attribute of User.'],
    ['name.nonsense pr', '"name.nonsense" is not an attribute of User.'],
    ['userName.value pr', '"userName.value" is not an attribute of User.'],
    ['department eq "x"', '"department" is not an attribute of User.'],
    ['members.value eq "x"', '"members.value" is not an attribute of User.'],
    [`${enterpriseUserUrn}:userName eq "x"`, `"${enterpriseUserUrn}:userName" is not an attribute of User.`],
    [`${userUrn}.userName eq "x"`, `"${userUrn}.userName" is not an attribute of User.`],
    ['urn:example:2.0:User:userName eq "x"', '"urn:example:2.0:User:userName" is not an attribute of User.'],
    [
      'urn:ietf:params:scim:schemas:core:2.0:Group:displayName pr',
      `"urn:ietf:params:scim:schemas:core:2.0:Group:displayName" is not an attribute of User.`,
    ],
    ['a pr and (b pr or not (c pr))', '"a" is not an attribute of User.'],
    ['userName pr and not (nonsense pr)', '"nonsense" is not an attribute of User.'],
  ])('are refused when the resource type has no such attribute: %s', (text, detail) => {
    expect(refusal(text)).toEqual(refused(detail));
  });

  it.each([
    ['password eq "guess"', userSchema, '"password" cannot be used in a filter.'],
    ['password sw "a"', userSchema, '"password" cannot be used in a filter.'],
    ['password eq null', userSchema, '"password" cannot be used in a filter.'],
    [`${userUrn}:PASSWORD pr`, userSchema, `"${userUrn}:PASSWORD" cannot be used in a filter.`],
    ['pin eq "1"', badgeSchema, '"pin" cannot be used in a filter.'],
    ['alarm.value eq "1"', badgeSchema, '"alarm.value" cannot be used in a filter.'],
    ['doors.code eq "1"', badgeSchema, '"doors.code" cannot be used in a filter.'],
    ['doors.code pr', badgeSchema, '"doors.code" cannot be used in a filter.'],
    ['doors[code eq "1"]', badgeSchema, '"code" cannot be used in a filter.'],
    ['vault eq "1"', badgeSchema, '"vault" cannot be used in a filter.'],
  ])('are refused when they are never returned: %s (RFC 7644 section 7.5.2)', (text, schema, detail) => {
    expect(refusal(text, schema)).toEqual(refused(detail));
  });
});

describe('the operators and operands of a filter (RFC 7644 section 3.4.2.2, table 3)', () => {
  const all: CompareOp[] = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'];
  const types: [path: string, operand: string, type: string, applying: CompareOp[]][] = [
    ['label', '"x"', 'string', all],
    ['doors.value', '"x"', 'string', all],
    ['level', '1', 'integer', ['eq', 'ne', 'gt', 'ge', 'lt', 'le']],
    ['weight', '1.5', 'decimal', ['eq', 'ne', 'gt', 'ge', 'lt', 'le']],
    ['issued', '"2026-01-31T23:30:00Z"', 'dateTime', ['eq', 'ne', 'gt', 'ge', 'lt', 'le']],
    ['chip', '"AAEC"', 'binary', ['eq', 'ne']],
    ['doors.lit', 'true', 'boolean', ['eq', 'ne']],
    ['schemas', '"urn:x"', 'reference', all],
  ];

  it.each(
    types.flatMap(([path, operand, type, applying]) =>
      all.map((op) => [`${path} ${op} ${operand}`, type, applying.includes(op) ? 'accepted' : 'refused'] as const),
    ),
  )('are for %s, of type %s, %s', (text, type, verdict) => {
    const [path = '', op = ''] = text.split(' ');
    if (verdict === 'accepted') expect(bind(text, badgeSchema)).toMatchObject({ kind: 'compare', op });
    else
      expect(refusal(text, badgeSchema)).toEqual(
        refused(`"${op}" does not apply to "${path}", which is of type ${type}.`),
      );
  });

  it.each([
    ['userName eq 5', '"userName" is of type string; compare it with a string.'],
    ['userName gt 5', '"userName" is of type string; compare it with a string.'],
    ['userName eq true', '"userName" is of type string; compare it with a string.'],
    ['active eq 1', '"active" is of type boolean; compare it with a boolean.'],
    ['active eq "yes"', '"active" is of type boolean; compare it with a boolean.'],
    ['active eq "true"', '"active" is of type boolean; compare it with a boolean.'],
    ['meta.created gt 5', '"meta.created" is of type dateTime; compare it with a string.'],
    ['meta.created gt "abc"', '"meta.created" compares with a dateTime such as "2011-05-13T04:42:34Z".'],
    ['meta.created gt "yesterday"', '"meta.created" compares with a dateTime such as "2011-05-13T04:42:34Z".'],
    ['meta.created gt "2011-05-13"', '"meta.created" compares with a dateTime such as "2011-05-13T04:42:34Z".'],
    [
      'meta.created gt "2011-05-13T04:42:34"',
      '"meta.created" compares with a dateTime such as "2011-05-13T04:42:34Z".',
    ],
    ['active gt true', '"gt" does not apply to "active", which is of type boolean.'],
    ['x509Certificates.value gt "a"', '"gt" does not apply to "x509Certificates.value", which is of type binary.'],
    ['meta.created sw "2011"', '"sw" does not apply to "meta.created", which is of type dateTime.'],
    ['emails.primary gt true', '"gt" does not apply to "emails.primary", which is of type boolean.'],
  ])('that do not fit are refused: %s', (text, detail) => {
    expect(refusal(text)).toEqual(refused(detail));
  });

  it.each([
    ['level eq "1"', '"level" is of type integer; compare it with a number.'],
    ['weight gt "1"', '"weight" is of type decimal; compare it with a number.'],
    ['chip eq 1', '"chip" is of type binary; compare it with a string.'],
  ])('that do not fit are refused: %s', (text, detail) => {
    expect(refusal(text, badgeSchema)).toEqual(refused(detail));
  });

  it.each([
    ['"true"', true],
    ['"True"', true],
    ['"FALSE"', false],
    ['true', true],
  ])('may be the boolean %s in the default profile', (operand, value) => {
    expect(bind(`active eq ${operand}`, userSchema, profiles.default)).toEqual(compare('active', 'eq', value));
  });

  it.each(['"yes"', '""', '"truer"', '1'])('may not be the boolean %s in any profile', (operand) => {
    expect(refusal(`active eq ${operand}`, userSchema, profiles.default)).toEqual(
      refused('"active" is of type boolean; compare it with a boolean.'),
    );
  });

  it.each([
    ['userName eq "\uff22JENSEN"', compare('userName', 'eq', 'bjensen')],
    ['nickName eq "BABS E\u0301"', compare('nickName', 'eq', 'babs \u00e9')],
    ['externalId eq "ABC"', compare('externalId', 'eq', 'ABC')],
    ['meta.created gt "2011-05-13T06:42:34+02:00"', compare('meta.created', 'gt', '2011-05-13T04:42:34.000000Z')],
  ])('are folded as the attribute is compared: %s', (text, bound) => {
    expect(bind(text)).toEqual(bound);
  });
});

describe('null in a filter', () => {
  const absent = (path: string): BoundFilter => ({ kind: 'not', term: present(path) });

  it.each([
    ['nickName eq null', absent('nickName')],
    ['nickName ne null', present('nickName')],
    ['active eq null', absent('active')],
    ['meta.created ne null', present('meta.created')],
    ['emails.type eq null', absent('emails.type')],
    ['emails eq null', absent('emails')],
    ['name ne null', present('name')],
    ['addresses eq null', absent('addresses')],
  ])('means that nothing is present: %s (RFC 7643 section 2.5)', (text, bound) => {
    expect(bind(text)).toEqual(bound);
  });

  it.each(['co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'])('is refused with %s', (op) => {
    expect(refusal(`nickName ${op} null`)).toEqual(refused(`"${op}" cannot compare with null.`));
  });
});

describe('complex attributes in a filter (RFC 7644 section 3.4.2.2)', () => {
  it.each([
    ['emails co "@example.com"', compare('emails.value', 'co', '@example.com')],
    ['groups eq "x"', compare('groups.value', 'eq', 'x')],
    [`${enterpriseUserUrn}:manager eq "x"`, compare(`${enterpriseUserUrn}:manager.value`, 'eq', 'x')],
  ])('compare by their value: %s', (text, bound) => {
    expect(bind(text)).toEqual(bound);
  });

  it('compare members by their value', () => {
    expect(bind('members eq "x"', groupSchema)).toEqual(compare('members.value', 'eq', 'x', groupSchema));
  });

  it.each(['name eq "x"', 'addresses eq "x"', 'meta ne "x"'])('without a value are refused: %s', (text) => {
    const [name] = text.split(' ');
    expect(refusal(text)).toEqual(refused(`"${name}" is complex; name one of its sub-attributes.`));
  });

  it.each([`${userUrn} eq "x"`, `${enterpriseUserUrn} co "x"`, `${enterpriseUserUrn} eq null`])(
    'are not schemas, which only pr tests: %s',
    (text) => {
      expect(refusal(text)).toEqual(refused(`"${text.split(' ')[0]}" is a schema; it can only be tested with "pr".`));
    },
  );
});

describe('value paths in a filter (RFC 7644 section 3.4.2.2)', () => {
  it.each([
    ['emails[TYPE eq "Work" and value ew "@X.com"]', 'emails'],
    [`${userUrn}:emails[type eq "work" and value ew "@x.com"]`, 'emails'],
  ])('hold a filter on one element: %s', (text, path) => {
    expect(bind(text)).toEqual({
      kind: 'element',
      target: targetOf(path),
      filter: { kind: 'and', terms: [compare('emails.type', 'eq', 'work'), compare('emails.value', 'ew', '@x.com')] },
    });
  });

  it('hold a filter on an element of an extension', () => {
    const path = 'urn:example:schemas:extension:2.0:Lock:parts';
    expect(bind(`${path}[primary eq true]`, badgeSchema)).toEqual({
      kind: 'element',
      target: targetOf(path, badgeSchema),
      filter: compare(`${path}.primary`, 'eq', true, badgeSchema),
    });
  });

  it.each(['name[givenName eq "x"]', 'userName[value eq "x"]', 'schemas[value eq "x"]', 'emails.type[value eq "x"]'])(
    'are refused on what is not multi-valued and complex: %s',
    (text) => {
      const detail = `"${text.split('[')[0]}" is not a multi-valued complex attribute, so it takes no "[".`;
      expect(refusal(text)).toEqual(refused(detail));
    },
  );

  it('are refused on a schema', () => {
    expect(refusal(`${enterpriseUserUrn}[manager pr]`)).toEqual(
      refused(`"${enterpriseUserUrn}" is not a multi-valued complex attribute, so it takes no "[".`),
    );
  });

  it.each([
    ['emails[nonsense eq "x"]', 'nonsense'],
    ['emails[userName eq "x"]', 'userName'],
    ['emails[emails.type eq "x"]', 'emails.type'],
    ['emails[urn:x:type eq "x"]', 'urn:x:type'],
    ['emails[type eq "work"].nonsense eq "x"', 'nonsense'],
  ])('name only sub-attributes between the brackets: %s', (text, name) => {
    const where = '"emails"; inside brackets only its sub-attributes can be named';
    expect(refusal(text)).toEqual(refused(`"${name}" is not an attribute of ${where}.`));
  });

  it('are read between the brackets of a PATCH path alike', () => {
    const bound = bindValFilter(parseFilter('not (TYPE eq "Work")'), targetOf('emails'), profiles.strict);
    expect(bound).toEqual({ kind: 'not', term: compare('emails.type', 'eq', 'work') });
  });
});

describe('a filter over several resource types (RFC 7644 section 3.4.2.1)', () => {
  const across = (text: string): BoundFilter =>
    bindFilter(parseFilter(text), groupSchema, profiles.default, { absentIn: coreRegistry });
  const always: BoundFilter = { kind: 'and', terms: [] };
  const never: BoundFilter = { kind: 'or', terms: [] };

  it.each([
    ['userName pr', never],
    ['userName eq "x"', never],
    ['userName eq null', always],
    ['userName ne "x"', always],
    ['userName ne null', never],
    ['userName co "x"', never],
    ['userName gt "x"', never],
    ['userName gt null', never],
    ['emails[type eq "work"]', never],
    [`${userUrn}:userName ne "x"`, always],
    [`${enterpriseUserUrn}:department pr`, never],
    [`${userUrn} pr`, never],
    [`${enterpriseUserUrn} pr`, never],
    ['nonsense pr', never],
  ])('finds no value where a type does not have the attribute: %s', (text, bound) => {
    expect(across(text)).toEqual(bound);
  });

  it('finds the attributes that the type has', () => {
    expect(across('displayName eq "X"')).toEqual(compare('displayName', 'eq', 'x', groupSchema));
  });

  it.each(['urn:example:2.0:User:userName pr', 'urn:example:2.0:User pr'])(
    'is refused when it names a schema that is not there: %s',
    (text) => {
      const [path] = text.split(' ');
      expect(errorOf(() => across(text))).toEqual(refused(`"${path}" is not an attribute of Group.`));
    },
  );
});

describe('leaf', () => {
  it('is the sub-attribute that a target names, else the attribute', () => {
    expect(leaf(targetOf('name.givenName')).name).toBe('givenName');
    expect(leaf(targetOf('name')).name).toBe('name');
  });
});

describe('names and values that only look like others', () => {
  it('a sub-attribute inside brackets has no sub-attributes (RFC 7644 section 3.4.2.2)', () => {
    expect(refusal('emails[type.value eq "work"]')).toEqual(
      refused('"type.value" is not an attribute of "emails"; inside brackets only its sub-attributes can be named.'),
    );
  });

  it('a text that reads like a boolean stays a text where the attribute is one (RFC 7643 section 2.3.1)', () => {
    expect(bind('nickName eq "True"', userSchema, profiles.default)).toEqual(compare('nickName', 'eq', 'true'));
  });
});

describe('an operand of co, sw and ew (RFC 7644 section 3.4.2.2)', () => {
  const beyond = (op: string): string => `nickName ${op} "${'a'.repeat(257)}"`;

  it.each(['co', 'sw', 'ew'])('has at most 256 characters: %s', (op) => {
    expect(refusal(beyond(op))).toEqual(
      refused(`"${op}" takes at most 256 characters; "nickName" is compared with more.`),
    );
  });

  it('is counted in characters, not in units of UTF-16', () => {
    const text = '😀'.repeat(256);
    expect(bind(`nickName co "${text}"`, userSchema, profiles.default)).toEqual(compare('nickName', 'co', text));
  });

  it('may be longer where whole values are compared', () => {
    const text = 'a'.repeat(257);
    expect(bind(beyond('eq'), userSchema, profiles.default)).toEqual(compare('nickName', 'eq', text));
  });
});
