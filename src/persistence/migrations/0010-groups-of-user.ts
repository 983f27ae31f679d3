import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements = [
  // A query that a statement holds but seldom needs is set up each time; a function's is planned once and set up when it
  // is called. UNION drops what was found before, so a cycle of groups ends.
  `CREATE FUNCTION groups_of_user(tenant uuid, member uuid) RETURNS TABLE (group_id uuid, direct boolean)
   LANGUAGE plpgsql STABLE ROWS 10 AS $$
   BEGIN
     RETURN QUERY WITH RECURSIVE up(id, is_direct) AS (
       SELECT m.group_id, TRUE FROM group_members m WHERE m.tenant_id = tenant AND m.member_user_id = member
       UNION
       SELECT m.group_id, FALSE FROM up JOIN group_members m ON m.tenant_id = tenant AND m.member_group_id = up.id
     )
     SELECT up.id, bool_or(up.is_direct) FROM up GROUP BY up.id;
   END $$`,
];

/** The groups of a user, direct and through nested groups, as a function of the database. */
export class GroupsOfUser1764000000010 implements MigrationInterface {
  readonly name = 'GroupsOfUser1764000000010';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of statements) await queryRunner.query(statement);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead.'));
  }
}
