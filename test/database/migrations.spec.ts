import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { dataSourceOptions } from '../../src/persistence/data-source.js';
import { openEmbeddedInMemory, type EmbeddedDatabase } from '../../src/persistence/embedded.js';
import { migrate } from '../../src/persistence/migrate.js';
import { migrations } from '../../src/persistence/migrations/all.js';
import { createDatabase, databaseUrl, onServer, serverUrl } from '../support/database.js';
import { direct } from '../support/pooled.js';

const names = migrations.map((migration) => new migration().name);

/**
 * The SHA-256 of each migration's statements. A new migration gets a line; a line never changes, for there are databases on
 * which the migration was run as it was.
 */
const written: Readonly<Record<string, string>> = {
  Initial1764000000001: '3ce1bf30fb0f98a0a946f7956849046de1dfbb6a56d0eb7254443556a65481ee',
  SecretKeys1764000000002: '8a3cedc49e6ee415b0a88ed4db02765ee52f5c5949d9b184abef3d34da1b4017',
  Administration1764000000003: '93781e164242946811becf2a69373226b77937111e075a5dd2f5f24377a52119',
  OAuth1764000000004: '48040628f09a98f0b2b0759f847651684a739da227cf0824ee7e79c283c88473',
  Limits1764000000005: '3f2964560dd261ace548b83578b68b8885ec403511dc401aef4426eefe7ceeb0',
  Indexes1764000000006: 'eec72ec45839e0451e825d70692b38b64ee1b8c65e6372d70660f42014eedc93',
  ResourceCounts1764000000007: '90d1c53fe8857624d8f4b5304bb194bcc36e89837138d365dc4392a1d8169a4b',
  Audit1764000000008: '5451c0bc7e72419fbf686ba3ce743d08e9dfa16a1a306bab963075a689ce40f1',
  RequestLog1764000000009: '15833a6d57ff43ec8a85af97697d0d203948be5d46852f23b704a4a4afb42fe8',
  GroupsOfUser1764000000010: '0455c2b34447272bd034962c9206e211e1ab6f0f5dc1f9c7e3e7fac91be9e859',
  CountChangesByResource1764000000011: '0a2189e31182552e321b59a0d6dd8ec831f5c66c849d679744691fcf5359ce82',
  NamesAndLeavers1764000000012: 'c4888be14426b16ce2656c9f6fd76d9c01a9d8a887c1fbe03340b8018db381a8',
  ShortWaitingList1764000000013: '6ac9a40f6f8f6051ba369679a01ff3ab8795791a02ea2adc416f7a0643fd3791',
  AuditChanges1764000000014: 'b2754c73e66062d211c5fefcb409487f2d9bc4622a1d70fd2be2545ab4a1aefb',
  Quotas1764000000015: '6fc08754142fe67cb8e67a9a9ee3aca4472d3d7c7ebd667e5e1c1e66ba3c474b',
};
const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  jest.restoreAllMocks();
  for (const end of ends.splice(0).reverse()) await end();
});

/** A database without any table. */
async function emptyDatabase(): Promise<string | EmbeddedDatabase> {
  if (serverUrl === undefined) {
    const embedded = await openEmbeddedInMemory();
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
/** A migration's statements, made comparable: how they are laid out does not matter. */
async function hashOf(migration: MigrationInterface): Promise<string> {
  const hash = createHash('sha256');
  const query = (sql: string) => Promise.resolve(hash.update(`${sql.replace(/\s+/g, ' ').trim()};`));
  await migration.up({ query } as unknown as QueryRunner);
  return hash.digest('hex');
}

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

  it.each(migrations.map((migration) => new migration()))(
    'are never edited: $name does what it did when it was written',
    async (migration) => {
      expect([migration.name, await hashOf(migration)]).toEqual([migration.name, written[migration.name]]);
    },
  );

  it("take as long as they take, although a request's statement may not", async () => {
    class Slow implements MigrationInterface {
      readonly name = 'Slow9999999999999';
      up = (queryRunner: QueryRunner): Promise<void> => queryRunner.query('SELECT pg_sleep(0.3)');
      down = () => Promise.resolve();
    }
    const database = await emptyDatabase();
    const hurried = typeof database === 'string' ? `${direct(database)}?statement_timeout=100` : database;
    const dataSource = await connect(hurried, [Slow]);
    expect(await migrate(dataSource)).toEqual([...names, 'Slow9999999999999']);
    if (serverUrl !== undefined) await expect(dataSource.query('SELECT pg_sleep(10)')).rejects.toThrow('timeout');
  });
});

/** What statements that were written for a schema depend on. */
interface Schema {
  readonly columns: readonly {
    readonly id: string;
    readonly table: string;
    readonly type: string;
    readonly required: boolean;
    readonly supplied: boolean;
  }[];
  /** What may not be written: constraints and unique indexes, with the columns they look at. */
  readonly limits: readonly { readonly id: string; readonly columns: readonly string[] }[];
  readonly functions: readonly { readonly id: string }[];
}

