import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { TimeLine, type Moment, type TimeLinePage, type TimeLineQuery } from '../persistence/time-line.js';
import type { JsonValue } from '../scim/index.js';
import { RequestRecorder } from './request-recorder.js';
import { readColumns } from './request-rows.js';

/** A request, and what became of it. */
export interface LoggedRequest extends Moment {
  readonly requestId: string;
  readonly method: string;
  /** The path, the names of query parameters, and the filter without its values. */
  readonly path: string;
  /** Null when the client left before the answer. */
  readonly status: number | null;
  readonly scimType: string | null;
  readonly detail: string | null;
  readonly durationMs: number;
  readonly actor: string;
  /** Of failed requests: what was sent, and what was answered, without values. */
  readonly requestBody: JsonValue;
  readonly responseBody: JsonValue;
}

/** What requests have to be. */
export interface RequestFilter {
  /** Whether it failed, as a whole or in part. */
  readonly failed?: boolean | undefined;
  /** The first status and the last. */
  readonly status?: readonly [first: number, last: number] | undefined;
  readonly method?: string | undefined;
  readonly scimType?: string | undefined;
  readonly requestId?: string | undefined;
}

// A tenant has no more rows than this by much, so one page looks through all of them.
const window = 110_000;

/** Reads the request log. */
@Injectable()
export class RequestLog {
  private readonly timeLine: TimeLine<Omit<LoggedRequest, keyof Moment>>;

  constructor(
    dataSource: DataSource,
    private readonly recorder: RequestRecorder,
  ) {
    this.timeLine = new TimeLine(dataSource, 'request_log', readColumns, window);
  }

  /** A tenant's requests, the newest first; those of other processes may be missing for a second. */
  async list(
    { failed, status, method, scimType, requestId }: RequestFilter,
    query: Omit<TimeLineQuery, 'conditions'>,
  ): Promise<TimeLinePage<LoggedRequest>> {
    await this.recorder.flush();
    const conditions: [string, unknown][] = [
      ['(status IS NULL OR status >= 400 OR detail IS NOT NULL) =', failed],
      ['method =', method],
      ['scim_type =', scimType],
      ['request_id =', requestId],
      ['status >=', status?.[0]],
      ['status <=', status?.[1]],
    ];
    return this.timeLine.read({ ...query, conditions: conditions.filter(([, value]) => value !== undefined) });
  }
}
