import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../src/scim/index.js';
import type { Answer, Resource, ScimClient } from '../support/client.js';
import { inconsistencies } from '../support/consistency.js';
import { inParallel, startReplicas, type Replicas } from '../support/replicas.js';

jest.setTimeout(120_000);

let replicas: Replicas;
beforeAll(async () => {
  replicas = await startReplicas();
});
afterAll(() => replicas.close());

const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
const next = (number: number): ScimClient => replicas.clients[number % replicas.clients.length] as ScimClient;

async function create(path: string, body: JsonObject): Promise<Resource> {
  const { status, body: created } = await next(0).post(path, body);
  expect(status).toBe(201);
  return created;
}

/** What a request is to do. Groups and users are numbers in lists. */
type Operation =
  | { readonly kind: 'add' | 'remove' | 'replace' | 'put'; readonly group: number; readonly users: readonly number[] }
  | { readonly kind: 'rename'; readonly group: number; readonly name: string }
  | { readonly kind: 'deleteGroup'; readonly group: number }
  | { readonly kind: 'deleteUser'; readonly user: number };

/** A request that was answered. */
interface Done {
  readonly operation: Operation;
  readonly requestId: string;
  readonly answer: Answer<unknown>;
}

// More by scripts/faults.mjs.
const requestCount = 240 * Number(process.env['FAULT_ROUNDS'] || 1);
const [groupCount, userCount, width] = [3, 24, 16];
/** Groups and users that are never deleted come first. */
const [keptGroups, keptUsers] = [2, 16];

const users = fc.uniqueArray(fc.nat(userCount - 1), { minLength: 1, maxLength: 5 });
const group = fc.nat(groupCount - 1);
const operations: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('add'), group, users }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('remove'), group, users }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('replace', 'put'), group, users }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rename'), group, name: fc.constantFrom('x', 'y', 'z') }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('deleteUser'), user: fc.integer({ min: keptUsers, max: userCount - 1 }) }),
  },
);

/** A group as the oracle has it. */
interface Model {
  readonly name: string;
  readonly members: ReadonlySet<string>;
}

const same = (one: Model, other: Model): boolean =>
  one.name === other.name && [...one.members].sort().join() === [...other.members].sort().join();

