import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../src/scim/index.js';
import type { List } from '../support/client.js';
import { publicUrl, startServer, type TestServer } from '../support/server.js';

/** An attribute as /Schemas tells it (RFC 7643 section 7). */
interface AttributeJson {
  readonly name: string;
  readonly type: string;
  readonly multiValued: boolean;
  readonly description: string;
  readonly required: boolean;
  readonly caseExact: boolean;
  readonly mutability: string;
  readonly returned: string;
  readonly uniqueness: string;
  readonly canonicalValues?: readonly string[];
  readonly referenceTypes?: readonly string[];
  readonly subAttributes?: readonly AttributeJson[];
}

type SchemaJson = JsonObject & {
  id: string;
  name: string;
  description: string;
  attributes: AttributeJson[] & JsonObject[];
};

const core = 'urn:ietf:params:scim:schemas:core:2.0:';
const enterpriseUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

let server: TestServer;
let schemas: Map<string, SchemaJson>;

beforeAll(async () => {
  server = await startServer();
  const { body } = await server.scim.get<List<SchemaJson>>('/Schemas');
  schemas = new Map(body.Resources.map((schema) => [schema.id, schema]));
});

afterAll(() => server.close());

/** Writes attributes one a line: the name, the type, and whatever is not the default of RFC 7643 section 2.2. */
function outline(attributes: readonly AttributeJson[], indent = ''): string {
  return attributes
    .map((attribute) => {
      const words = [
        `${indent}${attribute.name}`,
        `${attribute.type}${attribute.multiValued ? '[]' : ''}`,
        ...(attribute.required ? ['required'] : []),
        ...(attribute.caseExact ? ['caseExact'] : []),
        ...(attribute.mutability === 'readWrite' ? [] : [attribute.mutability]),
        ...(attribute.returned === 'default' ? [] : [`returned:${attribute.returned}`]),
        ...(attribute.uniqueness === 'none' ? [] : [`unique:${attribute.uniqueness}`]),
        ...(attribute.canonicalValues ? [`{${attribute.canonicalValues.join(',')}}`] : []),
        ...(attribute.referenceTypes ? [`->${attribute.referenceTypes.join(',')}`] : []),
      ];
      return [words.join(' '), ...(attribute.subAttributes ? [outline(attribute.subAttributes, `${indent}  `)] : [])];
    })
    .flat()
    .join('\n');
}

const plural = (name: string, value = 'value string', types = ''): string => `${name} complex[]
  ${value}
  display string
  type string${types}
  primary boolean`;

const user = `userName string required unique:server
name complex
  formatted string
  familyName string
  givenName string
  middleName string
  honorificPrefix string
  honorificSuffix string
displayName string
nickName string
profileUrl reference caseExact ->external
title string
userType string
preferredLanguage string
locale string
timezone string
active boolean
password string caseExact writeOnly returned:never
${plural('emails', undefined, ' {work,home,other}')}
${plural('phoneNumbers', undefined, ' {work,home,mobile,fax,pager,other}')}
${plural('ims', undefined, ' {aim,gtalk,icq,xmpp,msn,skype,qq,yahoo}')}
${plural('photos', 'value reference caseExact ->external', ' {photo,thumbnail}')}
addresses complex[]
  formatted string
  streetAddress string
  locality string
  region string
  postalCode string
  country string
  type string {work,home,other}
  primary boolean
groups complex[] readOnly
  value string caseExact readOnly
  $ref reference caseExact readOnly ->Group
  display string readOnly
  type string readOnly {direct,indirect}
${plural('entitlements')}
${plural('roles')}
${plural('x509Certificates', 'value binary caseExact')}`;

const group = `displayName string required
members complex[]
  value string caseExact immutable
  $ref reference caseExact immutable ->User,Group
  type string immutable {User,Group}
  display string readOnly`;

