import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { JsonObject, JsonValue } from '../../src/scim/index.js';
import type { Resource } from '../support/client.js';
import { scimError } from '../support/errors.js';
import { emptyList, locationOf, metaOf, urn } from '../support/expected.js';
import { startServer, type TestServer } from '../support/server.js';

const flag = '?aadOptscim062020=true';
const managerPath = `${urn.enterprise}:manager`;

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

/** The body that Entra creates a user with. */
const provisioned = (alias: string): JsonObject => ({
  schemas: [urn.user, urn.enterprise],
  externalId: `ext-${alias}`,
  userName: `${alias}@contoso.com`,
  active: true,
  displayName: alias,
  emails: [{ primary: true, type: 'work', value: `${alias}@contoso.com` }],
  meta: { resourceType: 'User' },
  name: { formatted: `${alias} One`, familyName: 'One', givenName: alias },
  roles: [],
  [urn.enterprise]: { department: 'Sales', employeeNumber: '701984' },
});

/** What the server makes of it: without roles, which are unassigned. */
function represented(alias: string, id: string, version: number, changes: JsonObject = {}): JsonObject {
  const { roles: _unassigned, ...given } = provisioned(alias);
  return { ...given, id, meta: metaOf('User', id, version), ...changes };
}

async function provision(alias: string, more: JsonObject = {}): Promise<Resource> {
  const { status, body } = await server.scim.post('/Users', { ...provisioned(alias), ...more });
  expect(status).toBe(201);
  return body;
}

const read = async (id: string): Promise<Resource> => (await server.scim.get(`/Users/${id}`)).body;

async function patch(id: string, operations: JsonValue[], query = ''): Promise<Resource> {
  const { status, body } = await server.scim.operations(`/Users/${id}${query}`, operations);
  expect(status).toBe(200);
  expect(await read(id)).toEqual(body);
  return body;
}

describe('Entra tests the connection', () => {
  it.each(['userName', 'id'])(
    'by looking for a user with a random %s, and gets an empty list as scim+json',
    async (attribute) => {
      const filter = `${attribute} eq "${randomUUID()}"`;
      const { status, headers, body } = await server.scim.list(`/Users?filter=${encodeURIComponent(filter)}`);
      expect(status).toBe(200);
      expect(headers.get('content-type')).toBe('application/scim+json; charset=utf-8');
      expect(body).toEqual(emptyList);
    },
  );

  it('and by reading the schemas, which hold no null and spell values in camelCase', async () => {
    const { status, body, text } = await server.scim.list<{ id: string }>('/Schemas');
    expect(status).toBe(200);
    expect(body.schemas).toEqual([urn.list]);
    expect(body.Resources.map((schema) => schema.id)).toEqual(expect.arrayContaining([urn.user, urn.group]));
    expect(text).not.toMatch(/null|"ReadWrite"|"Default"|"Server"/);
  });
});

describe('Entra provisions a user', () => {
  it('by POST with both URNs, a meta of its own and "roles": []', async () => {
    const { status, headers, body } = await server.scim.post('/Users', provisioned('ann'));
    expect(status).toBe(201);
    expect(body).toEqual(represented('ann', body.id, 1));
    expect(headers.get('content-type')).toBe('application/scim+json; charset=utf-8');
    expect(await read(body.id)).toEqual(body);
  });

  it.each([
    ['userName', 'userName eq "match@contoso.com"'],
    ['userName in another case', 'userName eq "Match@Contoso.com"'],
    ['externalId', 'externalId eq "ext-match"'],
    ['the work address', 'emails[type eq "work"].value eq "match@contoso.com"'],
    ['an attribute of the extension', `${urn.enterprise}:employeeNumber eq "match-7"`],
    ['two attributes', 'externalId eq "ext-match" and userName eq "match@contoso.com"'],
  ])('after matching by %s, with %s, spaces as %%20 or as +', async (_what, filter) => {
    const found = await server.scim.list('/Users?filter=externalId eq "ext-match"');
    const user =
      found.body.Resources[0] ?? (await provision('match', { [urn.enterprise]: { employeeNumber: 'match-7' } }));
    const encoded = encodeURIComponent(filter);
    for (const query of [encoded, encoded.replaceAll('%20', '+')]) {
      const { body } = await server.scim.list(`/Users?filter=${query}`);
      expect(body).toEqual({ ...emptyList, totalResults: 1, itemsPerPage: 1, Resources: [user] });
    }
  });

  it('and finds nobody by an address that is in another element than the type', async () => {
    const alias = 'twoaddresses';
    await provision(alias, {
      emails: [
        { type: 'work', value: `${alias}@contoso.com` },
        { type: 'home', value: `${alias}@home.example` },
      ],
    });
    const filter = encodeURIComponent(`emails[type eq "work"].value eq "${alias}@home.example"`);
    expect((await server.scim.list(`/Users?filter=${filter}`)).body).toEqual(emptyList);
  });

  it('and stores values as they are sent', async () => {
    const phoneNumbers = [{ type: 'mobile', value: '+1 (425) 555-0100 x12' }];
    const emails = [{ type: 'work', value: 'MiXed.Case@Contoso.COM' }];
    const user = await provision('assent', { phoneNumbers, emails });
    expect([user['phoneNumbers'], user['emails']]).toEqual([phoneNumbers, emails]);
  });
});

