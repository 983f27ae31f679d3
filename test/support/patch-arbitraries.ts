import fc from 'fast-check';
import {
  enterpriseUserUrn,
  isJsonObject,
  profiles,
  readResource,
  userUrn,
  type JsonObject,
  type JsonValue,
  type ScimResource,
} from '../../src/scim/index.js';
import { patchOp, userSchema } from './patching.js';

// Pools are small and their texts alike, so that operations often meet what is there already, or nearly.

const text = fc.constantFrom('a@x', 'A@x', 'b@x', 'é', 'e\u0301', 'work', '"', '\\', '');
const type = fc.constantFrom('work', 'Work', 'home', 'other');
const certificate = fc.constantFrom('AAEC', 'aaec', '', 'QUJD');

const some = (model: Record<string, fc.Arbitrary<JsonValue>>): fc.Arbitrary<JsonObject> =>
  fc.record(model, { requiredKeys: [] }).map((record) => ({ ...record }));

const plural = (value: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonObject> =>
  some({ value, type, display: text, primary: fc.boolean() });

/** The elements of each multi-valued attribute that a client may write. */
const elements = {
  emails: plural(text),
  phoneNumbers: plural(text),
  ims: plural(text),
  photos: plural(text),
  roles: plural(text),
  entitlements: plural(text),
  x509Certificates: plural(certificate),
  addresses: some({ region: text, locality: text, type, primary: fc.boolean() }),
};

const person = some({ givenName: text, familyName: text, formatted: text });
const manager = some({ value: text, displayName: text });

/** The values of each single-valued attribute, by its path. */
const singles: Record<string, fc.Arbitrary<JsonValue>> = {
  nickName: text,
  displayName: text,
  title: text,
  externalId: text,
  profileUrl: text,
  active: fc.boolean(),
  userName: fc.constantFrom('babs', 'Babs', 'jim'),
  name: person,
  'name.givenName': text,
  [`${enterpriseUserUrn}:department`]: text,
  [`${enterpriseUserUrn}:division`]: text,
  [`${enterpriseUserUrn}:manager`]: manager,
  [`${enterpriseUserUrn}:manager.value`]: text,
};

type Plural = keyof typeof elements;

const pluralName = fc.constantFrom(...(Object.keys(elements) as Plural[]));

/** Several elements, of which one at most is primary. */
const severalOf = (name: Plural): fc.Arbitrary<JsonObject[]> =>
  fc.array(elements[name], { maxLength: 4 }).map((given) => {
    const first = given.findIndex((element) => element['primary'] === true);
    return given.map((element, index) =>
      element['primary'] && index !== first ? { ...element, primary: false } : element,
    );
  });

/** A user as it is stored. */
export const storedUser: fc.Arbitrary<ScimResource> = fc
  .record(
    {
      ...Object.fromEntries((Object.keys(elements) as Plural[]).map((name) => [name, severalOf(name)])),
      nickName: text,
      title: text,
      externalId: text,
      active: fc.boolean(),
      name: person,
      [enterpriseUserUrn]: some({ department: text, division: text, manager }),
    },
    { requiredKeys: [] },
  )
  .map((attributes) => {
    const body = { ...(attributes as JsonObject), schemas: [userUrn], userName: 'babs' };
    return readResource(body, userSchema, profiles.strict).resource;
  });

const filterText = fc.oneof(
  type.map((value) => `type eq ${JSON.stringify(value)}`),
  text.map((value) => `value eq ${JSON.stringify(value)}`),
  fc.constantFrom('primary eq true', 'primary eq "True"', 'type pr', 'not (type eq "work")', 'type ne "home"'),
  fc.tuple(type, text).map(([a, b]) => `type eq "${a}" and display eq ${JSON.stringify(b)}`),
);

const subValues: Record<string, fc.Arbitrary<JsonValue>> = {
  value: certificate,
  type,
  display: text,
  primary: fc.oneof(fc.boolean(), fc.constantFrom('True', 'false')),
};

const subName = fc.constantFrom('value', 'type', 'display', 'primary');

const op = (...ops: string[]): fc.Arbitrary<string> =>
  fc.constantFrom(...ops.flatMap((name) => [name, `${name.charAt(0).toUpperCase()}${name.slice(1)}`]));

/** What unassigns, and what fits nothing. */
const odd: fc.Arbitrary<JsonValue> = fc.constantFrom(null, [], '', {}, 5, 'x', [null], [{}], { value: null });

/** An operation on one path, as a client writes it. */
type Operation = { op: string; path: string; value?: JsonValue };

/** An operation on one path that a client could mean, of which some fail. */
const onPath: fc.Arbitrary<Operation> = fc.oneof(
  fc.constantFrom(...Object.keys(singles)).chain((path) =>
    fc.record({
      op: op('add', 'replace', 'remove'),
      path: fc.constant(path),
      value: singles[path] as fc.Arbitrary<JsonValue>,
    }),
  ),
  pluralName.chain((path) =>
    fc.record({
      op: op('add', 'replace', 'remove'),
      path: fc.constant(path),
      value: severalOf(path),
    }),
  ),
  fc.tuple(pluralName, filterText).chain(([path, filter]) =>
    fc.record({
      op: op('add', 'replace', 'remove'),
      path: fc.constant(`${path}[${filter}]`),
      value: elements[path],
    }),
  ),
  fc.tuple(pluralName, fc.option(filterText), subName).chain(([path, filter, sub]) =>
    fc.record({
      op: op('add', 'replace', 'remove'),
      path: fc.constant(`${path}${filter === null ? '' : `[${filter}]`}.${sub}`),
      value: subValues[sub] as fc.Arbitrary<JsonValue>,
    }),
  ),
  fc.record({
    op: op('add', 'replace', 'remove'),
    path: fc.constantFrom(
      ...Object.keys(singles),
      ...Object.keys(elements),
      enterpriseUserUrn,
      'schemas',
      'id',
      'shoeSize',
    ),
    value: odd,
  }),
  fc.record({
    op: op('remove'),
    path: fc.constantFrom(...Object.keys(singles), ...Object.keys(elements), enterpriseUserUrn),
  }),
);

const withoutPath = fc.array(onPath, { maxLength: 4 }).chain((operations) =>
  fc.record({
    op: op('add', 'replace'),
    value: fc.constant(Object.fromEntries(operations.map(({ path, value }) => [path, value ?? null])) as JsonObject),
  }),
);

/** Operations that a client could mean, of which some fail. */
export const operations: fc.Arbitrary<JsonObject[]> = fc.array(
  fc.oneof({ arbitrary: onPath, weight: 4 }, withoutPath),
  {
    minLength: 1,
    maxLength: 6,
  },
);

/** The attribute that a path changes. */
const attributeOf = (path: string): string =>
  path.startsWith(`${enterpriseUserUrn}:manager`) ? 'manager' : path.replace(/(?<!2)[.[].*$/s, '');

/**
 * Add and replace operations with values, no two of them on the same attribute, whose paths find what they found before
 * when they are applied again.
 */
export const repeatableOperations: fc.Arbitrary<Operation[]> = fc
  .uniqueArray(onPath, {
    minLength: 1,
    maxLength: 5,
    selector: ({ path }) => attributeOf(path),
  })
  .map((chosen) => chosen.filter(isRepeatable));

function isRepeatable({ op: name, path, value }: Operation): boolean {
  if (/^remove$/i.test(name) || value === null || value === undefined || value === '') return false;
  const filter = /\[(.*)\](?:\.(.*))?$/s.exec(path);
  if (!filter) return true;
  // What a filter asks must still hold of the value behind it.
  const asked = ['type', 'value', 'display', 'primary'].filter((sub) => filter[1]?.includes(`${sub} `));
  const set = filter[2] === undefined ? Object.keys(isJsonObject(value) ? value : {}) : [filter[2]];
  const isWhole = filter[2] === undefined && /^replace$/i.test(name);
  return !isWhole && !set.some((sub) => asked.includes(sub)) && !asked.includes('primary') && !set.includes('primary');
}

/** Keys that every object has, and keys that mean something. */
const key = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'),
  fc.constantFrom('__proto__.polluted', 'constructor.prototype.polluted', 'name.__proto__', 'emails.constructor'),
  fc.constantFrom('op', 'path', 'value', 'Operations', 'schemas', 'type', 'primary', '$ref', 'display', 'polluted'),
  fc.constantFrom('name', 'emails', 'members', 'active', 'password', 'groups', 'id', 'meta', 'displayName', 'userName'),
  fc.constantFrom(enterpriseUserUrn, userUrn, `${enterpriseUserUrn}:manager`, `${enterpriseUserUrn}:__proto__`),
  fc.string({ unit: 'binary', maxLength: 6 }),
);

const path = fc.oneof(
  key,
  fc.tuple(key, filterText, key).map(([name, filter, sub]) => `${name}[${filter}].${sub}`),
  fc.tuple(key, key).map(([name, sub]) => `${name}.${sub}`),
  fc.constantFrom(
    'displayName',
    'name.givenName',
    'emails',
    'members[value eq "1"]',
    'members',
    'emails[',
    'emails[]',
    '/name/familyName',
    '',
    'a.b.c.d',
  ),
);

const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc
      .oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null))
      .map((value) => JSON.stringify(value)),
    fc.oneof(text, key, fc.string({ unit: 'binary' })).map((value) => JSON.stringify(value)),
    fc.array(tie('json'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    fc
      .array(fc.tuple(key, tie('json')), { maxLength: 4 })
      .map((entries) => `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`),
  ),
}));