describe('Requests on the same groups and users, many at a time and at random', () => {
  let groupIds: string[];
  let userIds: string[];
  let done: Done[];
  const idsOf = (numbers: readonly number[]): string[] => numbers.map((number) => userIds[number] as string);
  const links = (numbers: readonly number[]) => idsOf(numbers).map((value) => ({ value }));

  function request(operation: Operation, number: number, requestId: string): Promise<Answer<unknown>> {
    const client = next(number);
    const options = { headers: { 'X-Request-Id': requestId } };
    if (operation.kind === 'deleteUser') return client.delete(`/Users/${userIds[operation.user]}`, options);
    const path = `/Groups/${groupIds[operation.group]}`;
    const patch = (...list: JsonObject[]) => client.operations(path, list, options);
    switch (operation.kind) {
      case 'deleteGroup':
        return client.delete(path, options);
      case 'rename':
        return patch({ op: 'replace', path: 'displayName', value: operation.name });
      case 'add':
      case 'replace':
        return patch({ op: operation.kind, path: 'members', value: links(operation.users) });
      case 'remove':
        return patch(...idsOf(operation.users).map((id) => ({ op: 'remove', path: `members[value eq "${id}"]` })));
      case 'put':
        return client.put(path, { displayName: 'put', members: links(operation.users) }, options);
    }
  }

  /** What an operation makes of a group, by itself. */
  function applied(model: Model, operation: Operation): Model {
    switch (operation.kind) {
      case 'rename':
        return { ...model, name: operation.name };
      case 'add':
        return { ...model, members: new Set([...model.members, ...idsOf(operation.users)]) };
      case 'replace':
        return { ...model, members: new Set(idsOf(operation.users)) };
      case 'put':
        return { name: 'put', members: new Set(idsOf(operation.users)) };
      case 'remove': {
        const gone = new Set(idsOf(operation.users));
        return { ...model, members: new Set([...model.members].filter((id) => !gone.has(id))) };
      }
      case 'deleteUser':
        return { ...model, members: new Set([...model.members].filter((id) => id !== userIds[operation.user])) };
      case 'deleteGroup':
        return model;
    }
  }

  beforeAll(async () => {
    const made = await Promise.all(range(userCount).map((number) => create('/Users', { userName: `order-${number}` })));
    userIds = made.map(({ id }) => id);
    const groups = await Promise.all(range(groupCount).map(() => create('/Groups', { displayName: 'new' })));
    groupIds = groups.map(({ id }) => id);
    const list: Operation[] = fc.sample(operations, requestCount);
    // Late enough for changes to be there before it, and early enough for others to come too late.
    list.splice(requestCount / 2, 0, { kind: 'deleteGroup', group: keptGroups });
    done = await inParallel(
      width,
      list.map((operation, number) => async () => {
        const requestId = randomUUID();
        return { operation, requestId, answer: await request(operation, number, requestId) };
      }),
    );
  });

  it('are refused only for what had been deleted', () => {
    const named = (operation: Operation): readonly number[] => ('users' in operation ? operation.users : []);
    const unexpected = done.filter(({ operation, answer: { status } }) => {
      if (status === 200 || status === 204) return false;
      if (status === 400) return !named(operation).some((user) => user >= keptUsers);
      if (status === 404)
        return operation.kind !== 'deleteUser' && 'group' in operation && operation.group < keptGroups;
      return true;
    });
    expect(unexpected.map(({ operation, answer }) => [operation, answer.status, answer.text])).toEqual([]);
    expect(done.filter(({ answer }) => answer.status < 300).length).toBeGreaterThan(requestCount / 2);
  });

  it.each(range(groupCount))(
    'leave group %i as they would one after the other, in the order of its versions',
    async (number) => {
      const id = groupIds[number] as string;
      const events = await replicas.dataSource.query<{ requestId: string; operation: string; after: JsonObject }[]>(
        `SELECT request_id AS "requestId", operation, after FROM audit_events WHERE resource_id = $1 ORDER BY id`,
        [id],
      );
      const byRequest = new Map(done.map((each) => [each.requestId, each]));
      /** The group at each of its versions, from 1. */
      const models: Model[] = [{ name: 'new', members: new Set() }];
      for (const event of events.slice(1).filter(({ operation }) => operation !== 'delete')) {
        const cause = byRequest.get(event.requestId) as Done;
        const before = models.at(-1) as Model;
        const after = applied(before, cause.operation);
        models.push(after);
        // Each version is one acknowledged request's, changes something, and has the name that the request leaves.
        expect([cause.answer.status < 300, same(before, after)]).toEqual([true, false]);
        expect(event.after['displayName']).toBe(after.name);
        const etag = cause.answer.headers.get('etag');
        if (cause.operation.kind !== 'deleteUser') expect(etag).toBe(`W/"${models.length}"`);
      }
      // A request that made no version found a group in which it changes nothing: that of the version it answered with.
      const changers = new Set(events.map(({ requestId }) => requestId));
      const idle = done.filter(
        ({ operation, requestId, answer }) =>
          'group' in operation && operation.group === number && answer.status < 300 && !changers.has(requestId),
      );
      for (const { operation, answer } of idle) {
        const version = Number(/^W\/"(\d+)"$/.exec(answer.headers.get('etag') ?? '')?.[1]);
        const found = models[version - 1] as Model;
        expect([operation, same(found, applied(found, operation))]).toEqual([operation, true]);
      }
      const { status, body } = await next(number).get(`/Groups/${id}`);
      if (number >= keptGroups) {
        expect([status, events.at(-1)?.operation]).toEqual([404, 'delete']);
        return;
      }
      const last = models.at(-1) as Model;
      const members = ((body['members'] ?? []) as { value: string }[]).map(({ value }) => value);
      expect([body.meta.version, body['displayName'], members]).toEqual([
        `W/"${models.length}"`,
        last.name,
        [...last.members].sort(),
      ]);
    },
  );

  it('lose no value of a user that many requests add to and take from at once', async () => {
    const { id } = await create('/Users', { userName: 'many-values' });
    const emails = range(40).map((number) => `address-${number}@example.com`);
    const add = (value: string) => [{ op: 'add', path: 'emails', value: [{ value }] }];
    const remove = (value: string) => [{ op: 'remove', path: `emails[value eq "${value}"]` }];
    const send = (list: JsonObject[], number: number) => next(number).operations(`/Users/${id}`, list);
    const added = await Promise.all(emails.map((value, number) => send(add(value), number)));
    expect(added.filter(({ status }) => status !== 200)).toEqual([]);
    expect(new Set(added.map(({ body }) => body.meta.version)).size).toBe(40);
    const removed = await Promise.all(emails.slice(0, 20).map((value, number) => send(remove(value), number)));
    expect(removed.filter(({ status }) => status !== 200)).toEqual([]);
    const { body } = await next(0).get(`/Users/${id}`);
    const left = (body['emails'] as { value: string }[]).map(({ value }) => value);
    expect([left.sort(), body.meta.version]).toEqual([emails.slice(20).sort(), 'W/"61"']);
  });

  it('leave an audit event for each change, exact totals, and no membership of what is gone', async () => {
    expect(await inconsistencies((sql) => replicas.dataSource.query(sql))).toEqual([]);
  });
});
