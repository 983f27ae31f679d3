import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { basePath } from '../../src/http/scim-path.js';
import { SqlCompiler } from '../../src/persistence/filter-sql/compile.js';
import { sqlContext } from '../../src/persistence/filter-sql/columns.js';
import {
  bindFilter,
  coreRegistry,
  enterpriseUserUrn,
  evaluate,
  foldResource,
  isJsonObject,
  leaf,
  parseFilter,
  profiles,
  readSort,
  ResourceSchema,
  type Attribute,
  type JsonObject,
  type JsonValue,
  type Schema,
  type Sort,
} from '../../src/scim/index.js';
import { compareText } from '../../src/scim/filter/evaluate.js';
import { attribute } from '../../src/scim/schema/schema.js';
import {
  comparison,
  filterText,
  nameables,
  operatorsOf,
  resourceBody,
  seed,
  valuePath,
  type Nameable,
} from '../support/arbitraries.js';
import type { Resource, ScimClient } from '../support/client.js';
import { publicUrl, startServer, type TestServer } from '../support/server.js';

const userSchema = coreRegistry.resourceSchema('User');
const groupSchema = coreRegistry.resourceSchema('Group');

/** What a run with this seed generates in one place. */
const pick = <T>(arbitrary: fc.Arbitrary<T>, place: number): T =>
  fc.sample(arbitrary, { numRuns: 1, seed: seed + place })[0] as T;