/** A JSON text: keys such as `__proto__` are written out, so that parsing makes them properties. */
export const jsonText: fc.Arbitrary<string> = json;

/** Values that fit somewhere, with what does not belong there. */
const goodValue = fc.constantFrom(
  '"a@x"',
  '"b@x"',
  '[{"value":"1","constructor":{"polluted":true}}]',
  '{"displayName":"x","constructor":{"polluted":true}}',
  '{"name":{"givenName":"x","__proto__":{"polluted":true}},"toString":1}',
);

const member = (name: string, value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.option(value, { freq: 8 }).map((found) => (found === null ? '' : `"${name}":${found}`));

const opText = op('add', 'replace', 'remove').map((name) => `"${name}"`);

const anyOperationText = fc
  .tuple(
    member('op', fc.oneof({ arbitrary: opText, weight: 9 }, json)),
    member('path', fc.oneof({ arbitrary: path.map((value) => JSON.stringify(value)), weight: 9 }, json)),
    member('value', fc.oneof(json, goodValue)),
  )
  .map((members) => `{${members.filter((item) => item !== '').join(',')}}`);

const goodOperationText = fc
  .tuple(op('add', 'replace'), fc.constantFrom('', '"path":"name.givenName",', '"path":"displayName",'), goodValue)
  .map(([name, at, value]) => `{"op":"${name}",${at}"value":${value}}`);

/** The text of a PATCH message whose operations have any path and value. */
export const messageText: fc.Arbitrary<string> = fc
  .array(fc.oneof(anyOperationText, goodOperationText), { maxLength: 3 })
  .map((items) => JSON.stringify(patchOp([])).replace('[]', () => `[${items.join(',')}]`));
