import { attribute, type Attribute, type Schema } from './schema.js';

/** The URN of the User schema (RFC 7643 section 4.1). */
export const userUrn = 'urn:ietf:params:scim:schemas:core:2.0:User';

/** The sub-attributes that multi-valued attributes share (RFC 7643 section 2.4), with `value` and `type` made for one. */
function plural(value: Partial<Attribute>, canonicalTypes?: readonly string[]): readonly Attribute[] {
  return [
    attribute({ name: 'value', description: 'The value itself.', ...value }),
    attribute({ name: 'display', description: 'A human-readable name, primarily used for display purposes.' }),
    attribute({
      name: 'type',
      description: "A label indicating the attribute's function.",
      ...(canonicalTypes ? { canonicalValues: canonicalTypes } : {}),
    }),
    attribute({
      name: 'primary',
      type: 'boolean',
      description: 'Whether this is the preferred value. True for at most one value of the attribute.',
    }),
  ];
}

const name = attribute({
  name: 'name',
  type: 'complex',
  description: "The components of the user's name.",
  subAttributes: [
    attribute({ name: 'formatted', description: 'The full name, formatted for display.' }),
    attribute({ name: 'familyName', isIndexed: true, description: 'The family name, or last name.' }),
    attribute({ name: 'givenName', description: 'The given name, or first name.' }),
    attribute({ name: 'middleName', description: 'The middle name(s).' }),
    attribute({ name: 'honorificPrefix', description: 'The honorific prefix(es), or title.' }),
    attribute({ name: 'honorificSuffix', description: 'The honorific suffix(es).' }),
  ],
});

const addresses = attribute({
  name: 'addresses',
  type: 'complex',
  multiValued: true,
  description: 'Physical mailing addresses.',
  subAttributes: [
    attribute({ name: 'formatted', description: 'The full mailing address, formatted for display.' }),
    attribute({ name: 'streetAddress', description: 'The street address; may contain newlines.' }),
    attribute({ name: 'locality', description: 'The city or locality.' }),
    attribute({ name: 'region', description: 'The state or region.' }),
    attribute({ name: 'postalCode', description: 'The zip code or postal code.' }),
    attribute({ name: 'country', description: 'The country, preferably as an ISO 3166-1 alpha-2 code.' }),
    attribute({
      name: 'type',
      description: "A label indicating the attribute's function.",
      canonicalValues: ['work', 'home', 'other'],
    }),
    attribute({
      name: 'primary',
      type: 'boolean',
      description: 'Whether this is the preferred address. True for at most one address.',
    }),
  ],
});

const groups = attribute({
  name: 'groups',
  type: 'complex',
  multiValued: true,
  mutability: 'readOnly',
  description: 'The groups to which the user belongs, directly or through nested groups.',
  subAttributes: [
    attribute({ name: 'value', caseExact: true, mutability: 'readOnly', description: "The group's id." }),
    attribute({
      name: '$ref',
      type: 'reference',
      caseExact: true,
      mutability: 'readOnly',
      referenceTypes: ['Group'],
      description: "The URI of the group's resource.",
    }),
    attribute({ name: 'display', mutability: 'readOnly', description: "The group's displayName." }),
    attribute({
      name: 'type',
      mutability: 'readOnly',
      canonicalValues: ['direct', 'indirect'],
      description: 'Whether the membership is direct or through a nested group.',
    }),
  ],
});

const multiValued = (attributeName: string, description: string, subAttributes: readonly Attribute[]): Attribute =>
  attribute({ name: attributeName, type: 'complex', multiValued: true, description, subAttributes });

/** The User schema (RFC 7643 sections 4.1 and 8.7.1, with `addresses.primary` of section 8.2's examples). */
export const userSchema: Schema = {
  id: userUrn,
  name: 'User',
  description: 'User Account',
  attributes: [
    attribute({
      name: 'userName',
      required: true,
      uniqueness: 'server',
      precis: 'UsernameCaseMapped',
      isIndexed: true,
      description: 'The unique identifier with which the user signs in.',
    }),
    name,
    attribute({ name: 'displayName', isIndexed: true, description: 'The name of the user, suitable for display.' }),
    attribute({ name: 'nickName', description: 'The casual way to address the user.' }),
    attribute({
      name: 'profileUrl',
      type: 'reference',
      caseExact: true,
      referenceTypes: ['external'],
      description: "The URL of the user's online profile.",
    }),
    attribute({ name: 'title', description: 'The user\'s title, such as "Vice President".' }),
    attribute({ name: 'userType', description: 'The relationship between the organization and the user.' }),
    attribute({ name: 'preferredLanguage', description: "The user's preferred language, as in Accept-Language." }),
    attribute({ name: 'locale', description: "The user's default location, as a language tag (BCP 47)." }),
    attribute({ name: 'timezone', description: "The user's time zone, in the IANA format." }),
    attribute({ name: 'active', type: 'boolean', description: 'Whether the user may use the application.' }),
    attribute({
      name: 'password',
      caseExact: true,
      mutability: 'writeOnly',
      returned: 'never',
      precis: 'OpaqueString',
      description: "The user's cleartext password, for setting it; it is never returned.",
    }),
    multiValued('emails', 'E-mail addresses.', plural({}, ['work', 'home', 'other'])),
    multiValued('phoneNumbers', 'Phone numbers.', plural({}, ['work', 'home', 'mobile', 'fax', 'pager', 'other'])),
    multiValued(
      'ims',
      'Instant messaging addresses.',
      plural({}, ['aim', 'gtalk', 'icq', 'xmpp', 'msn', 'skype', 'qq', 'yahoo']),
    ),
    multiValued(
      'photos',
      'URLs of photos of the user.',
      plural({ type: 'reference', caseExact: true, referenceTypes: ['external'] }, ['photo', 'thumbnail']),
    ),
    addresses,
    groups,
    multiValued('entitlements', 'Entitlements: things the user has.', plural({})),
    multiValued('roles', 'Roles: who the user is.', plural({})),
    multiValued('x509Certificates', 'Certificates issued to the user.', plural({ type: 'binary', caseExact: true })),
  ],
};
