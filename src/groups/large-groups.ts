import { Injectable } from '@nestjs/common';
import { sqlContext } from '../persistence/filter-sql/columns.js';
import { metaJson, openDocument } from '../persistence/representation.js';
import type { View } from '../persistence/resource.repository.js';
import { Snapshots, type SnapshotQuery } from '../persistence/snapshots.js';
import type { TenantScope } from '../persistence/transaction.js';
import { groupResourceType } from '../scim/index.js';
import { memberBatchSql } from './group-columns.js';

/** A group of more members than this is read in parts. */
export const membersInOneText = 2_000;
// The text of so many is small enough for the engine to reuse its memory at once.
const membersAtOnce = 500;

interface Head {
  readonly version: number;
  readonly head: string;
  readonly tail: string;
}

interface Batch {
  /** Null when there are no more. */
  readonly json: string | null;
  readonly last: string | null;
}

/** A large group as it is returned: its version, and its JSON text in parts. */
export interface LargeGroup {
  readonly version: number;
  /** To be read to the end, or left by `return`: it holds a connection. */
  readonly parts: AsyncIterableIterator<string>;
}

/** Reads groups that are too large for one text. Memory is bounded by a part, whatever the group's size. */
@Injectable()
export class LargeGroups {
  constructor(private readonly snapshots: Snapshots) {}

  /** Reads a group's first part, and the others as they are taken. @returns undefined when there is no such group */
  async open({ tenant }: TenantScope, id: string, { baseUrl }: View): Promise<LargeGroup | undefined> {
    const parts = this.snapshots.parts((query) => readParts(query, tenant.id, id, baseUrl));
    const first = await parts.next();
    if (first.done) return undefined;
    const { version, head } = first.value as Head;
    return { version, parts: headed(head, parts as AsyncGenerator<string, void, undefined>) };
  }
}

/** The head and then the rest. Unlike a generator it ends the rest also when it is left before its first part. */
function headed(
  head: string,
  rest: AsyncGenerator<string, void, undefined>,
): AsyncIterableIterator<string, void, undefined> {
  let isBegun = false;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      if (isBegun) return rest.next();
      isBegun = true;
      return Promise.resolve({ done: false, value: head });
    },
    return: () => rest.return(),
  };
}

/** The group's version and beginning, then its members in parts, then its end. */
async function* readParts(
  query: SnapshotQuery,
  tenantId: string,
  groupId: string,
  baseUrl: string,
): AsyncGenerator<Head | string> {
  const values: unknown[] = [tenantId, groupId];
  const meta = metaJson(sqlContext(values, baseUrl), groupResourceType.name, groupResourceType.endpoint);
  const [group] = await query<Head>(
    `SELECT r.version, ${openDocument} || ',"members":[' AS head, ${meta} || '}' AS tail
     FROM groups r WHERE r.tenant_id = $1 AND r.id = $2`,
    values,
  );
  if (!group) return;
  yield group;
  let after = '00000000-0000-0000-0000-000000000000';
  for (let separator = ''; ; separator = ',') {
    const batchValues: unknown[] = [tenantId, groupId, after, membersAtOnce];
    const sql = memberBatchSql(sqlContext(batchValues, baseUrl), { group: '$2', after: '$3', count: '$4' });
    const [batch] = await query<Batch>(sql, batchValues);
    if (batch?.json == null || batch.last === null) break;
    yield separator + batch.json;
    after = batch.last;
  }
  yield `]${group.tail}`;
}
