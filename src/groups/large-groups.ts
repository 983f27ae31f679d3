import { Injectable } from '@nestjs/common';
import { sqlContext } from '../persistence/filter-sql/columns.js';
import { Portions, type Stage } from '../persistence/portions.js';
import { metaJson, openDocument } from '../persistence/representation.js';
import type { LargeResource } from '../persistence/resource.repository.js';
import type { TenantScope } from '../persistence/transaction.js';
import { groupResourceType, ScimError } from '../scim/index.js';
import { memberBatchSql, type MemberBounds } from './group-columns.js';

/** A group of more than this is read in parts. */
export const inOneText: MemberBounds = { members: 2_000, nameBytes: 1_000_000 };

// The text of so many is small enough for the engine to reuse its memory at once.
const membersAtOnce = 500;
const nameBytesAtOnce = 500_000;

const idBytes = 16;
/** How many members' ids are read at once: one group's as of one moment, unless it is larger still. */
const idsAtOnce = 131_072;

const firstId = '00000000-0000-0000-0000-000000000000';

interface Head {
  readonly version: number;
  readonly json: string;
  /** The ids of members, 16 bytes each; null when there are no more. */
  readonly ids: Buffer | null;
}

interface Batch {
  /** Null when all of them are gone. */
  readonly json: string | null;
  readonly taken: number;
}

/**
 * Reads groups that are too large for one text. The ids of the members are read at one moment, and then some members at a
 * time, with their names, as they are taken: no connection is held in between, and memory is bounded whatever the size is.
 */
@Injectable()
export class LargeGroups {
  constructor(private readonly portions: Portions) {}

  /**
   * Reads a group without its members, and their ids.
   * @returns undefined when there is no such group
   * @throws ScimError tooManyRequests when the tenant reads too many large resources at once
   */
  async open(scope: TenantScope, id: string, baseUrl: string): Promise<LargeResource | undefined> {
    const head = await this.head(scope, id, { baseUrl, after: firstId, stage: 'begin' });
    if (!head) return undefined;
    const { version, json } = head;
    return { version, json, attribute: 'members', values: this.members(scope, id, baseUrl, head) };
  }

  private async *members(scope: TenantScope, id: string, baseUrl: string, first: Head): AsyncGenerator<string> {
    let { ids } = first;
    while (ids) {
      yield* this.named(scope, baseUrl, ids);
      if (ids.length < idsAtOnce * idBytes) return;
      const next = await this.head(scope, id, {
        baseUrl,
        after: idsIn(ids.subarray(-idBytes))[0] ?? '',
        stage: 'goOn',
      });
      if (next?.version !== first.version) throw new ScimError('conflict', 'The group changed while it was read.');
      ({ ids } = next);
    }
  }

  /** The members of these ids, some at a time. */
  private async *named(scope: TenantScope, baseUrl: string, ids: Buffer): AsyncGenerator<string> {
    const atOnce = membersAtOnce * idBytes;
    for (let read = 0; read < ids.length;) {
      const values: unknown[] = [scope.tenant.id, `{${idsIn(ids.subarray(read, read + atOnce)).join()}}`];
      const sql = memberBatchSql(sqlContext(values, baseUrl), '$2', nameBytesAtOnce);
      const [batch] = await this.portions.run<Batch>(scope, sql, values);
      if (!batch) return;
      if (batch.json !== null) yield batch.json;
      read += batch.taken * idBytes;
    }
  }

  private async head(
    scope: TenantScope,
    id: string,
    { baseUrl, after, stage }: { readonly baseUrl: string; readonly after: string; readonly stage: Stage },
  ): Promise<Head | undefined> {
    const values: unknown[] = [scope.tenant.id, id, after, idsAtOnce];
    const meta = metaJson(sqlContext(values, baseUrl), groupResourceType.name, groupResourceType.endpoint);
    const sql = `SELECT r.version, ${openDocument} || ${meta} || '}' AS json,
        (SELECT string_agg(uuid_send(m.member_id), ''::bytea) FROM (
          SELECT m.member_id FROM group_members m
          WHERE m.tenant_id = $1 AND m.group_id = $2 AND m.member_id > $3::uuid ORDER BY m.member_id LIMIT $4::integer
        ) m) AS ids
      FROM groups r WHERE r.tenant_id = $1 AND r.id = $2`;
    return (await this.portions.run<Head>(scope, sql, values, stage))[0];
  }
}

/** Ids in hexadecimal digits. */
function idsIn(bytes: Buffer): string[] {
  const digits = bytes.toString('hex');
  return Array.from({ length: bytes.length / idBytes }, (_, index) =>
    digits.slice(index * 2 * idBytes, (index + 1) * 2 * idBytes),
  );
}
