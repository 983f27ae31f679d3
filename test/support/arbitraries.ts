import fc from 'fast-check';
import type { CompareOp, Filter } from '../../src/scim/filter/ast.js';
import type { AttrPath } from '../../src/scim/filter/attr-path.js';
import type { PatchPath } from '../../src/scim/filter/patch-path.js';
import {
  isJsonObject,
  type Attribute,
  type JsonObject,
  type JsonValue,
  type ResourceSchema,
} from '../../src/scim/index.js';

/** What this run generates from; fast-check prints it on failure, and FAST_CHECK_SEED=<seed> repeats the run. */
export const seed = Number(process.env['FAST_CHECK_SEED'] ?? Date.now() % 2 ** 31);

/** The comparison operators as they stand in a filter. */
export const operators: readonly CompareOp[] = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'];

// --- Filters and paths as written, with names of no schema ---

const attrName = fc.oneof(
  fc.constant('$ref'),
  fc
    .stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,6}$/)
    // "not" at the start of an expression is the operator.
    .filter((name) => name.toLowerCase() !== 'not'),
);

const uri = fc.oneof(
  fc.constantFrom('urn:ietf:params:scim:schemas:core:2.0:User', 'http://example.com/schemas/2.0/User'),
  fc.stringMatching(/^urn:[a-z0-9]{2,6}(:[A-Za-z0-9._~%!$&'*+,;=@/-]{1,6}){1,3}$/),
);

const optional = <K extends string, V>(key: K, value: fc.Arbitrary<V>): fc.Arbitrary<{ [key in K]?: V }> =>
  fc
    .option(value, { nil: undefined })
    .map((found) => (found === undefined ? {} : { [key]: found }) as { [k in K]?: V });

/** An attribute path as written. */
export const attrPath: fc.Arbitrary<AttrPath> = fc
  .tuple(optional('uri', uri), attrName, optional('sub', attrName))
  .map(([prefix, name, suffix]) => ({ ...prefix, name, ...suffix }));

/** A string that PostgreSQL can store: without U+0000 and lone surrogates. */
export const storable = (constraints: fc.StringConstraints = {}): fc.Arbitrary<string> =>
  fc.string({ unit: 'binary', maxLength: 8, ...constraints }).filter((text) => !text.includes('\0'));

const compValue = fc.oneof(
  storable(),
  fc.double({ noDefaultInfinity: true, noNaN: true }).map((value) => value + 0),
  fc.integer(),
  fc.constantFrom(true, false, null),
);

const { filter, valFilter } = fc.letrec<{ filter: Filter; valFilter: Filter }>((tie) => {
  const compare = fc.record({
    kind: fc.constant('compare' as const),
    path: attrPath,
    op: fc.constantFrom(...operators),
    value: compValue,
  });
  const present = fc.record({ kind: fc.constant('present' as const), path: attrPath });
  const valuePath = fc.record({
    kind: fc.constant('valuePath' as const),
    path: attrPath,
    filter: tie('valFilter'),
  });
  const logical = (term: fc.Arbitrary<Filter>): fc.Arbitrary<Filter>[] => [
    fc.record({ kind: fc.constant('not' as const), term }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      terms: fc.array(term, { minLength: 2, maxLength: 4 }),
    }),
  ];
  const limits = { maxDepth: 4, depthSize: 'small', withCrossShrink: true } as const;
  return {
    filter: fc.oneof({ ...limits, depthIdentifier: 'filter' }, compare, present, valuePath, ...logical(tie('filter'))),
    valFilter: fc.oneof({ ...limits, depthIdentifier: 'filter' }, compare, present, ...logical(tie('valFilter'))),
  };
});

/** A filter as written. */
export { filter };

/** A PATCH path as written. */
export const patchPath: fc.Arbitrary<PatchPath> = fc.oneof(
  attrPath.map((path) => ({ attrPath: path })),
  fc
    .tuple(attrPath, valFilter, optional('sub', attrName))
    .map(([path, inBrackets, sub]) => ({ attrPath: path, filter: inBrackets, ...sub })),
);

// --- Resources of a schema ---

/** Texts that differ in case, composition, width and UTF-16 order, or that LIKE, JSON and SQL could take for syntax. */
const fragments = [
  ...['a', 'A', 'b', 'work', 'é', 'e\u0301', 'É', 'ß', 'Σ', 'ς', '\uff21', '\u212a', '0', '10'],
  ...['%', '_', '\\', '"', "'", '*', ' ', '\n', '-', '\ue000', '\uffee', '\u{1f600}', '\u{10ffff}'],
];

/** A short text of fragments that are alike, so that different texts of it often compare equal or nearly so. */
export const text = fc.array(fc.constantFrom(...fragments), { maxLength: 3 }).map((parts) => parts.join(''));

/** A text that can be a user name (RFC 8265 section 3.3). */
const userName = fc
  .array(fc.constantFrom('a', 'A', 'é', 'E\u0301', 'ß', 'Σ', '%', '_', '\\', '"', "'", '\ud7a3', '\u{10400}'), {
    maxLength: 3,
  })
  .map((parts) => parts.join(''));

const base64 = fc.constantFrom('', 'AAEC', 'aaec', 'AA==', '//79', 'QUJD');

function value(attribute: Attribute): fc.Arbitrary<JsonValue> {
  switch (attribute.type) {
    case 'boolean':
      return fc.boolean();
    case 'binary':
      return base64;
    case 'integer':
      return fc.integer({ min: -3, max: 3 });
    case 'decimal':
      return fc.constantFrom(-1.5, 0, 0.1, 0.25, 1, 1e21, 1e-7);
    case 'dateTime':
      return fc.constantFrom('2026-01-31T23:30:00Z', '2026-02-01T01:00:00.5+01:30', '1999-12-31T00:00:00.001Z');
    case 'complex':
      return someOf(attribute.subAttributes ?? []);
    default:
      return attribute.canonicalValues ? fc.oneof(fc.constantFrom(...attribute.canonicalValues), text) : text;
  }
}

function values(attribute: Attribute): fc.Arbitrary<JsonValue> {
  if (!attribute.multiValued) return value(attribute);
  return fc.array(value(attribute), { maxLength: 3 }).map((elements) => {
    const primary = elements.findIndex((element) => isJsonObject(element) && element['primary'] === true);
    return elements.map((element, index) =>
      isJsonObject(element) && element['primary'] === true && index !== primary
        ? { ...element, primary: false }
        : element,
    );
  });
}

/** An object with some of the attributes. */
function someOf(attributes: readonly Attribute[]): fc.Arbitrary<JsonObject> {
  const writable = attributes.filter(
    (attribute) => attribute.mutability === 'readWrite' && attribute.name !== 'schemas',
  );
  return fc.record(Object.fromEntries(writable.map((attribute) => [attribute.name, values(attribute)])), {
    requiredKeys: [],
  });
}

/**
 * A body to create or replace a resource with: some of the attributes that its schema lets a client write, except those
 * that refer to other resources. `unique` keeps user names and external ids apart.
 */
export function resourceBody(schema: ResourceSchema, unique: string): fc.Arbitrary<JsonObject> {
  const linkless = (attributes: readonly Attribute[]): Attribute[] =>
    attributes.filter(({ name, linksTo }) => name !== 'manager' && !linksTo);
  return fc
    .tuple(
      someOf(linkless(schema.attributes)),
      fc.tuple(...schema.extensions.map((extension) => fc.option(someOf(linkless(extension.attributes))))),
      userName,
      text,
    )
    .map(([base, extensions, name, display]) => ({
      schemas: [schema.base.id],
      ...base,
      ...(schema.attribute('userName') ? { userName: `${name}${unique}` } : { displayName: `${display}${unique}` }),
      ...(typeof base['externalId'] === 'string' ? { externalId: `${unique}.${base['externalId']}` } : {}),
      ...Object.fromEntries(schema.extensions.map((extension, index) => [extension.id, extensions[index] ?? null])),
    }));
}

// --- Filters on a schema's attributes ---

/** What a filter can name, with values that resources have there. */
export interface Nameable {
  readonly path: string;
  readonly attribute: Attribute;
  readonly found: readonly JsonValue[];
}

const valuesAt = (holders: readonly JsonValue[], name: string): JsonValue[] =>
  holders
    .flatMap((holder) => (isJsonObject(holder) ? [holder[name]] : []))
    .flat()
    .filter((item) => item !== undefined);

/** The attributes and sub-attributes of a schema that filters and sorting can name. */
export function nameables(schema: ResourceSchema, resources: readonly JsonObject[]): Nameable[] {
  const within = (attributes: readonly Attribute[], holders: readonly JsonValue[], prefix: string): Nameable[] =>
    attributes
      .filter(({ returned }) => returned !== 'never')
      .flatMap((attribute) => {
        const found = valuesAt(holders, attribute.name);
        const path = `${prefix}${attribute.name}`;
        return [{ path, attribute, found }, ...within(attribute.subAttributes ?? [], found, `${path}.`)];
      });
  const extensions = schema.extensions.map(({ id, attributes }) =>
    within(attributes, valuesAt(resources, id), `${id}:`),
  );
  return [...within(schema.attributes, resources, ''), ...extensions.flat()];
}

/** The sub-attribute that stands for a complex attribute in a comparison. */
const compared = ({ path, attribute, found }: Nameable): Nameable | undefined => {
  if (attribute.type !== 'complex') return { path, attribute, found };
  const sub = attribute.subAttributes?.find(({ name }) => name === 'value');
  return sub && { path, attribute: sub, found: valuesAt(found, 'value') };
};

/** The operators that a filter can compare an attribute by. */
export function operatorsOf(nameable: Nameable): readonly CompareOp[] {
  const type = compared(nameable)?.attribute.type;
  if (type === undefined) return [];
  if (type === 'boolean' || type === 'binary') return ['eq', 'ne'];
  return type === 'string' || type === 'reference' ? operators : operators.filter((op) => !/^(co|sw|ew)$/.test(op));
}

const cased = (path: string): fc.Arbitrary<string> =>
  fc.constantFrom(path, path, path.toUpperCase(), path.toLowerCase());

const pool = (found: readonly JsonValue[]): fc.Arbitrary<string> =>
  found.length === 0 ? text : fc.constantFrom(...found.map(String));

/** A text that resources have, or one that differs from it in case, composition or extent. */
const nearby = (found: readonly JsonValue[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: pool(found) },
    {
      weight: 3,
      arbitrary: fc.tuple(pool(found), fc.nat(3), fc.nat(3)).map(([near, start, end]) => {
        const points = Array.from(near);
        return points.slice(start, Math.max(start, points.length - end)).join('');
      }),
    },
    pool(found).map((near) => near.toUpperCase()),
    pool(found).map((near) => near.normalize('NFD')),
    pool(found).map((near) => near.normalize('NFC').toLowerCase()),
    text,
  );

/** A dateTime that resources have, in another zone or with more digits, or one far away. */
const nearbyTime = (found: readonly JsonValue[]): fc.Arbitrary<string> => {
  const instants = pool(['2026-01-31T23:30:00.001Z', ...found]).map((time) => new Date(time));
  return fc.oneof(
    instants.map((time) => time.toISOString()),
    fc
      .tuple(instants, fc.constantFrom('000', '0004', '000499999', '0005', '9'))
      .map(([time, digits]) => time.toISOString().replace('Z', `${digits}-00:00`)),
    instants.map((time) => new Date(time.getTime() + 5_400_000).toISOString().replace('Z', '+01:30')),
    fc.constantFrom('0001-01-01T00:00:00Z', '1969-07-20T20:17:40-05:30', '9999-12-31T23:59:59.9999999Z'),
  );
};

function operand({ attribute, found }: Nameable): fc.Arbitrary<string> {
  switch (attribute.type) {
    case 'boolean':
      return fc.constantFrom('true', 'false', '"True"', '"false"');
    case 'integer':
    case 'decimal':
      return fc.oneof(fc.constantFrom('0', '-1.5', '0.25', '1e21', '2', '1e-7', '1.0'), pool([0, ...found]));
    case 'dateTime':
      return nearbyTime(found).map((time) => JSON.stringify(time));
    default:
      return nearby(found).map((near) => JSON.stringify(near));
  }
}

/** A comparison by an operator, as text. */
export function comparison(nameable: Nameable, op: CompareOp): fc.Arbitrary<string> {
  const right = operand(compared(nameable) ?? nameable);
  return fc
    .tuple(
      cased(nameable.path),
      cased(op),
      op === 'eq' || op === 'ne' ? fc.oneof({ weight: 9, arbitrary: right }, fc.constant('null')) : right,
    )
    .map((parts) => parts.join(' '));
}

/** An expression on one attribute, as text. */
const expression = (nameable: Nameable): fc.Arbitrary<string> =>
  fc.oneof(
    ...operatorsOf(nameable).map((op) => comparison(nameable, op)),
    cased(nameable.path).map((path) => `${path} pr`),
  );

function compound(leaf: fc.Arbitrary<string>, maxDepth: number): fc.Arbitrary<string> {
  return fc.letrec<{ filter: string }>((tie) => ({
    filter: fc.oneof(
      { maxDepth, withCrossShrink: true },
      { weight: 3, arbitrary: leaf },
      fc.tuple(cased('not'), fc.constantFrom(' (', '('), tie('filter')).map((parts) => `${parts.join('')})`),
      fc.tuple(tie('filter'), cased('and'), tie('filter')).map((parts) => parts.join(' ')),
      fc.tuple(tie('filter'), cased('or'), tie('filter')).map((parts) => parts.join(' ')),
      tie('filter').map((inner) => `(${inner})`),
    ),
  })).filter;
}

/** A value path, with or without a comparison of a sub-attribute behind the brackets. */
export function valuePath({ path, attribute, found }: Nameable): fc.Arbitrary<string> {
  const subs = (attribute.subAttributes ?? []).map((sub) =>
    expression({ path: sub.name, attribute: sub, found: valuesAt(found, sub.name) }),
  );
  const one = fc.oneof(...subs);
  return fc
    .tuple(cased(path), compound(one, 2), fc.option(one))
    .map(([name, inner, behind]) => `${name}[${inner}]${behind === null ? '' : `.${behind}`}`);
}

/** A filter on a resource type, as text, that selects some of the resources more often than none or all. */
export function filterText(schema: ResourceSchema, resources: readonly JsonObject[]): fc.Arbitrary<string> {
  const all = nameables(schema, resources);
  const base = all.filter(({ path }) => !path.startsWith('urn:'));
  const qualified = base.map((nameable) => ({ ...nameable, path: `${schema.base.id}:${nameable.path}` }));
  const plural = all.filter(({ attribute }) => attribute.multiValued && attribute.type === 'complex');
  const schemas = [schema.base, ...schema.extensions].map(({ id }) => cased(id).map((urn) => `${urn} pr`));
  const leaf = fc.oneof(
    { weight: 6, arbitrary: fc.oneof(...all.map(expression)) },
    { weight: 1, arbitrary: fc.oneof(...qualified.map(expression)) },
    { weight: 4, arbitrary: fc.oneof(...plural.map(valuePath)) },
    { weight: 1, arbitrary: fc.oneof(...schemas) },
  );
  return compound(leaf, 3);
}
