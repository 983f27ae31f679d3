import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { Request, Response } from 'express';
import { DataSource } from 'typeorm';
import { Config } from '../config.js';
import { bytesOf, rowBytes } from '../persistence/stored-bytes.js';
import { toScimError } from '../persistence/database-error.js';
import { errorMessage, isJsonObject, messageUrn, type JsonValue } from '../scim/index.js';
import type { PartialFailure } from '../http/scim-message.js';
import { Masking } from './masking.js';
import { insertSql, trimBytesSql, trimSql } from './request-rows.js';

const interval = 1_000;
const rowsAtOnce = 500;
/** Requests that wait to be written. With bodies they take some 16 KiB each. */
const mostWaiting = 2_000;
/** Of each second, in this process: reads that went well, and requests beyond a limit. Enough to see what clients do. */
const keptOf = { reads: 50, refusals: 50 } as const;
/** Rows of a tenant. */
const mostRows = 100_000;
/** Of the operations of a bulk request that failed: as many as a body may have room for. */
const operationsKept = 20;
/** How many rows of a tenant are written before those that are too many are removed. */
const trimEvery = 5_000;
/** Bytes of a tenant's rows, about: a hundred thousand long ones would be gigabytes. */
const mostBytes = 64 * 2 ** 20;
/** How many bytes of a tenant are written before the oldest rows are removed that are beyond. */
const trimBytesEvery = 16 * 2 ** 20;

/** What is said of a failed request besides. It is masked already, and small. */
interface Failure {
  readonly path: string;
  readonly scimType: string | undefined;
  readonly detail: string | undefined;
  readonly requestBody: JsonValue | undefined;
  readonly responseBody: JsonValue;
}

/** A request that waits to be written. */
interface Waiting {
  readonly tenantId: string;
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly requestId: string;
  readonly method: string;
  readonly target: string;
  /** Null when the client left before the answer. */
  readonly status: number | null;
  readonly milliseconds: number;
  readonly actor: string;
  readonly failure: Failure | undefined;
}

/**
 * Keeps what became of tenants' requests, for their administrators. A request costs an object in memory; it is masked and
 * written later, with many others. When that fails, or there are too many, requests are dropped and counted: no client
 * waits for the log or fails because of it.
 */