describe('Entra updates a user with one path an operation and capitalised ops', () => {
  it('and the answer is the whole user', async () => {
    const { id } = await provision('bob');
    const body = await patch(id, [
      { op: 'Replace', path: 'displayName', value: 'Robert' },
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'robert@contoso.com' },
      { op: 'Replace', path: 'name.givenName', value: 'Robert' },
      { op: 'Add', path: 'nickName', value: 'Bobby' },
      { op: 'Replace', path: 'externalId', value: 'ext-robert' },
      { op: 'Replace', path: `${urn.enterprise}:employeeNumber`, value: '1729' },
      { op: 'Remove', path: `${urn.enterprise}:department` },
    ]);
    expect(body).toEqual(
      represented('bob', id, 2, {
        displayName: 'Robert',
        emails: [{ primary: true, type: 'work', value: 'robert@contoso.com' }],
        name: { formatted: 'bob One', familyName: 'One', givenName: 'Robert' },
        nickName: 'Bobby',
        externalId: 'ext-robert',
        [urn.enterprise]: { employeeNumber: '1729' },
      }),
    );
  });

  it.each<[string, JsonValue, boolean]>([
    ['"False"', 'False', false],
    ['false', false, false],
    ['"True"', 'True', true],
    ['true', true, true],
  ])('and active given as %s comes back as a boolean', async (written, value, active) => {
    const { id } = await provision(`active-${written.replaceAll('"', 'q')}`, { active: !active });
    const body = await patch(id, [{ op: 'Replace', path: 'active', value }]);
    expect(body['active']).toBe(active);
  });
});

describe('Entra updates a user with the flag aadOptscim062020', () => {
  it.each(['add', 'replace'])('by %s without a path, whose keys are dotted and URN paths', async (op) => {
    const { id } = await provision(`flag-${op}`);
    const value = {
      displayName: 'Flagged',
      'name.givenName': 'Given',
      'name.middleName': 'Middle',
      'emails[type eq "other"].value': 'other@contoso.com',
      [`${urn.enterprise}:employeeNumber`]: '1730',
      [`${urn.enterprise}:costCenter`]: 'CC-1',
    };
    const operations = [
      { op: 'replace', path: 'emails[type eq "work"].value', value: 'flagged@contoso.com' },
      { op, value },
    ];
    expect(await patch(id, operations, flag)).toEqual(
      represented(`flag-${op}`, id, 2, {
        displayName: 'Flagged',
        name: { formatted: `flag-${op} One`, familyName: 'One', givenName: 'Given', middleName: 'Middle' },
        emails: [
          { primary: true, type: 'work', value: 'flagged@contoso.com' },
          { type: 'other', value: 'other@contoso.com' },
        ],
        [urn.enterprise]: { department: 'Sales', employeeNumber: '1730', costCenter: 'CC-1' },
      }),
    );
  });

  it('and the flag changes nothing on any other request', async () => {
    const { status, body } = await server.scim.post(`/Users${flag}`, provisioned('flagged'));
    expect(status).toBe(201);
    const answers = [
      await server.scim.get(`/Users/${body.id}${flag}`),
      await server.scim.put(`/Users/${body.id}${flag}`, body),
      await server.scim.operations(`/Users/${body.id}${flag}`, [{ op: 'replace', path: 'active', value: true }]),
    ];
    expect(answers.map((answer) => [answer.status, answer.body])).toEqual(answers.map(() => [200, body]));
    const listed = await server.scim.list(`/Users${flag}&filter=externalId+eq+%22ext-flagged%22`);
    expect(listed.body.Resources).toEqual([body]);
    expect((await server.scim.list(`/Groups${flag}`)).body).toEqual(emptyList);
    expect((await server.scim.delete(`/Users/${body.id}${flag}`)).status).toBe(204);
  });

  it('and a dotted key that names nothing is 400 invalidPath, and nothing is applied', async () => {
    const user = await provision('unknown');
    const operations = [{ op: 'replace', value: { displayName: 'Changed', 'name.shoeSize': '46' } }];
    const { status, body } = await server.scim.operations(`/Users/${user.id}${flag}`, operations);
    expect([status, body]).toEqual([400, scimError(400, 'invalidPath')]);
    expect(await read(user.id)).toEqual(user);
  });
});

