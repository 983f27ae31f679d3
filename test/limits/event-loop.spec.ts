import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { JsonThread } from '../../src/http/json-thread.js';
import { limits, ScimError } from '../../src/scim/index.js';
import { ScimClient, type Resource } from '../support/client.js';
import { dropHomes, newHome, prepareHomes } from '../support/home.js';
import { quantile, whileNeighbourReads } from '../support/neighbour.js';
import { endProcesses, startProcess } from '../support/process.js';

// A machine that has much else to do takes its time to start a process.
jest.setTimeout(300_000);

const uuid = (index: number): string => `0198c0de-0000-7000-8000-${String(index).padStart(12, '0')}`;
const patchOf = (...operations: object[]): string =>
  JSON.stringify({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: operations });
const many = <T>(length: number, make: (index: number) => T): T[] => Array.from({ length }, (_, index) => make(index));

const millionKeys = (): string => JSON.stringify(Object.fromEntries(many(1_000_000, (index) => [`k${index}`, 1])));
const arraysOfArrays = (): string => `{"a":[${many(1_500, () => `[${'1,'.repeat(4_999)}1]`).join(',')}]}`;

describe('one body, for the neighbours of whoever sends it', () => {
  let scim: ScimClient;
  let quiet: ScimClient;
  let user: Resource;
  let fat: Resource;
  let idle: number;

  beforeAll(async () => {
    await prepareHomes();
    const ADMIN_TOKEN = 'operators-token-of-this-test-alone';
    const SCIM_TOKEN = 'token-of-the-default-tenant-of-this-test';
    const started = await startProcess({ ...(await newHome()), ADMIN_TOKEN, SCIM_TOKEN });
    scim = started.scim;
    const operators = new ScimClient(`${started.origin}/admin/v1`, ADMIN_TOKEN);
    await operators.post('/tenants', { name: 'quiet' });
    const { body } = await operators.post('/tenants/quiet/tokens', { name: 'quiet' });
    quiet = new ScimClient(`${started.origin}/scim/v2`, String((body as unknown as { secret: string }).secret));
    user = (await quiet.post('/Users', { userName: 'quiet' })).body;
    const emails = many(100, (index) => ({ value: `u${index}@example.com`, display: 'é'.repeat(1_800) }));
    fat = (await scim.post('/Users', { userName: 'fat', emails })).body;
    await whileNeighbourReads(quiet, `/Users/${user.id}`, () => Promise.resolve(), 200);
    idle = quantile(await whileNeighbourReads(quiet, `/Users/${user.id}`, () => Promise.resolve(), 300), 1);
  });
  afterAll(async () => {
    await endProcesses();
    await dropHomes();
  });

  const attacks: [what: string, method: string, path: () => string, body: () => string, statuses: number[]][] = [
    ['a million keys', 'POST', () => '/Groups', millionKeys, [413]],
    ['arrays of arrays', 'POST', () => '/Groups', arraysOfArrays, [413]],
    [
      '100,000 members with displays',
      'POST',
      () => '/Groups',
      () =>
        JSON.stringify({
          displayName: 'g',
          // The last is nobody's id, so that the database has no part in it.
          members: many(100_000, (index) => ({
            value: index === 99_999 ? 'nobody' : uuid(index),
            display: `User number ${index}`,
            type: 'User',
          })),
        }),
      [400],
    ],
    [
      '100,000 members in words of their own',
      'POST',
      () => '/Groups',
      () =>
        JSON.stringify({
          displayName: 'g',
          members: many(100_000, (index) => ({ VALUE: index === 99_999 ? 'nobody' : uuid(index), x: 'y' })),
        }),
      [400],
    ],
    [
      '1,000 operations with value paths',
      'PATCH',
      () => `/Users/${fat.id}`,
      () =>
        patchOf(
          ...many(1_000, (index) => ({
            op: 'replace',
            path: `emails[value eq "u${index % 100}@example.com"].type`,
            value: `t${index}`,
          })),
        ),
      [200, 413],
    ],
    [
      '1,000 operations on every value',
      'PATCH',
      () => `/Users/${fat.id}`,
      () => patchOf(...many(1_000, (index) => ({ op: 'replace', path: 'emails.type', value: `t${index}` }))),
      [413],
    ],
    ['one huge string', 'POST', () => '/Users', () => JSON.stringify({ userName: '\u0301'.repeat(500_000) }), [400]],
    ['escapes alone', 'POST', () => '/Groups', () => JSON.stringify({ members: ['\\'.repeat(7_900_000)] }), [400]],
  ];

  it.each(attacks)('%s', async (_what, method, path, body, statuses) => {
    const text = body();
    const { result, failures, durations } = await whileNeighbourReads(
      quiet,
      `/Users/${user.id}`,
      () => scim.send(method, path(), text),
      50,
    );
    expect(statuses).toContain(result.status);
    expect(failures).toEqual([]);
    // Some took seconds. What one request takes at most is compared with what it takes at most while nothing else happens.
    expect((durations.at(-1) ?? 0) / Math.max(idle, 5)).toBeLessThan(50);
  });
});

describe('the thread that reads large bodies', () => {
  const bounds = { keys: limits.bodyKeys, objectKeys: limits.objectKeys, values: limits.bodyValues };
  const options = { maxDepth: limits.jsonDepth, maxArray: limits.arrayElements, anyText: false };
  const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
  const thread = new JsonThread();
  afterAll(() => thread.close());

  it('survives a million keys', async () => {
    const bytes = bytesOf(millionKeys());
    await expect(thread.read('a', { bytes, bounds, options })).rejects.toThrow(
      new ScimError('payloadTooLarge', 'An object of the body has more than 1000 keys.'),
    );
    expect(await thread.read('a', { bytes: bytesOf('{"a":1}'), bounds, options })).toMatchObject({ text: '{"a":1}' });
  });

  it('is made again when it has ended, which only the body that it was reading pays for', async () => {
    const broken = thread.read('a', { bytes: bytesOf('{}'), bounds, options: undefined as never });
    const next = thread.read('a', { bytes: bytesOf('{"b":2}'), bounds, options });
    await expect(broken).rejects.toMatchObject({ status: 503, headers: { 'Retry-After': '1' } });
    expect(await next).toMatchObject({ text: '{"b":2}' });
  });

  it('lets few bodies of a tenant wait', async () => {
    const tries = many(12, () => thread.read('a', { bytes: bytesOf('{}'), bounds, options }));
    const other = thread.read('b', { bytes: bytesOf('{}'), bounds, options });
    const settled = await Promise.allSettled(tries);
    const refused = settled.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBe(3);
    expect(await other).toMatchObject({ text: '{}' });
  });
});
