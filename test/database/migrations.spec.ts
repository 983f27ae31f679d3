import { PGlite } from '@electric-sql/pglite';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { dataSourceOptions, migrate } from '../../src/persistence/data-source.js';
import { embeddedIn, type EmbeddedDatabase } from '../../src/persistence/embedded.js';
import { migrations } from '../../src/persistence/migrations/all.js';
import { databaseUrl, onServer, serverUrl } from '../support/database.js';

const names = migrations.map((migration) => new migration().name);
const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  jest.restoreAllMocks();
  for (const end of ends.splice(0).reverse()) await end();
});

/** A database without any table. */
async function emptyDatabase(): Promise<string | EmbeddedDatabase> {
  if (serverUrl === undefined) {
    const embedded = embeddedIn(await PGlite.create());
    ends.push(embedded.close);
    return embedded;
  }
  const url = serverUrl;
  const name = `${process.env['ROLLCALL_TEST_PREFIX']}_${randomUUID().slice(0, 8)}`;
  await onServer(url, (client) => client.query(`CREATE DATABASE "${name}"`));
  ends.push(() => onServer(url, (client) => client.query(`DROP DATABASE "${name}" WITH (FORCE)`)));
  return databaseUrl(url, name);
}

async function connect(database: string | EmbeddedDatabase, more: (new () => MigrationInterface)[] = []) {
  const options = dataSourceOptions(database);
  const dataSource = new DataSource({ ...options, migrations: [...migrations, ...more] });
  await dataSource.initialize();
  ends.push(() => dataSource.destroy());
  return dataSource;
}

const tables = async (dataSource: DataSource): Promise<string[]> => {
  const rows: { name: string }[] = await dataSource.query(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
};
const applied = async (dataSource: DataSource): Promise<string[]> => {
  const rows: { name: string }[] = await dataSource.query('SELECT name FROM migrations ORDER BY id');
  return rows.map(({ name }) => name);
};

describe('Migrations', () => {
  it('make the tables of an empty database, in order, and record each', async () => {
    const dataSource = await connect(await emptyDatabase());
    expect(await migrate(dataSource)).toEqual(names);
    expect(await applied(dataSource)).toEqual(names);
    expect(await tables(dataSource)).toEqual(
      expect.arrayContaining(['group_members', 'groups', 'migrations', 'tenants', 'tokens', 'users']),
    );
  });

  it('change nothing when they run again', async () => {
    const dataSource = await connect(await emptyDatabase());
    await migrate(dataSource);
    const before = await tables(dataSource);
    await dataSource.query("INSERT INTO tenants (id, name, created_at) VALUES ($1, 'kept', now())", [randomUUID()]);
    expect(await migrate(dataSource)).toEqual([]);
    expect([await tables(dataSource), await applied(dataSource)]).toEqual([before, names]);
    expect(await dataSource.query('SELECT name FROM tenants')).toEqual([{ name: 'kept' }]);
  });

  it('are applied once when two processes migrate an empty database at once', async () => {
    const database = await emptyDatabase();
    // The embedded database has one connection, which both have to take turns with.
    const first = await connect(database);
    const second = serverUrl === undefined ? first : await connect(database);
    const ran = await Promise.all([migrate(first), migrate(second), migrate(first)]);
    expect(ran.flat()).toEqual(names);
    expect(await applied(second)).toEqual(names);
  });

  it('leave the database as it was when one of them fails', async () => {
    class Failing implements MigrationInterface {
      readonly name = 'Failing9999999999999';
      async up(queryRunner: QueryRunner): Promise<void> {
        await queryRunner.query('CREATE TABLE half_done (id integer)');
        await queryRunner.query('SELECT no_such_function()');
      }
      down = () => Promise.resolve();
    }
    // TypeORM says on the console that a migration failed.
    jest.spyOn(console, 'log').mockImplementation(() => undefined);
    const dataSource = await connect(await emptyDatabase(), [Failing]);
    await expect(migrate(dataSource)).rejects.toThrow('no_such_function');
    expect(await tables(dataSource)).toEqual([]);
    // The connection is free again, and the same data source can go on.
    expect(await dataSource.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it.each(migrations.map((migration) => new migration()))(
    'go forward only: $name cannot be reverted',
    async (migration) => {
      await expect(migration.down()).rejects.toThrow('forward only');
    },
  );
});
