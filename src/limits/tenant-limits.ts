import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { ServerResponse } from 'node:http';
import { Config } from '../config.js';
import { ScimError, type TenantSettings } from '../scim/index.js';
import { BytesInFlight } from './bytes-in-flight.js';
import { OperationCharge } from './operation-charge.js';
import type { Rate, TokenBucket } from './token-bucket.js';
import { UsageExchange } from './usage-exchange.js';

const knownTenants = 10_000;
// A client may come in bursts: what it did not use in the last seconds it may use at once.
const burstSeconds = 2;

/** The process takes as many requests at the same time as so many tenants at the limit of one. */
const tenantsAtOnce = 10;
/** The part of these that only tenants get which have few running: less than a tenth of a tenant's default limit. */
const partForQuiet = 1 / 4;
const partOfTenant = 10;

/** Whose requests are counted, and the settings that bound them. */
export interface LimitedTenant {
  readonly id: string;
  readonly settings: Pick<TenantSettings, 'requestsPerSecond' | 'concurrentRequests'>;
}

/** What a tenant uses now. */
interface Use {
  readonly bucket: TokenBucket;
  running: number;
}

/** A response, with what settles when the work for it has ended. */
type Answer = ServerResponse & { readonly handled?: unknown };

/** Keeps one tenant from slowing the others (RFC 6585 section 4): requests per second, and requests at the same time. */
@Injectable()
export class TenantLimits {
  /** How many requests were refused, for too many a second and for too many at once. */
  readonly refused = { requests_per_second: 0, concurrent_requests: 0 };
  private readonly uses = new LRUCache<string, Use>({ max: knownTenants });
  private count = 0;
  /** How many requests of all tenants may run at the same time in this process. */
  private readonly most: number;

  constructor(
    private readonly exchange: UsageExchange,
    private readonly config: Config,
    /** The bytes that tenants' requests hold. */
    readonly bytes: BytesInFlight,
  ) {
    this.most = config.concurrentRequests * tenantsAtOnce;
  }

  /** How many requests of all tenants run now: those whose work or answer has not ended. */
  get running(): number {
    return this.count;
  }

  /**
   * Admits a request, and counts it as running until both have ended: its answer, and the work for it, which may go on
   * when the client has hung up. Says in the draft's RateLimit fields how much is left once it is less than half.
   * @throws ScimError tooManyRequests for the tenant's limits, unavailable for the process's, with Retry-After
   */
  admit(tenant: LimitedTenant, response: Answer): void {
    if (!this.config.rateLimit) return;
    const rate = this.rateOf(tenant);
    const now = Date.now();
    const use = this.useOf(tenant.id, rate, now);
    const atOnce = tenant.settings.concurrentRequests ?? this.config.concurrentRequests;
    if (use.running >= atOnce) {
      this.refused.concurrent_requests++;
      throw tooMany(atOnce);
    }
    if (!this.hasRoom(use)) throw full();
    const { bucket } = use;
    bucket.refill(rate, now);
    if (bucket.left < 1) {
      this.refused.requests_per_second++;
      throw tooFast(bucket, rate);
    }
    bucket.take(1);
    if (bucket.left < rate.burst / 2) {
      const fields = rateFields(bucket, rate, bucket.secondsUntil(rate.burst));
      for (const [name, value] of Object.entries(fields)) response.setHeader(name, value);
    }
    use.running += 1;
    this.count += 1;
    const release = (): void => void this.release(use, response);
    // A response that is closed already would never say so.
    if (response.destroyed) release();
    else response.on('close', release);
  }

  /** Gives a request's place back, as soon as its handler has ended. */
  private async release(use: Use, response: Answer): Promise<void> {
    // The handler may be calling this, and its promise not be there yet.
    await Promise.resolve();
    try {
      await response.handled;
    } catch {
      // Whoever called the handler deals with it.
    }
    use.running -= 1;
    this.count -= 1;
  }

  /** Whether the process has room for one more request of a tenant. The last quarter is for tenants that have few. */
  private hasRoom({ running }: Use): boolean {
    const share = this.config.concurrentRequests / partOfTenant;
    return this.count < this.most * (running < share ? 1 : 1 - partForQuiet);
  }

  /**
   * Charges a request's operations beyond the first, before they run, such as those of a bulk request (RFC 7644 section
   * 3.7). There may be more of them than the tenant has left; then the requests after it wait.
   * @throws ScimError tooManyRequests, with Retry-After, when another one is being waited for already
   */
  reserve(tenant: LimitedTenant, operations: number): OperationCharge {
    if (!this.config.rateLimit) return new OperationCharge(undefined, operations);
    const { bucket, rate } = this.refilled(tenant);
    if (bucket.left < 0) throw tooFast(bucket, rate);
    return new OperationCharge(bucket, operations);
  }

  /** Counts what takes as long as so many operations. It is not refused for it; the requests after it wait. */
  charge(tenant: LimitedTenant, operations: number): void {
    if (this.config.rateLimit) this.refilled(tenant).bucket.take(operations);
  }

  private refilled(tenant: LimitedTenant): { readonly bucket: TokenBucket; readonly rate: Rate } {
    const rate = this.rateOf(tenant);
    const now = Date.now();
    const { bucket } = this.useOf(tenant.id, rate, now);
    bucket.refill(rate, now);
    return { bucket, rate };
  }

  private rateOf({ settings }: LimitedTenant): Rate {
    const perSecond = settings.requestsPerSecond ?? this.config.requestsPerSecond;
    return { perSecond, burst: perSecond * burstSeconds };
  }

  private useOf(tenantId: string, rate: Rate, now: number): Use {
    const known = this.uses.get(tenantId);
    if (known) return known;
    const use: Use = {
      bucket: this.exchange.bucket(`tenant:${tenantId}`, rate, now),
      running: 0,
    };
    this.uses.set(tenantId, use);
    return use;
  }
}

function tooFast(bucket: TokenBucket, rate: Rate): ScimError {
  const seconds = Math.max(1, bucket.secondsUntil(1));
  return new ScimError(
    'tooManyRequests',
    `The limit of requests per second, ${rate.perSecond}, is reached; try again later.`,
    { 'Retry-After': String(seconds), ...rateFields(bucket, rate, seconds) },
  );
}

/** Nobody knows when a request ends: the client is to try again in a second. */
function tooMany(atOnce: number): ScimError {
  return new ScimError(
    'tooManyRequests',
    `The limit of requests at the same time, ${atOnce}, is reached; wait for answers.`,
    {
      'Retry-After': '1',
      'RateLimit-Policy': `"concurrent";q=${atOnce};qu="concurrent-requests"`,
      RateLimit: '"concurrent";r=0;t=1',
    },
  );
}

const full = (): ScimError =>
  new ScimError('unavailable', 'The server runs as many requests as it can; try again later.', { 'Retry-After': '1' });

/**
 * The fields of draft-ietf-httpapi-ratelimit-headers: the policy, and what is left of it.
 * @param seconds until there is more: all of it, or beside a Retry-After when that says
 */
function rateFields(bucket: TokenBucket, { burst }: Rate, seconds: number): Record<string, string> {
  return {
    'RateLimit-Policy': `"requests";q=${burst};w=${burstSeconds}`,
    RateLimit: `"requests";r=${Math.max(0, bucket.left)};t=${seconds}`,
  };
}
