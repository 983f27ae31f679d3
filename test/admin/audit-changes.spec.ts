import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startAdministered, type AdministeredServer } from '../support/admin.js';
import { allPages, withChanges, type AuditEvent } from '../support/audit.js';
import { urn } from '../support/expected.js';
import type { JsonObject } from '../../src/scim/index.js';

let server: AdministeredServer;
beforeAll(async () => {
  server = await startAdministered();
});
afterAll(() => server.close());

const trail = (tenant: string, id: string): Promise<AuditEvent[]> =>
  allPages<AuditEvent>(server.admin, `/tenants/${tenant}/audit?resourceId=${id}`);

/** About 715 KB. */
const largeUser = (userName: string): JsonObject => ({
  schemas: [urn.user],
  userName,
  displayName: 'first',
  addresses: Array.from({ length: 11 }, (_, index) => ({
    type: index === 0 ? 'home' : 'work',
    locality: String(index),
    formatted: 'x'.repeat(65_000),
  })),
});

/** The bytes that a tenant's trail holds, uncompressed. */
async function trailBytes(tenant: string): Promise<number> {
  const [row] = await server.dataSource.query<{ bytes: string }[]>(
    `SELECT sum(octet_length(to_json(e)::text)) AS bytes FROM audit_events e
     WHERE tenant_id = (SELECT id FROM tenants WHERE name = $1)`,
    [tenant],
  );
  return Number(row?.bytes);
}

describe('the trail of a large user', () => {
  it('grows by what changed, and not by the user', async () => {
    const scim = await server.admin.connect('patched');
    const { body: user } = await scim.post('/Users', largeUser('large'));
    const before = await trailBytes('patched');
    const patches = 60;
    for (let index = 0; index < patches; index++) {
      const value = `name ${index}`;
      const { status } = await scim.operations(`/Users/${user.id}`, [{ op: 'replace', path: 'displayName', value }]);
      expect(status).toBe(200);
    }
    expect((await trailBytes('patched')) - before).toBeLessThan(patches * 2_000);
    const [last] = await trail('patched', user.id);
    expect(last).toMatchObject({
      ...{ operation: 'patch', before: null, after: null, changed: ['displayName'], secrets: [], members: null },
      changes: [{ path: '/displayName', before: 'name 58', after: 'name 59' }],
    });
  });

  it('leads from its creation over every change to what it is', async () => {
    const scim = await server.admin.connect('followed');
    const { body: created } = await scim.post('/Users', largeUser('large'));
    const path = `/Users/${created.id}`;
    await scim.operations(path, [
      { op: 'add', path: 'emails', value: [{ value: 'a@example.com', type: 'work' }] },
      { op: 'replace', path: `${urn.enterprise}:department`, value: 'Navy/Sea~Air' },
    ]);
    await scim.operations(path, [{ op: 'replace', path: 'addresses[type eq "home"].locality', value: 'Arlington' }]);
    await scim.operations(path, [{ op: 'remove', path: 'addresses[locality eq "5"]' }]);
    await scim.put(path, { ...largeUser('large'), nickName: 'Grace', password: 'a secret of mine' });
    const events = (await trail('followed', created.id)).reverse();
    const [first, ...changes] = events;
    expect(changes.map(({ operation, changed, secrets }) => [operation, changed, secrets])).toEqual([
      ['patch', expect.arrayContaining(['emails', 'schemas', urn.enterprise]), []],
      ['patch', ['addresses'], []],
      ['patch', ['addresses'], []],
      ['replace', expect.arrayContaining(['addresses', 'emails', 'schemas', urn.enterprise, 'nickName']), ['password']],
    ]);
    expect(changes[1]?.changes).toEqual([{ path: '/addresses/0/locality', before: '0', after: 'Arlington' }]);
    expect(changes[2]?.changes?.map(({ path, before, after }) => [path, typeof before, after])).toEqual([
      ['/addresses/5', 'object', undefined],
    ]);
    const rebuilt = changes.reduce((document, event) => withChanges(document, event.changes ?? []), first?.after ?? {});
    const { body } = await scim.get(path);
    const { meta: _meta, ...document } = body;
    expect(rebuilt).toEqual(document);
    expect(JSON.stringify(events)).not.toContain('secret of mine');
    expect((await scim.delete(path)).status).toBe(204);
    const [gone] = await trail('followed', created.id);
    expect(gone).toMatchObject({ operation: 'delete', before: document, after: null });
  });

  it('keeps both images where the user becomes small, and only what came where it becomes large', async () => {
    const scim = await server.admin.connect('crossing');
    const { body: user } = await scim.post('/Users', { userName: 'small' });
    await scim.put(`/Users/${user.id}`, largeUser('small'));
    await scim.put(`/Users/${user.id}`, { schemas: [urn.user], userName: 'small' });
    const [smaller, larger] = await trail('crossing', user.id);
    expect([larger?.before, larger?.changes?.map(({ path }) => path)]).toEqual([null, ['/displayName', '/addresses']]);
    expect([smaller?.changes, smaller?.before?.['displayName'], smaller?.after?.['userName']]).toEqual([
      undefined,
      'first',
      'small',
    ]);
  });

  it('says exactly what each of two changes at once replaced', async () => {
    const scim = await server.admin.connect('racing');
    const { body: user } = await scim.post('/Users', largeUser('large'));
    const change = (value: string): Promise<unknown> =>
      scim.operations(`/Users/${user.id}`, [{ op: 'replace', path: 'displayName', value }]);
    await Promise.all(Array.from({ length: 12 }, (_, index) => change(`name ${index}`)));
    const values = (await trail('racing', user.id)).flatMap(({ changes = [] }) => changes).reverse();
    expect(values).toHaveLength(12);
    values.reduce((was, { before, after }) => (expect(before).toBe(was), after as string), 'first');
  });
});
