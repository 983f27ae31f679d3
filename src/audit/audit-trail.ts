import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { DocumentChange } from '../persistence/document-changes.js';
import { TimeLine, type Moment, type TimeLineQuery } from '../persistence/time-line.js';
import type { JsonObject } from '../scim/index.js';

/** A change, as it was written down with it. */
export interface AuditRecord extends Moment {
  /** `token:<id>`, `client:<id>` or `issuer:<sub>` for who provisions; `admin`, `cli` or `config` for who administers. */
  readonly actor: string;
  readonly requestId: string;
  readonly operation: string;
  readonly resourceType: string;
  readonly resourceId: string;
  /** Null for what was created, and where `changes` says it. */
  readonly before: JsonObject | null;
  /** Null for what was deleted, and where `changes` says it. */
  readonly after: JsonObject | null;
  /** What an update of a large resource changed; null where before and after say it. */
  readonly changes: readonly DocumentChange[] | null;
  /** Names of what changed and is secret. */
  readonly secrets: readonly string[];
  /** Members that came and went; null where members are none of it. */
  readonly members: JsonObject | null;
}

/** What events have to be of. */
export type AuditFilter = Partial<
  Readonly<Record<'actor' | 'requestId' | 'operation' | 'resourceType' | 'resourceId', string | undefined>>
>;

/** Which events are wanted. */
export interface AuditQuery extends Omit<TimeLineQuery, 'conditions'> {
  readonly filter: AuditFilter;
}

/** A page of events, the newest first. */
export interface AuditPage {
  readonly records: AuditRecord[];
  readonly next?: Moment;
}

const columns = {
  actor: 'actor',
  requestId: 'request_id',
  operation: 'operation',
  resourceType: 'resource_type',
  resourceId: 'resource_id',
} as const satisfies Record<keyof AuditFilter, string>;
const read = ['before', 'after', 'changes', 'secrets', 'members'];

// A fraction of the time that a statement has.
const window = 20_000;
const exportedAtOnce = 200;

/** Reads what was changed, by whom and how. Every reader names the tenant; `installation` stands for all of them. */
@Injectable()
export class AuditTrail {
  private readonly timeLine: TimeLine<Omit<AuditRecord, keyof Moment>>;

  constructor(dataSource: DataSource) {
    const named = Object.entries(columns).map(([name, column]) => `${column} AS "${name}"`);
    this.timeLine = new TimeLine(dataSource, 'audit_events', [...named, ...read], window);
  }

  /** Reads a page. It looks through 20,000 events at most, so it may have fewer than wanted and a next one. */
  async list({ filter, ...query }: AuditQuery): Promise<AuditPage> {
    const names = Object.keys(columns) as (keyof AuditFilter)[];
    const wanted = names.filter((name) => filter[name] !== undefined);
    const conditions = wanted.map((name) => [`${columns[name]} =`, filter[name]] as const);
    const { rows, ...rest } = await this.timeLine.read({ ...query, conditions });
    return { records: rows, ...rest };
  }

  /** All events that are wanted, the newest first, a few at a time as they are taken. It holds nothing in between. */
  async *export(query: Omit<AuditQuery, 'count' | 'after'>): AsyncGenerator<AuditRecord[], void, undefined> {
    let after: Moment | undefined;
    do {
      const { records, next }: AuditPage = await this.list({ ...query, after, count: exportedAtOnce });
      yield records;
      after = next;
    } while (after !== undefined);
  }
}
