import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { ScimAuthGuard } from '../../src/auth/scim-auth.guard.js';
import { coreRegistry, SchemaRegistry, type JsonObject, type Schema } from '../../src/scim/index.js';
import { startServer, type TestServer } from '../support/server.js';

const onRequest = ['nickName', 'middleName', 'costCenter'];

/** A schema with some attributes and sub-attributes that are returned on request: no schema of RFC 7643 has one. */
const withRequest = (schema: Schema): Schema => {
  const changed = (attributes: Schema['attributes']): Schema['attributes'] =>
    attributes.map((attribute) => ({
      ...attribute,
      ...(onRequest.includes(attribute.name) ? { returned: 'request' as const } : {}),
      ...(attribute.subAttributes ? { subAttributes: changed(attribute.subAttributes) } : {}),
    }));
  return { ...schema, attributes: changed(schema.attributes) };
};
const registry = new SchemaRegistry(coreRegistry.schemas.map(withRequest), coreRegistry.resourceTypes);

const userUrn = 'urn:ietf:params:scim:schemas:core:2.0:User';
const enterpriseUrn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const body = {
  schemas: [userUrn, enterpriseUrn],
  name: { familyName: 'Jensen', middleName: 'Jane' },
  nickName: 'Babs',
  [enterpriseUrn]: { costCenter: '4130', department: 'Tours' },
};
const quiet = { name: { familyName: 'Jensen' }, [enterpriseUrn]: { department: 'Tours' } };

let server: TestServer;
let users = 0;

type Admit = (this: ScimAuthGuard, execution: ExecutionContext) => Promise<boolean>;

beforeAll(async () => {
  const admit = Reflect.get(ScimAuthGuard.prototype, 'canActivate') as Admit;
  jest.spyOn(ScimAuthGuard.prototype, 'canActivate').mockImplementation(async function (
    this: ScimAuthGuard,
    execution,
  ) {
    const admitted = await admit.call(this, execution);
    const request = execution.switchToHttp().getRequest<Request>();
    if (request.context) request.context = { ...request.context, registry };
    return admitted;
  });
  server = await startServer();
});
afterAll(async () => {
  jest.restoreAllMocks();
  await server.close();
});

/** Of an answer, what is the same for no two users and what every user has left out. */
const data = (answer: JsonObject | undefined): JsonObject => {
  const { id: _id, meta: _meta, schemas: _schemas, userName: _userName, active: _active, ...rest } = answer ?? {};
  return rest;
};
const created = async (): Promise<{ id: string; answer: JsonObject }> => {
  const { status, body: answer } = await server.scim.post('/Users', { ...body, userName: `babs${users++}` });
  expect(status).toBe(201);
  return { id: String(answer.id), answer };
};

describe('attributes that are returned on request (RFC 7643 section 7 "returned")', () => {
  it('are in the answer to a POST that sets them, and in no GET that does not name them', async () => {
    const { id, answer } = await created();
    expect(data(answer)).toEqual(data(body));
    expect(data((await server.scim.get(`/Users/${id}`)).body)).toEqual(quiet);
    const named = await server.scim.get(`/Users/${id}?attributes=nickName,name.middleName`);
    expect(data(named.body)).toEqual({ nickName: 'Babs', name: { middleName: 'Jane' } });
  });

  it('are in the answer to a PUT that sets them, and only those', async () => {
    const { id } = await created();
    const replacement = { schemas: [userUrn], userName: `babs${users++}`, nickName: 'B', name: quiet.name };
    const { body: answer } = await server.scim.put(`/Users/${id}`, replacement);
    expect(data(answer)).toEqual({ nickName: 'B', name: quiet.name });
  });

  it.each<[operation: JsonObject, more: JsonObject]>([
    [
      { op: 'replace', path: 'title', value: 'Guide' },
      { ...quiet, title: 'Guide' },
    ],
    [
      { op: 'replace', path: 'nickName', value: 'B' },
      { ...quiet, nickName: 'B' },
    ],
    [
      { op: 'add', value: { nickName: 'Babs' } },
      { ...quiet, nickName: 'Babs' },
    ],
    [
      { op: 'add', path: 'name.middleName', value: 'J' },
      { ...quiet, name: { ...body.name, middleName: 'J' } },
    ],
    [
      { op: 'add', path: `${enterpriseUrn}:costCenter`, value: '1' },
      { ...quiet, [enterpriseUrn]: { costCenter: '1', department: 'Tours' } },
    ],
    [{ op: 'remove', path: 'nickName' }, quiet],
  ])('are in the answer to the PATCH operation %j if it sets them', async (operation, answered) => {
    const { id } = await created();
    const { status, body: answer } = await server.scim.operations(`/Users/${id}`, [operation]);
    expect([status, data(answer)]).toEqual([200, answered]);
  });
});