const enterprise = `employeeNumber string
costCenter string
organization string
division string
department string
manager complex
  value string caseExact
  $ref reference caseExact ->User
  displayName string readOnly`;

describe('the schemas (RFC 7643 sections 4 and 8.7.1)', () => {
  it.each([
    ['User', `${core}User`, user],
    ['Group', `${core}Group`, group],
    ['Enterprise User', enterpriseUrn, enterprise],
  ])('of %s are as the RFC has them', (_name, urn, expected) => {
    expect(outline(schemas.get(urn)?.attributes ?? [])).toBe(expected);
  });

  it('are those of the resources, and of the discovery resources themselves', () => {
    expect([...schemas.keys()]).toEqual([
      `${core}User`,
      `${core}Group`,
      enterpriseUrn,
      `${core}ServiceProviderConfig`,
      `${core}ResourceType`,
      `${core}Schema`,
    ]);
  });

  it('are resources with an id, a name, a description and a location (RFC 7643 section 7)', () => {
    for (const { attributes, ...schema } of schemas.values()) {
      expect(schema).toEqual({
        schemas: [`${core}Schema`],
        id: schema.id,
        name: expect.stringMatching(/./),
        description: expect.stringMatching(/./),
        meta: { resourceType: 'Schema', location: `${publicUrl}/scim/v2/Schemas/${schema.id}` },
      });
      expect(attributes.length).toBeGreaterThan(0);
    }
  });
});

describe('an attribute definition (RFC 7643 section 7)', () => {
  const all = (attributes: readonly AttributeJson[]): AttributeJson[] =>
    attributes.flatMap((attribute) => [attribute, ...all(attribute.subAttributes ?? [])]);
  const definitions = (): AttributeJson[] => [...schemas.values()].flatMap(({ attributes }) => all(attributes));

  it('says everything that applies, and nothing that does not', () => {
    for (const definition of definitions()) {
      const { subAttributes, canonicalValues, referenceTypes, ...rest } = definition;
      expect(rest).toEqual({
        name: expect.stringMatching(/^(?:[A-Za-z][\w-]*|\$ref)$/),
        type: expect.stringMatching(/^(?:string|boolean|decimal|integer|dateTime|reference|binary|complex)$/),
        multiValued: expect.any(Boolean),
        description: expect.stringMatching(/\.$/),
        required: expect.any(Boolean),
        caseExact: expect.any(Boolean),
        mutability: expect.stringMatching(/^(?:readOnly|readWrite|immutable|writeOnly)$/),
        returned: expect.stringMatching(/^(?:always|never|default|request)$/),
        uniqueness: expect.stringMatching(/^(?:none|server|global)$/),
      });
      expect([definition.name, subAttributes !== undefined]).toEqual([definition.name, definition.type === 'complex']);
      expect([definition.name, referenceTypes !== undefined]).toEqual([
        definition.name,
        definition.type === 'reference',
      ]);
      expect(canonicalValues).not.toEqual([]);
    }
  });

  it('of a complex attribute holds no complex one, but where the Schema schema describes itself (RFC 7643 section 2.3.8)', () => {
    const nested = [...schemas.values()].flatMap(({ id, attributes }) =>
      attributes.flatMap(({ subAttributes = [] }) =>
        subAttributes.filter(({ type }) => type === 'complex').map(({ name }) => `${id}:${name}`),
      ),
    );
    expect(nested).toEqual([`${core}Schema:subAttributes`]);
  });

  it('has a name that no other of the same parent has, whatever its case', () => {
    const check = (attributes: readonly AttributeJson[]): void => {
      const names = attributes.map(({ name }) => name.toLowerCase());
      expect(new Set(names).size).toBe(names.length);
      for (const { subAttributes } of attributes) check(subAttributes ?? []);
    };
    for (const { attributes } of schemas.values()) check(attributes);
  });
});