describe('Entra sets values of elements that are not there yet', () => {
  it.each(['Add', 'Replace'])('by %s on emails[type eq "work"].value of a user without e-mail', async (op) => {
    const alias = `noemail-${op}`;
    const { id } = await provision(alias, { emails: [] });
    const value = `${alias}@contoso.com`;
    const body = await patch(id, [{ op, path: 'emails[type eq "work"].value', value }]);
    expect(body).toEqual(represented(alias, id, 2, { emails: [{ type: 'work', value }] }));
  });

  it('several sub-attributes in one request make one element', async () => {
    const { id } = await provision('address');
    const body = await patch(id, [
      { op: 'Add', path: 'addresses[type eq "work"].streetAddress', value: '1 Microsoft Way' },
      { op: 'Add', path: 'addresses[type eq "work"].locality', value: 'Redmond' },
      { op: 'Add', path: 'addresses[type eq "work"].country', value: 'US' },
      { op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '+1 425 555 0100' },
    ]);
    expect(body['addresses']).toEqual([
      { type: 'work', streetAddress: '1 Microsoft Way', locality: 'Redmond', country: 'US' },
    ]);
    expect(body['phoneNumbers']).toEqual([{ type: 'mobile', value: '+1 425 555 0100' }]);
  });

  it('roles[primary eq "True"].value makes a primary role, and then changes it', async () => {
    const { id } = await provision('roles');
    const path = 'roles[primary eq "True"].value';
    const added = await patch(id, [{ op: 'Add', path, value: 'Reader' }]);
    expect(added['roles']).toEqual([{ value: 'Reader', primary: true }]);
    const replaced = await patch(id, [{ op: 'Replace', path, value: 'Writer' }]);
    expect(replaced['roles']).toEqual([{ value: 'Writer', primary: true }]);
    const found = await server.scim.list(
      `/Users?filter=${encodeURIComponent('roles[primary eq "True" and value eq "Writer"]')}`,
    );
    expect(found.body.Resources).toEqual([replaced]);
  });

  it('roles as objects, as its expression AppRoleAssignmentsComplex sends them', async () => {
    const { id } = await provision('complexroles');
    const value = [
      {
        id: randomUUID(),
        displayName: 'Reader',
        value: 'reader',
        display: 'Reader',
        type: 'WindowsAzureActiveDirectoryRole',
      },
      { value: '{"id":"8c69","displayName":"Writer","value":"writer"}' },
    ];
    const body = await patch(id, [{ op: 'Add', path: 'roles', value }]);
    expect(body['roles']).toEqual([
      { value: 'reader', display: 'Reader', type: 'WindowsAzureActiveDirectoryRole' },
      { value: '{"id":"8c69","displayName":"Writer","value":"writer"}' },
    ]);
  });
});

describe('Entra clears values', () => {
  it.each<[string, JsonObject]>([
    ['Replace with ""', { op: 'Replace', value: '' }],
    ['Replace with null', { op: 'Replace', value: null }],
    ['Remove', { op: 'Remove' }],
  ])('by %s', async (written, operation) => {
    const alias = `clear-${written.length}`;
    const { id } = await provision(alias, { title: 'Boss', phoneNumbers: [{ type: 'work', value: '1' }] });
    const paths = ['title', 'name.formatted', 'phoneNumbers', `${urn.enterprise}:department`];
    const cleared = paths.map((path) => ({ ...operation, path }));
    expect(await patch(id, cleared)).toEqual(
      represented(alias, id, 2, {
        name: { familyName: 'One', givenName: alias },
        [urn.enterprise]: { employeeNumber: '701984' },
      }),
    );
  });

  it('and the URN leaves "schemas" with the last value of the extension', async () => {
    const { id } = await provision('extension');
    const body = await patch(id, [
      { op: 'Remove', path: `${urn.enterprise}:department` },
      { op: 'Replace', path: `${urn.enterprise}:employeeNumber`, value: '' },
    ]);
    const { [urn.enterprise]: _gone, ...rest } = represented('extension', id, 2, { schemas: [urn.user] });
    expect(body).toEqual(rest);
  });
});

