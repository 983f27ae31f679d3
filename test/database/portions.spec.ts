import { expect, it } from '@jest/globals';
import { Portions } from '../../src/persistence/portions.js';
import { describeWith } from '../support/programs.js';
import { startServer } from '../support/server.js';

const scope = { tenant: { id: '00000000-0000-0000-0000-000000000001' } };
const statement = (text: string) => ({ text, values: [] });

describeWith([], 'What is read portion by portion, on connections of its own', () => {
  it('sees one moment in two statements, and goes on when their connection breaks between them', async () => {
    const server = await startServer();
    const portions = server.app.get(Portions);
    const moment = 'SELECT pg_backend_pid() AS pid, txid_current_snapshot()::text AS moment';
    type Seen = { pid: number; moment: string };
    const { first, second } = await portions.pair<Seen, Seen>(
      scope,
      [statement(moment), statement(`${moment}, pg_sleep(0.01)`)],
      'begin',
    );
    expect((await second)[0]).toMatchObject(first[0] ?? {});
    const broken = await portions.pair<Seen, Seen>(
      scope,
      [statement(moment), statement('SELECT pg_terminate_backend(pg_backend_pid())')],
      'begin',
    );
    await expect(broken.second).rejects.toThrow();
    expect(await portions.run(scope, 'SELECT 1 AS one', [])).toEqual([{ one: 1 }]);
    expect(portions.ownPool).toMatchObject({ waitingCount: 0 });
    await server.close();
  });
});
