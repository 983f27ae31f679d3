import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../src/scim/index.js';
import type { Answer, Resource } from '../support/client.js';
import { startServer, type TestServer } from '../support/server.js';

const runs = Number(process.env['FUZZ_RUNS'] ?? 1500);
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

/** Texts that mean something somewhere: in JSON, SQL, SCIM, JavaScript, URLs or Unicode. */
const nastyText = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '"',
    "'",
    '\\',
    '%',
    '_',
    '%00',
    '\0',
    '\ud800',
    '\udc00\ud800',
    'é',
    'e\u0301',
    '\u202e',
    '\u{1f600}',
    '__proto__',
    'constructor',
    'toString',
    'null',
    'true',
    'bulkId:x',
    'W/"1"',
    '*',
    '..',
    '../..',
    '[',
    ']',
    '[]',
    "' OR 1=1 --",
    '"; DROP TABLE users; --',
    '${jndi:ldap://x}',
    '$.emails',
    '/name/familyName',
    'emails[0]',
    'userName',
    'emails[type eq "work"].value',
    'members[value eq "x"]',
    `${enterprise}:manager`,
    'name.familyName',
    'active',
    'meta.created',
    'groups',
    'password',
    'schemas',
    'id',
    'externalId',
    '2011-05-13T04:42:34Z',
    '1e400',
    '00000000-0000-7000-8000-000000000000',
    '9223372036854775808',
    'urn:ietf:params:scim:schemas:core:2.0:User',
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 20 }),
);

const attributeName = fc.oneof(
  fc.constantFrom(
    'userName',
    'USERNAME',
    'name',
    'emails',
    'active',
    'members',
    'displayName',
    'password',
    'id',
    'meta',
    'schemas',
    'groups',
    'externalId',
    'addresses',
    'x509Certificates',
    'value',
    'type',
    'primary',
    '$ref',
    enterprise,
    'manager',
    'Operations',
    'op',
    'path',
    'method',
    'bulkId',
    'data',
    'filter',
    'count',
    'cursor',
    'failOnErrors',
    '__proto__',
  ),
  nastyText,
);

const scalar = fc.oneof(
  nastyText,
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constant(null),
);

const { json } = fc.letrec<{ json: JsonValue }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar as fc.Arbitrary<JsonValue>,
    fc.array(tie('json'), { maxLength: 4 }) as fc.Arbitrary<JsonValue>,
    fc.dictionary(attributeName, tie('json'), { maxKeys: 5 }) as fc.Arbitrary<JsonValue>,
  ),
}));

const operation = fc.record(
  {
    op: fc.oneof(fc.constantFrom('add', 'remove', 'replace', 'Add', 'move'), json),
    path: fc.oneof(nastyText, attributeName, json),
    value: json,
  },
  { requiredKeys: ['op'] },
);

const body = fc.oneof(
  json,
  fc.record({ Operations: fc.array(operation, { maxLength: 4 }) }),
  fc.record({ userName: nastyText, extra: json, emails: json, name: json, [enterprise]: json }, { requiredKeys: [] }),
  fc.record({ displayName: nastyText, members: json }),
  fc.record({
    Operations: fc.array(
      fc.record(
        {
          method: fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE', 'x'),
          path: fc.constantFrom('/Users', '/Groups', '/Users/bulkId:a'),
          bulkId: fc.constantFrom('a', 'b'),
          data: json,
        },
        { requiredKeys: ['method'] },
      ),
      { maxLength: 4 },
    ),
  }),
);

/** A body as bytes: mostly JSON, sometimes cut or with a byte changed. */
const bytesOf = (value: fc.Arbitrary<unknown>): fc.Arbitrary<Uint8Array<ArrayBuffer>> =>
  fc
    .tuple(value, fc.constantFrom('whole', 'whole', 'whole', 'whole', 'whole', 'cut', 'changed'), fc.nat(), fc.nat(255))
    .map(([content, kind, at, byte]) => {
      const whole = new Uint8Array(Buffer.from(JSON.stringify(content)));
      if (kind === 'cut') return whole.slice(0, at % (whole.length + 1));
      if (kind === 'changed' && whole.length > 0) whole[at % whole.length] = byte;
      return whole;
    });