describe('Entra sets managers', () => {
  const manager = (user: Resource): JsonValue | undefined =>
    (user[urn.enterprise] as JsonObject | undefined)?.['manager'];
  const resolved = (boss: Resource) => ({
    value: boss.id,
    $ref: locationOf('User', boss.id),
    displayName: boss['displayName'],
  });

  it('as a bare string by POST, and the answer has the object', async () => {
    const boss = await provision('boss1');
    const report = await provision('report1', { [urn.enterprise]: { manager: boss.id } });
    expect(manager(report)).toEqual(resolved(boss));
    expect(await read(report.id)).toEqual(report);
  });

  it.each<[string, (id: string) => JsonValue]>([
    ['Add of a bare string', (value) => ({ op: 'Add', path: managerPath, value })],
    ['Replace of a bare string', (value) => ({ op: 'Replace', path: managerPath, value })],
    ['replace of an object', (value) => ({ op: 'replace', path: managerPath, value: { value } })],
    ['replace of manager.value', (value) => ({ op: 'replace', path: `${managerPath}.value`, value })],
    ['replace without a path', (value) => ({ op: 'replace', value: { [managerPath]: value } })],
  ])('by PATCH, as %s, and the answer has the object', async (written, operation) => {
    const alias = written.replaceAll(' ', '-');
    const [first, boss] = [await provision(`first-${alias}`), await provision(`boss-${alias}`)];
    const report = await provision(`report-${alias}`, { [urn.enterprise]: { manager: first.id, department: 'Sales' } });
    const body = await patch(report.id, [operation(boss.id)]);
    expect(body[urn.enterprise]).toEqual({ department: 'Sales', manager: resolved(boss) });
  });

  it('before the manager is there: the value alone is kept, and a live displayName comes with the manager', async () => {
    const report = await provision('early', { [urn.enterprise]: { manager: 'late@contoso.com' } });
    expect(manager(report)).toEqual({ value: 'late@contoso.com' });
    const unknown = await patch(report.id, [{ op: 'Replace', path: managerPath, value: randomUUID() }]);
    expect(Object.keys(manager(unknown) as JsonObject)).toEqual(['value']);
    const boss = await provision('late');
    await patch(report.id, [{ op: 'Replace', path: managerPath, value: boss.id }]);
    const renamed = await patch(boss.id, [{ op: 'Replace', path: 'displayName', value: 'Late "Boss" Ω' }]);
    expect(manager(await read(report.id))).toEqual(resolved(renamed));
  });

  it.each(['manager', `${managerPath}`, `${managerPath}.value`])(
    'and checks who it is by filtering on %s, without a sub-attribute too',
    async (path) => {
      const boss = await provision(`checked-boss-${path.length}`);
      const report = await provision(`checked-${path.length}`, { [urn.enterprise]: { manager: boss.id } });
      const filter = (id: string) => encodeURIComponent(`id eq "${report.id}" and ${path} eq "${id}"`);
      const found = await server.scim.list(`/Users?filter=${filter(boss.id)}&attributes=id`);
      expect(found.body).toEqual({
        ...{ ...emptyList, totalResults: 1, itemsPerPage: 1 },
        Resources: [{ schemas: [urn.user, urn.enterprise], id: report.id }],
      });
      expect((await server.scim.list(`/Users?filter=${filter(report.id)}&attributes=id`)).body).toEqual(emptyList);
    },
  );

  it('never to the user themselves', async () => {
    const user = await provision('narcissus');
    const { status, body } = await server.scim.operations(`/Users/${user.id}`, [
      { op: 'Replace', path: managerPath, value: user.id },
    ]);
    expect([status, body]).toEqual([400, scimError(400, 'invalidValue')]);
    expect(await read(user.id)).toEqual(user);
  });

  it('and removes them, as deleting the manager does', async () => {
    const boss = await provision('leaving');
    const [one, two] = [
      await provision('removed', { [urn.enterprise]: { manager: boss.id, department: 'Sales' } }),
      await provision('orphaned', { [urn.enterprise]: { manager: boss.id } }),
    ];
    const removed = await patch(one.id, [{ op: 'Remove', path: managerPath }]);
    expect(removed[urn.enterprise]).toEqual({ department: 'Sales' });
    expect((await server.scim.delete(`/Users/${boss.id}`)).status).toBe(204);
    const orphaned = await read(two.id);
    expect([orphaned.schemas, orphaned[urn.enterprise], orphaned.meta.version]).toEqual([
      [urn.user],
      undefined,
      'W/"2"',
    ]);
  });
});

describe('Entra removes a user', () => {
  it('first softly, so that the user is still found, and later for good', async () => {
    const { id } = await provision('leaver');
    const off = await patch(id, [{ op: 'Replace', path: 'active', value: 'False' }]);
    expect(off).toEqual(represented('leaver', id, 2, { active: false }));
    const filter = '/Users?filter=userName eq "leaver@contoso.com"';
    expect((await server.scim.list(filter)).body.Resources).toEqual([off]);
    const gone = await server.scim.delete(`/Users/${id}`);
    expect([gone.status, gone.text]).toEqual([204, '']);
    expect((await server.scim.list(filter)).body).toEqual(emptyList);
    const again = await server.scim.delete(`/Users/${id}`);
    expect([again.status, again.body]).toEqual([404, scimError(404)]);
  });
});