describe('what the server sends', () => {
  /** The paths of members that a schema does not define; common attributes belong to every resource. */
  function undefinedIn(value: unknown, attributes: readonly AttributeJson[], path = ''): string[] {
    if (Array.isArray(value)) return value.flatMap((element) => undefinedIn(element, attributes, path));
    if (typeof value !== 'object' || value === null) return value === null ? [`${path} is null`] : [];
    return Object.entries(value).flatMap(([name, item]) => {
      const definition = attributes.find((attribute) => attribute.name === name);
      return definition ? undefinedIn(item, definition.subAttributes ?? [], `${path}.${name}`) : [`${path}.${name}`];
    });
  }

  const withoutCommon = ({ schemas: _s, id: _i, externalId: _e, meta: _m, ...own }: JsonObject): JsonObject => own;

  it.each([
    ['ServiceProviderConfig', '/ServiceProviderConfig'],
    ['ResourceType', '/ResourceTypes/User'],
    ['ResourceType', '/ResourceTypes/Group'],
    ['Schema', `/Schemas/${core}User`],
    ['Schema', `/Schemas/${enterpriseUrn}`],
  ])('is what the %s schema defines: %s', async (name, path) => {
    const { body } = await server.scim.get<JsonObject>(path);
    expect(undefinedIn(withoutCommon(body), schemas.get(core + name)?.attributes ?? [])).toEqual([]);
  });

  it('of a user and a group is what their schemas define, and all of it can be there', async () => {
    const values = (name: string): object[] => [{ value: name, display: name, type: 'work', primary: true }];
    const boss = (await server.scim.post('/Users', { userName: 'boss', displayName: 'Boss' })).body;
    const sent = {
      userName: 'complete',
      name: {
        formatted: 'f',
        familyName: 'f',
        givenName: 'g',
        middleName: 'm',
        honorificPrefix: 'p',
        honorificSuffix: 's',
      },
      ...Object.fromEntries(['displayName', 'nickName', 'title', 'userType', 'locale'].map((name) => [name, name])),
      profileUrl: 'https://people.example/complete',
      preferredLanguage: 'en_US',
      timezone: 'Europe/Berlin',
      active: false,
      password: 'Correct-Horse-1',
      ...Object.fromEntries(
        ['emails', 'phoneNumbers', 'ims', 'entitlements', 'roles'].map((name) => [name, values(name)]),
      ),
      photos: values('https://people.example/photo'),
      addresses: [
        {
          formatted: 'f',
          streetAddress: 's',
          locality: 'l',
          region: 'r',
          postalCode: 'p',
          country: 'DE',
          type: 'work',
          primary: true,
        },
      ],
      x509Certificates: values('TUlJ'),
      [enterpriseUrn]: {
        ...Object.fromEntries(
          ['employeeNumber', 'costCenter', 'organization', 'division', 'department'].map((name) => [name, name]),
        ),
        manager: { value: boss.id },
      },
    };
    const created = (await server.scim.post('/Users', sent as JsonObject)).body;
    const members = [{ value: created.id }];
    const team = (await server.scim.post('/Groups', { displayName: 'Team', members })).body;
    const complete = (await server.scim.get(`/Users/${created.id}`)).body;
    const { [enterpriseUrn]: extension, ...own } = withoutCommon(complete);
    const definitions = schemas.get(`${core}User`)?.attributes ?? [];
    expect(undefinedIn(own, definitions)).toEqual([]);
    expect(undefinedIn(extension, schemas.get(enterpriseUrn)?.attributes ?? [])).toEqual([]);
    expect(undefinedIn(withoutCommon(team), schemas.get(`${core}Group`)?.attributes ?? [])).toEqual([]);
    const returned = definitions.filter((definition) => definition.returned !== 'never').map(({ name }) => name);
    expect(Object.keys(own).sort()).toEqual([...returned].sort());
    expect(complete.schemas).toEqual([`${core}User`, enterpriseUrn]);
  });
});
