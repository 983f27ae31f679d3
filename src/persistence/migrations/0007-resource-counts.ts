import type { MigrationInterface, QueryRunner } from 'typeorm';

const types = [
  ['users', 'User'],
  ['groups', 'Group'],
] as const;

const statements = [
  // How many resources have an id from first_id up to the next range's.
  `CREATE TABLE resource_counts (
     tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
     resource_type text NOT NULL,
     first_id uuid NOT NULL,
     n integer NOT NULL,
     PRIMARY KEY (tenant_id, resource_type, first_id)
   )`,
  // Resources that came (1) or went (-1) and are not in resource_counts yet. Rows are only added, so writers never wait
  // for each other. No foreign key: the last rows of a tenant are written while it is being deleted.
  `CREATE TABLE resource_count_changes (
     tenant_id uuid NOT NULL,
     resource_type text NOT NULL,
     resource_id uuid NOT NULL,
     n integer NOT NULL
   )`,
  `CREATE INDEX resource_count_changes_tenant ON resource_count_changes (tenant_id, resource_type)`,
  `CREATE FUNCTION count_resources_that_came() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     INSERT INTO resource_count_changes (tenant_id, resource_type, resource_id, n)
       SELECT tenant_id, TG_ARGV[0], id, 1 FROM came;
     RETURN NULL;
   END $$`,
  `CREATE FUNCTION count_resources_that_went() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     INSERT INTO resource_count_changes (tenant_id, resource_type, resource_id, n)
       SELECT tenant_id, TG_ARGV[0], id, -1 FROM went;
     RETURN NULL;
   END $$`,
  ...types.flatMap(([table, type]) => [
    `CREATE TRIGGER ${table}_came AFTER INSERT ON ${table} REFERENCING NEW TABLE AS came
       FOR EACH STATEMENT EXECUTE FUNCTION count_resources_that_came('${type}')`,
    `CREATE TRIGGER ${table}_went AFTER DELETE ON ${table} REFERENCING OLD TABLE AS went
       FOR EACH STATEMENT EXECUTE FUNCTION count_resources_that_went('${type}')`,
    `INSERT INTO resource_counts (tenant_id, resource_type, first_id, n)
       SELECT tenant_id, '${type}', '00000000-0000-0000-0000-000000000000', count(*) FROM ${table} GROUP BY tenant_id`,
  ]),
];

/** How many resources each tenant has, kept by the database itself. */
export class ResourceCounts1764000000007 implements MigrationInterface {
  readonly name = 'ResourceCounts1764000000007';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead.'));
  }
}