async function store(scim: ScimClient, path: string, body: JsonValue, method: 'post' | 'put'): Promise<string> {
  const answer = await scim[method](path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path} of ${JSON.stringify(body)}: ${answer.text}`);
  return answer.body.id;
}

/** Users, of whom half are replaced and then have managers: some that exist, some that do not. */
async function storeUsers(scim: ScimClient): Promise<string[]> {
  const ids: string[] = [];
  const body = (index: number, place: number): JsonObject => pick(resourceBody(userSchema, `u${index}`), place);
  for (let index = 0; index < 40; index++) ids.push(await store(scim, '/Users', body(index, index), 'post'));
  for (const [index, id] of ids.entries()) {
    if (index % 2 === 0) continue;
    const anyone = fc.constantFrom(...ids.filter((other) => other !== id));
    const manager = fc.oneof(
      { weight: 4, arbitrary: anyone.map((value) => ({ value })) },
      anyone.map((other) => ({ $ref: `${publicUrl}${basePath}/Users/${other}` })),
      anyone.map((value) => ({ value: value.toUpperCase() })),
      fc.constantFrom({ value: randomUUID() }, { value: 'Ann Manager' }, { value: '' }),
    );
    const replacement = body(index, 1000 + index);
    // Every other extension holds a manager and nothing else.
    const others = index % 4 === 1 ? {} : replacement[enterpriseUserUrn];
    const chosen = index === 1 ? { value: ids[7] ?? '' } : pick(manager, index);
    replacement[enterpriseUserUrn] = { ...(isJsonObject(others) ? others : {}), manager: chosen };
    await store(scim, `/Users/${id}`, replacement, 'put');
  }
  return ids;
}

/** Groups whose members are users and groups, also in circles. */
async function storeGroups(scim: ScimClient, users: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  const body = (index: number, from: readonly string[]): JsonObject => ({
    ...pick(resourceBody(groupSchema, `g${index}`), 2000 + index),
    members: pick(fc.array(fc.constantFrom(...from), { maxLength: 5 }), index).map((value) => ({ value })),
  });
  for (let index = 0; index < 16; index++) ids.push(await store(scim, '/Groups', body(index, users), 'post'));
  for (const [index, id] of ids.entries()) {
    const others = ids.filter((other) => other !== id);
    if (index % 3 !== 0) await store(scim, `/Groups/${id}`, body(index, [...users, ...others, ...others]), 'put');
  }
  return ids;
}

/** The representations of those that are still there, as GET answers with them. */
async function readAll(scim: ScimClient, endpoint: string, ids: readonly string[]): Promise<Resource[]> {
  const found: Resource[] = [];
  for (const id of ids) {
    const { status, body } = await scim.get(`${endpoint}/${id}`);
    if (status === 200) found.push(body);
  }
  return found;
}

/** What a resource is ordered by: of several elements the primary one's value, else the first one's. */
function sortValue({ target }: Sort, folded: JsonObject): JsonValue | undefined {
  const holder = target.extension ? folded[target.extension.id] : folded;
  const found = isJsonObject(holder) ? holder[target.attribute.name] : undefined;
  const element = Array.isArray(found)
    ? (found.find((item) => isJsonObject(item) && item['primary'] === true) ?? found[0])
    : found;
  return target.subAttribute ? (isJsonObject(element) ? element[leaf(target).name] : undefined) : element;
}

/** Compares two values, and those that are missing. Where it gives 0, resources stay in the order of their ids. */
function compareValues({ descending }: Sort, a: JsonValue | undefined, b: JsonValue | undefined): number {
  const missing = Number(a === undefined) - Number(b === undefined);
  const order =
    missing !== 0 || a === undefined || b === undefined
      ? missing
      : typeof a === 'string'
        ? compareText(a, b as string)
        : Number(a) - Number(b);
  return descending ? -order : order;
}

/** The resources, which are in the order of their ids, in the order of their values. */
function inOrder<R extends JsonObject>(resources: readonly R[], sort: Sort, schema: ResourceSchema): R[] {
  const value = (resource: R): JsonValue | undefined => sortValue(sort, foldResource(schema, resource));
  return resources.toSorted((a, b) => compareValues(sort, value(a), value(b)));
}

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

describe('a list over the database', () => {
  const stored: Record<string, readonly Resource[]> = {};
  /** How many filters were held against how many resources, and how many selected some but not all of them. */
  const compared = { filters: 0, pairs: 0, selective: 0 };

  beforeAll(async () => {
    const users = await storeUsers(server.scim);
    const groups = await storeGroups(server.scim, users);
    // Some who are managers or members go: what refers to them must not match any more.
    for (const id of users.slice(7, 10)) await server.scim.delete(`/Users/${id}`);
    await server.scim.delete(`/Groups/${groups[3]}`);
    stored['User'] = await readAll(server.scim, '/Users', users);
    stored['Group'] = await readAll(server.scim, '/Groups', groups);
  }, 120_000);

  const types = [userSchema, groupSchema].map((schema) => ({
    schema,
    name: schema.name,
    resources: (): readonly Resource[] => stored[schema.name] ?? [],
  }));
  type Type = (typeof types)[number];

  async function listed({ schema }: Type, query: Record<string, string>): Promise<unknown> {
    const parameters = new URLSearchParams({ ...query, count: '200', attributes: 'id' });
    const { status, body } = await server.scim.list(`${schema.type.endpoint}?${parameters.toString()}`);
    return status === 200 ? body.Resources.map(({ id }) => id) : { status, body };
  }

  async function check(type: Type, filter: string): Promise<void> {
    const bound = bindFilter(parseFilter(filter), type.schema, profiles.default);
    const all = type.resources();
    const accepted = all.filter((resource) => evaluate(bound, foldResource(type.schema, resource)));
    expect({ seed, filter, ids: await listed(type, { filter }) }).toEqual({
      seed,
      filter,
      ids: accepted.map(({ id }) => id),
    });
    compared.filters += 1;
    compared.pairs += all.length;
    if (accepted.length > 0 && accepted.length < all.length) compared.selective += 1;
  }

  const checkAll = (type: Type, filters: fc.Arbitrary<string>, numRuns: number): Promise<void> =>
    fc.assert(
      fc.asyncProperty(filters, (filter) => check(type, filter)),
      { seed, numRuns },
    );

  it.each(types)(
    'selects each $name that a comparison accepts, for every attribute and operator',
    async (type) => {
      for (const nameable of nameables(type.schema, type.resources())) {
        for (const op of operatorsOf(nameable)) await check(type, pick(comparison(nameable, op), compared.filters));
      }
    },
    300_000,
  );

  it.each(types)(
    'selects each $name of which one element satisfies a value path, for every multi-valued attribute',
    async (type) => {
      const isPlural = ({ attribute }: Nameable): boolean =>
        attribute.multiValued && attribute.subAttributes !== undefined;
      for (const nameable of nameables(type.schema, type.resources()).filter(isPlural)) {
        await checkAll(type, valuePath(nameable), 10);
      }
    },
    300_000,
  );

  it.each(types)(
    'selects each $name that a filter of several terms accepts',
    (type) => checkAll(type, filterText(type.schema, type.resources()), 200),
    300_000,
  );

  it('was held against at least 10,000 pairs of filter and resource, and selected a part of the resources by many', () => {
    process.stdout.write(`oracle: ${compared.pairs} pairs of ${compared.filters} filters and the resources\n`);
    expect(compared.pairs).toBeGreaterThanOrEqual(10_000);
    expect(compared.selective / compared.filters).toBeGreaterThan(0.25);
  });

  it.each(types)(
    'puts each $name in the order of its values for every attribute, those without one last, or first when descending',
    async (type) => {
      const sortable = nameables(type.schema, type.resources()).filter((nameable) => operatorsOf(nameable).length > 0);
      for (const { path } of sortable) {
        for (const sortOrder of ['ascending', 'descending']) {
          const sort = readSort(path, sortOrder, type.schema) as Sort;
          const ordered = inOrder(type.resources(), sort, type.schema);
          expect({ [path]: await listed(type, { sortBy: path, sortOrder }) }).toEqual({
            [path]: ordered.map((resource) => resource.id),
          });
        }
      }
    },
    300_000,
  );
});

describe('the SQL for a resource type of a schema of its own', () => {
  let resources: (JsonObject & { id: string })[];

  const simple = ['integer', 'decimal', 'dateTime', 'boolean', 'reference', 'string'] as const;
  const oneOfEach = (more: Partial<Attribute>): Attribute[] =>
    simple.map((type) =>
      attribute({ name: `${type}${more.multiValued ? 's' : ''}`, type, description: type, ...more }),
    );
  const parts = attribute({
    name: 'parts',
    type: 'complex',
    multiValued: true,
    description: 'parts',
    subAttributes: [
      attribute({ name: 'value', type: 'decimal', description: 'value' }),
      attribute({ name: 'primary', type: 'boolean', description: 'primary' }),
      ...oneOfEach({}),
    ],
  });
  const extension: Schema = {
    id: 'urn:example:schemas:extension:2.0:Gauge',
    name: 'Gauge',
    description: 'Gauge',
    attributes: [...oneOfEach({ caseExact: true }), ...oneOfEach({ multiValued: true }), parts],
  };
  const base: Schema = { ...extension, id: 'urn:example:schemas:2.0:Meter', name: 'Meter' };
  const schema = new ResourceSchema(
    {
      name: 'Meter',
      description: 'Meter',
      endpoint: '/Meters',
      schema: base.id,
      schemaExtensions: [{ schema: extension.id, required: false }],
    },
    base,
    [extension],
  );
  const columns = {
    table: 'meters',
    values: { id: () => ({ sql: 'r.id', type: 'uuid' as const }) },
    unique: [],
    elements: {},
  };

  const tenantId = randomUUID();

  beforeAll(async () => {
    await server.dataSource.query(
      'CREATE TABLE meters (tenant_id uuid NOT NULL, id uuid PRIMARY KEY, folded jsonb NOT NULL)',
    );
    resources = fc
      .sample(resourceBody(schema, 'm'), { numRuns: 30, seed })
      .map((body) => ({ ...body, id: randomUUID() }))
      .toSorted((a, b) => compareText(a.id, b.id));
    for (const resource of resources) {
      await server.dataSource.query('INSERT INTO meters VALUES ($1, $2, $3)', [
        tenantId,
        resource.id,
        JSON.stringify(foldResource(schema, resource)),
      ]);
    }
  }, 120_000);

  async function selected(make: (compiler: SqlCompiler) => string): Promise<string[]> {
    const parameters: unknown[] = [tenantId];
    const sql = make(new SqlCompiler(columns, sqlContext(parameters, publicUrl)));
    const rows: { id: string }[] = await server.dataSource.query(
      `SELECT r.id FROM meters r WHERE r.tenant_id = $1 ${sql}`,
      parameters,
    );
    return rows.map(({ id }) => id);
  }

  async function check(filter: string): Promise<void> {
    const bound = bindFilter(parseFilter(filter), schema, profiles.default);
    const accepted = resources.filter((resource) => evaluate(bound, foldResource(schema, resource)));
    const ids = await selected((compiler) => `AND (${compiler.condition(bound)}) ORDER BY r.id`);
    expect({ seed, filter, ids }).toEqual({ seed, filter, ids: accepted.map(({ id }) => id) });
  }
  const checkAll = (filters: fc.Arbitrary<string>, numRuns: number): Promise<void> =>
    fc.assert(fc.asyncProperty(filters, check), { seed, numRuns });
  const named = (): Nameable[] => nameables(schema, resources).filter(({ path }) => !path.startsWith('meta'));

  it('selects each resource that a comparison accepts, for every type of attribute and operator', async () => {
    for (const [index, nameable] of named().entries()) {
      for (const op of operatorsOf(nameable)) {
        for (const place of [2 * index, 2 * index + 1]) await check(pick(comparison(nameable, op), place));
      }
    }
  }, 300_000);

  it('selects each resource of which one element satisfies a value path', async () => {
    for (const nameable of named().filter(({ attribute }) => attribute.name === 'parts')) {
      await checkAll(valuePath(nameable), 100);
    }
  }, 300_000);

  it('puts each resource in the order of its values', async () => {
    for (const nameable of named().filter((candidate) => operatorsOf(candidate).length > 0)) {
      const sort = readSort(nameable.path, undefined, schema) as Sort;
      const ids = await selected((compiler) => {
        const { sql, type } = compiler.sortKey(sort);
        return `ORDER BY (${sql}) ${type === 'text' ? 'COLLATE "C"' : ''}, r.id`;
      });
      const ordered = inOrder(resources, sort, schema).map(({ id }) => id);
      expect({ [nameable.path]: ids }).toEqual({ [nameable.path]: ordered });
    }
  }, 300_000);
});