@Injectable()
export class RequestRecorder implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(RequestRecorder.name);
  private waiting: Waiting[] = [];
  private dropped = 0;
  private left = { ...keptOf } as Record<keyof typeof keptOf, number>;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;
  /** Rows that were written since a tenant's log was trimmed, and their bytes since it was trimmed by them. */
  private readonly written = new Map<string, number>();
  private readonly writtenBytes = new Map<string, number>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly config: Config,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.config.requestLog) return;
    this.timer = setInterval(() => {
      this.left = { ...keptOf };
      void this.flush();
    }, interval).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  /**
   * Takes a request that is done, if it is a tenant's that keeps its requests. All that failed and all changes are kept;
   * of other reads, and of what a limit refused, some.
   * @param milliseconds from the request's headers to its end
   */
  finished(request: Request, response: Response, milliseconds: number): void {
    const { principal, method } = request;
    if (!this.config.requestLog || principal?.tenant.settings.requestLog !== true) return;
    const status = response.headersSent ? response.statusCode : null;
    const failed = status === null || status >= 400 || request.partialFailure !== undefined;
    const kind = status === 429 ? 'refusals' : !failed && isRead(request) ? 'reads' : undefined;
    if (kind && this.left[kind]-- <= 0) return;
    if (this.waiting.length >= mostWaiting) {
      this.waiting.shift();
      this.dropped++;
    }
    this.waiting.push({
      tenantId: principal.tenant.id,
      at: Date.now() - milliseconds,
      requestId: request.id ?? '',
      method,
      target: request.originalUrl,
      status,
      milliseconds,
      actor: principal.actor,
      failure: failed ? failureOf(request) : undefined,
    });
    if (this.waiting.length === rowsAtOnce) void this.flush();
  }

  /** How many requests wait to be written. */
  get queued(): number {
    return this.waiting.length;
  }

  /** Whether some are being written now. */
  get isWriting(): boolean {
    return this.writing !== undefined;
  }

  /** Writes what waits. It never fails: what cannot be written stays or is dropped, and a warning says so. */
  flush(): Promise<void> {
    return (this.writing ??= this.write().finally(() => (this.writing = undefined)));
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.slice(0, rowsAtOnce);
      this.waiting = this.waiting.slice(rowsAtOnce);
      try {
        const rows = batch.map(row);
        await this.dataSource.query(insertSql, [JSON.stringify(rows, cleaned)]);
        for (const each of rows) this.count(each);
      } catch (error) {
        this.failed(batch, error);
        break;
      }
      await this.trim(batch).catch((error: unknown) => this.logger.warn(`log not trimmed: ${(error as Error).name}`));
    }
    if (this.dropped > 0) this.logger.warn(`${this.dropped} requests are missing from the request log`);
    this.dropped = 0;
  }

  /** Keeps a batch for the next time where the database is away, as far as there is room. */
  private failed(batch: Waiting[], error: unknown): void {
    const comesBack = toScimError(error)?.row === 'unavailable';
    const room = comesBack ? Math.max(0, mostWaiting - this.waiting.length) : 0;
    const stays = room > 0 ? batch.slice(-room) : [];
    this.waiting = [...stays, ...this.waiting];
    this.dropped += batch.length - stays.length;
    this.logger.warn(`the request log was not written: ${(error as Error).name}`);
  }

  /** Removes the oldest rows of a tenant beyond a number of bytes. */
  async trimBytes(tenantId: string, most = mostBytes): Promise<void> {
    this.writtenBytes.set(tenantId, 0);
    await this.dataSource.query(trimBytesSql, [tenantId, most]);
  }

  private count({ tenant_id: id, path, request_body, response_body }: ReturnType<typeof row>): void {
    const bytes = rowBytes.request + path.length + bytesOf(request_body) + bytesOf(response_body);
    this.writtenBytes.set(id, (this.writtenBytes.get(id) ?? 0) + bytes);
  }

  /** Removes the oldest rows of tenants that have too many: looked at now and then, and first when the process is new. */
  private async trim(batch: readonly Waiting[]): Promise<void> {
    for (const { tenantId } of batch) this.written.set(tenantId, (this.written.get(tenantId) ?? trimEvery) + 1);
    for (const tenantId of new Set(batch.map((entry) => entry.tenantId))) {
      if ((this.writtenBytes.get(tenantId) ?? 0) >= trimBytesEvery) await this.trimBytes(tenantId);
      if ((this.written.get(tenantId) ?? 0) < trimEvery) continue;
      this.written.set(tenantId, 0);
      await this.dataSource.query(trimSql, [tenantId, mostRows]);
    }
  }
}

const isRead = ({ method, url }: Request): boolean =>
  method === 'GET' || method === 'HEAD' || (method === 'POST' && url.includes('/.search'));

function failureOf(request: Request): Failure {
  const masking = new Masking();
  const { failure: error, partialFailure, originalUrl, message: sent } = request;
  const path = masking.url(originalUrl);
  const requestBody = sent === undefined ? undefined : masking.body(sent);
  if (partialFailure) return { path, requestBody, ...failureOfOperations(partialFailure, masking) };
  const detail = error && masking.detail(error.detail);
  const responseBody = error ? { ...errorMessage(error), detail: detail ?? null } : null;
  return { path, scimType: error?.scimType, detail, requestBody, responseBody };
}

/** What is said of a bulk request of which operations failed: the first of them, by whose kind it is found. */
function failureOfOperations({ failed, of }: PartialFailure, masking: Masking) {
  const Operations = failed.slice(0, operationsKept).map(({ response, location, ...operation }) => ({
    ...operation,
    ...(location === undefined ? {} : { location: masking.url(location) }),
    ...(response === undefined ? {} : { response: { ...response, detail: masking.detail(response.detail) } }),
  }));
  return {
    scimType: failed.find(({ response }) => response?.scimType !== undefined)?.response?.scimType,
    detail: `${failed.length} of ${of} operations failed.`,
    responseBody: { schemas: [messageUrn.bulkResponse], Operations },
  };
}

/** A row as the statement reads it. */
function row(entry: Waiting) {
  const { tenantId, at, requestId, method, target, status, milliseconds, actor, failure } = entry;
  return {
    tenant_id: tenantId,
    at: new Date(at),
    request_id: requestId,
    method,
    path: failure?.path ?? new Masking().url(target),
    status,
    scim_type: failure?.scimType,
    detail: failure?.detail,
    duration_ms: Math.round(milliseconds),
    actor,
    request_body: failure?.requestBody,
    response_body: isJsonObject(failure?.responseBody) ? failure.responseBody : undefined,
  };
}

/** PostgreSQL stores neither NUL nor half a surrogate pair. */
const cleaned = (_name: string, value: unknown): unknown =>
  typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '') : value;
