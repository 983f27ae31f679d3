import { Injectable } from '@nestjs/common';
import { sqlContext } from '../persistence/filter-sql/columns.js';
import { Portions, type Stage, type Statement } from '../persistence/portions.js';
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
}

interface Ids {
  readonly version: number;
  /** 16 bytes for each member; null when there are no more. */
  readonly ids: Buffer | null;
}

/** A group, with what is needed to read its members. */
interface Opened {
  readonly id: string;
  readonly baseUrl: string;
  readonly version: number;
  /** The first of the members' ids. */
  readonly first: Promise<readonly Ids[]>;
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
   * Reads a group without its members. Their ids are read behind it, as of the same moment.
   * @returns undefined when there is no such group
   * @throws ScimError tooManyRequests when the tenant reads too many large resources at once
   */
  async open(scope: TenantScope, id: string, baseUrl: string, stage: Stage): Promise<LargeResource | undefined> {
    const statements = [headStatement(scope, id, baseUrl), idsStatement(scope, id, firstId)] as const;
    const { first, second } = await this.portions.pair<Head, Ids>(scope, statements, stage);
    const [head] = first;
    if (!head) return undefined;
    const { version, json } = head;
    return {
      version,
      json,
      attribute: 'members',
      values: this.members(scope, { id, baseUrl, version, first: second }),
    };
  }

  private async *members(scope: TenantScope, { id, baseUrl, version, first }: Opened): AsyncGenerator<string> {
    for (let [read] = await first; ;) {
      if (read?.version !== version) throw new ScimError('conflict', 'The group changed while it was read.');
      const { ids } = read;
      if (!ids) return;
      yield* this.named(scope, baseUrl, ids);
      if (ids.length < idsAtOnce * idBytes) return;
      const { text, values } = idsStatement(scope, id, idsIn(ids.subarray(-idBytes))[0] ?? '');
      [read] = await this.portions.run<Ids>(scope, text, values);
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
}

function headStatement({ tenant }: TenantScope, id: string, baseUrl: string): Statement {
  const values: unknown[] = [tenant.id, id];
  const meta = metaJson(sqlContext(values, baseUrl), groupResourceType.name, groupResourceType.endpoint);
  const json = `${openDocument} || ${meta} || '}'`;
  return { text: `SELECT r.version, ${json} AS json FROM groups r WHERE r.tenant_id = $1 AND r.id = $2`, values };
}

function idsStatement({ tenant }: TenantScope, id: string, after: string): Statement {
  const text = `SELECT r.version, (SELECT string_agg(uuid_send(m.member_id), ''::bytea) FROM (
        SELECT m.member_id FROM group_members m
        WHERE m.tenant_id = $1 AND m.group_id = $2 AND m.member_id > $3::uuid ORDER BY m.member_id LIMIT $4::integer
      ) m) AS ids
    FROM groups r WHERE r.tenant_id = $1 AND r.id = $2`;
  return { text, values: [tenant.id, id, after, idsAtOnce] };
}

/** Ids in hexadecimal digits. */
function idsIn(bytes: Buffer): string[] {
  const digits = bytes.toString('hex');
  return Array.from({ length: bytes.length / idBytes }, (_, index) =>
    digits.slice(index * 2 * idBytes, (index + 1) * 2 * idBytes),
  );
}
