import { expect, it } from '@jest/globals';
import { Snapshots } from '../../src/persistence/snapshots.js';
import { describeWith } from '../support/programs.js';
import { startServer } from '../support/server.js';
import { until } from '../support/until.js';

describeWith([], 'What is read in parts, as of one moment', () => {
  it('ends where its connection breaks between two parts, and the server goes on', async () => {
    const server = await startServer();
    const parts = server.app.get(Snapshots).parts(async function* (query) {
      for (;;) yield (await query<{ pid: number }>('SELECT pg_backend_pid() AS pid', []))[0]?.pid;
    });
    const { value: pid } = await parts.next();
    await server.dataSource.query('SELECT pg_terminate_backend($1)', [pid]);
    await until(async () => {
      const found = await server.dataSource.query<object[]>('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [pid]);
      return found.length === 0;
    });
    await expect(parts.next()).rejects.toThrow();
    expect((await server.scim.list('/Users')).status).toBe(200);
    await server.close();
  });
});