/** A value that often fits the attribute it is for. */
const fitting = fc.oneof(
  nastyText,
  fc.boolean(),
  fc.record(
    { value: nastyText, type: fc.constantFrom('work', 'home', 'User', 'Group'), primary: fc.boolean() },
    { requiredKeys: [] },
  ),
  fc.array(fc.record({ value: nastyText, type: fc.constantFrom('work', 'home') }), { maxLength: 3 }),
  fc.record({ givenName: nastyText, familyName: nastyText }),
  json,
);
const user = fc.record(
  {
    userName: fc.uuid(),
    displayName: nastyText,
    emails: fitting,
    name: fitting,
    active: fitting,
    [enterprise]: fitting,
    roles: fitting,
  },
  { requiredKeys: ['userName'] },
);
const group = fc.record(
  { displayName: fc.uuid(), members: fc.constantFrom([], [{ value: 'ID' }], [{ value: 'x' }]), externalId: nastyText },
  { requiredKeys: ['displayName'] },
);
const patch = fc.record({
  Operations: fc.array(
    fc.record(
      {
        op: fc.constantFrom('add', 'remove', 'replace', 'Replace'),
        path: fc.oneof(
          fc.constantFrom(
            'displayName',
            'name.familyName',
            'emails',
            'emails[type eq "work"].value',
            'emails[primary eq true]',
            'active',
            'members',
            `${enterprise}:manager`,
            `${enterprise}:department`,
            'externalId',
            'roles[value ne "x"].type',
            'addresses',
            'schemas',
            enterprise,
          ),
          nastyText,
        ),
        value: fitting,
      },
      { requiredKeys: ['op'] },
    ),
    { minLength: 1, maxLength: 4 },
  ),
});

const filter = fc.oneof(
  nastyText,
  fc
    .tuple(attributeName, fc.constantFrom('eq', 'ne', 'co', 'sw', 'ew', 'gt', 'le', 'pr', 'zz'), scalar)
    .map(([name, op, value]) => `${name} ${op} ${JSON.stringify(value)}`),
  fc.tuple(attributeName, nastyText).map(([name, text]) => `not (${name}[value eq ${JSON.stringify(text)}]) or id pr`),
);

const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());
const query = fc.oneof(
  fc.constant(''),
  fc
    .array(
      fc.oneof(
        filter.map((text) => `filter=${encoded(text)}`),
        fc
          .tuple(
            fc.constantFrom('count', 'startIndex', 'cursor', 'sortBy', 'sortOrder', 'attributes', 'excludedAttributes'),
            nastyText,
          )
          .map(([name, text]) => `${name}=${encoded(text)}`),
        fc.constantFrom('filter=%zz', 'filter=%c3%28', '%00=1', 'cursor', '&&', 'aadOptscim062020=true'),
      ),
      { maxLength: 3 },
    )
    .map((parts) => `?${parts.join('&')}`),
);

const path = fc.oneof(
  fc.constantFrom(
    '',
    '/',
    '/Users',
    '/Users/',
    '/Groups',
    '/Users/ID',
    '/Groups/GROUP',
    '/Users/.search',
    '/.search',
    '/Bulk',
    '/Me',
    '/Schemas',
    '/Schemas/urn:ietf:params:scim:schemas:core:2.0:User',
    '/ResourceTypes/User',
    '/ServiceProviderConfig',
    '/Users/GROUP',
    '/Nothing',
    '/Users/%00',
    '/Users/%zz',
    '/Users/ID/x',
    '//Users',
    '/users/ID',
  ),
  nastyText.map((text) => `/Users/${encoded(text)}`),
);