async function readSchema(queryRunner: QueryRunner): Promise<Schema> {
  const columns = (await queryRunner.query(
    `SELECT c.relname || '.' || a.attname AS id, c.relname AS table, format_type(a.atttypid, a.atttypmod) AS type,
            a.attnotnull AS required, a.atthasdef OR a.attidentity <> '' AS supplied
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 AND NOT a.attisdropped`,
  )) as Schema['columns'];
  const limits = (await queryRunner.query(
    `SELECT l.id, (SELECT json_agg(c.relname || '.' || a.attname) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
              WHERE a.attrelid = l.relation AND a.attnum = ANY (l.columns)) AS columns
     FROM (SELECT conname || ' ' || pg_get_constraintdef(oid) AS id, conrelid AS relation, conkey AS columns
           FROM pg_constraint WHERE contype IN ('c', 'f', 'x') AND conrelid <> 0
           UNION ALL
           SELECT pg_get_indexdef(indexrelid), indrelid, indkey::int2[] FROM pg_index WHERE indisunique) l
     JOIN pg_class t ON t.oid = l.relation AND t.relnamespace = current_schema()::regnamespace`,
  )) as Schema['limits'];
  const functions = (await queryRunner.query(
    `SELECT oid::regprocedure || ' returns ' || pg_get_function_result(oid) AS id FROM pg_proc
     WHERE pronamespace = current_schema()::regnamespace`,
  )) as Schema['functions'];
  return { columns, limits, functions };
}

/** What a release that was written for the schema before would meet after: a line for each thing it does not expect. */
function breaches(before: Schema, after: Schema): string[] {
  const known = new Map(before.columns.map((column) => [column.id, column]));
  const now = new Map(after.columns.map((column) => [column.id, column]));
  const tables = new Set(before.columns.map(({ table }) => table));
  const former = new Set(before.limits.map(({ id }) => id));
  const functions = new Set(after.functions.map(({ id }) => id));
  return [
    ...before.functions.filter(({ id }) => !functions.has(id)).map(({ id }) => `${id} is gone`),
    ...before.columns.flatMap(({ id, type, required, supplied }) => {
      const column = now.get(id);
      if (!column) return [`${id} is gone`];
      return [
        ...(column.type === type ? [] : [`${id} is ${column.type} now`]),
        ...(column.required && !required ? [`${id} may not be null any more`] : []),
        ...(supplied && !column.supplied ? [`${id} has no default any more`] : []),
      ];
    }),
    ...after.columns
      .filter(({ id, table, required, supplied }) => tables.has(table) && !known.has(id) && required && !supplied)
      .map(({ id }) => `${id} has to be given`),
    // One that looks at a new column can be made so that what comes without it is allowed.
    ...after.limits
      .filter(({ id, columns }) => !former.has(id) && columns.every((column) => known.has(column)))
      .map(({ id }) => `what was allowed may not be any more: ${id}`),
  ];
}

describe('Each migration', () => {
  it('leaves what the release before it reads and writes, so that both can serve while pods are replaced', async () => {
    const dataSource = await connect(await emptyDatabase());
    const queryRunner = dataSource.createQueryRunner();
    let before: Schema = { columns: [], limits: [], functions: [] };
    for (const migration of migrations.map((each) => new each())) {
      await migration.up(queryRunner);
      const after = await readSchema(queryRunner);
      expect([migration.name, breaches(before, after)]).toEqual([migration.name, []]);
      before = after;
    }
    await queryRunner.release();
  });

  it.each([
    ['ALTER TABLE users DROP COLUMN display', 'users.display is gone'],
    ['ALTER TABLE users RENAME COLUMN display TO shown', 'users.display is gone'],
    ['ALTER TABLE users RENAME TO people', 'users.tenant_id is gone'],
    ['DROP FUNCTION count_resources_that_came CASCADE', 'count_resources_that_came() returns trigger is gone'],
    ['DROP TABLE request_log', 'request_log.tenant_id is gone'],
    ['ALTER TABLE users ALTER COLUMN version TYPE bigint', 'users.version is bigint now'],
    ['ALTER TABLE users ALTER COLUMN active SET NOT NULL', 'users.active may not be null any more'],
    ['ALTER TABLE tenants ALTER COLUMN state DROP DEFAULT', 'tenants.state has no default any more'],
    ['ALTER TABLE users ADD COLUMN rank integer NOT NULL', 'users.rank has to be given'],
    ['ALTER TABLE users ADD CHECK (version < 9)', 'what was allowed may not be any more: users_version_check'],
    ['CREATE UNIQUE INDEX x ON users (tenant_id, display_key)', 'what was allowed may not be any more: CREATE UNIQUE'],
    [
      'ALTER TABLE users ADD FOREIGN KEY (tenant_id, manager_id) REFERENCES users',
      'what was allowed may not be any more',
    ],
  ])('is seen to break the release before: %s', async (statement, breach) => {
    const { database, drop } = await createDatabase();
    ends.push(drop);
    const queryRunner = (await connect(database)).createQueryRunner();
    const before = await readSchema(queryRunner);
    await queryRunner.query(statement);
    expect(breaches(before, await readSchema(queryRunner))).toContainEqual(expect.stringContaining(breach));
    await queryRunner.release();
  });
});