const header = fc.oneof(
  { arbitrary: fc.constant({}), weight: 9 },
  fc.constantFrom<Record<string, string>[]>(
    {},
    {},
    {},
    { 'If-Match': 'W/"1"' },
    { 'If-Match': '*' },
    { 'If-None-Match': '"1", W/"2"' },
    { Accept: 'text/html' },
    { 'Content-Type': 'text/plain' },
    { 'Content-Type': 'application/json; charset=utf-16' },
    { 'Content-Encoding': 'gzip' },
    { Prefer: 'return=representation' },
    { 'X-HTTP-Method-Override': 'DELETE' },
    { Accept: ';;q=' },
    { 'If-Match': ',,"' },
  ),
);

const method = fc.constantFrom('GET', 'POST', 'POST', 'PUT', 'PATCH', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'PROPFIND');

/** Requests that mean something, and requests that mean nothing. */
const request = fc.oneof(
  { weight: 2, arbitrary: fc.tuple(method, path, query, header, bytesOf(body)) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constant('GET'), fc.constantFrom('/Users', '/Groups', ''), query, header, bytesOf(body)),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant('POST'), fc.constant('/Users'), query, header, bytesOf(user)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('POST'), fc.constant('/Groups'), query, header, bytesOf(group)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('PUT'), fc.constant('/Users/ID'), query, header, bytesOf(user)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('PUT'), fc.constant('/Groups/GROUP'), query, header, bytesOf(group)) },
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.constant('PATCH'),
      fc.constantFrom('/Users/ID', '/Groups/GROUP'),
      query,
      header,
      bytesOf(patch),
    ),
  },
);

describe('any request whatsoever (RFC 7644 section 3.12)', () => {
  let server: TestServer;
  let kept: Answer<Resource>;
  let keptGroup: Answer<Resource>;
  const statuses = new Map<number, number>();

  beforeAll(async () => {
    server = await startServer();
    kept = await server.scim.post('/Users', {
      userName: 'kept',
      emails: [{ value: 'kept@example.com', type: 'work' }],
    });
    keptGroup = await server.scim.post('/Groups', { displayName: 'Kept', members: [{ value: kept.body.id }] });
    process.stdout.write(`fuzz: ${runs} requests, seed ${seed} (FUZZ_SEED)\n`);
  });
  afterAll(async () => {
    const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
    process.stdout.write(`fuzz: answered ${counts.join(', ')}\n`);
    await server.close();
  });

  it('is answered with less than 500, errors with a SCIM message, and never with a secret or SQL', async () => {
    await fc.assert(
      fc.asyncProperty(request, async ([verb, where, search, headers, payload]) => {
        const target = where.replace('ID', kept.body.id).replace('GROUP', keptGroup.body.id);
        // The resources that the requests aim at are there for the next one, too.
        const isDeletion = verb === 'DELETE' && /ID|GROUP/.test(where);
        if (isDeletion) return;
        const hasBody = verb !== 'GET' && verb !== 'HEAD';
        const answer = await server.scim.send<JsonObject | undefined>(
          verb,
          target + search,
          hasBody ? payload : undefined,
          { headers },
        );
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        // 501 is what /Me says: the feature is off.
        expect(answer.status === 501 ? 0 : answer.status).toBeLessThan(500);
        if (answer.status < 400 || verb === 'HEAD') return;
        expect(answer.headers.get('content-type')).toMatch(/^application\/(scim\+)?json; charset=utf-8$/);
        expect(answer.body).toMatchObject({
          schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
          status: String(answer.status),
        });
        expect(answer.body?.['detail']).toMatch(/./);
        expect(answer.text).not.toMatch(/SELECT |INSERT |node_modules|\bat \w+ \(|scrypt|rollcall_/);
      }),
      { numRuns: runs, seed, endOnFailure: true },
    );
  }, 600_000);

  it('leaves the server able to answer, and Object.prototype as it was', async () => {
    expect((await server.scim.get(`/Users/${kept.body.id}`)).status).toBe(200);
    expect((await server.scim.get(`/Groups/${keptGroup.body.id}`)).status).toBe(200);
    expect(Object.keys(Object.prototype)).toEqual([]);
    const errors = server.logged().filter(({ msg }) => msg === 'unexpected error');
    expect(errors).toEqual([]);
  });
});
