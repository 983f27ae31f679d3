import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { ServerResponse } from 'node:http';
import { Config } from '../config.js';
import { ScimError, type TenantSettings } from '../scim/index.js';
import { BytesInFlight } from './bytes-in-flight.js';
import type { Rate, TokenBucket } from './token-bucket.js';
import { UsageExchange } from './usage-exchange.js';

const knownTenants = 10_000;
// A client may come in bursts: what it did not use in the last seconds it may use at once.
const burstSeconds = 2;

/** Whose requests are counted, and the settings that bound them. */
export interface LimitedTenant {
  readonly id: string;
  readonly settings: Pick<TenantSettings, 'requestsPerSecond' | 'concurrentRequests'>;
}

/** What a tenant uses now. */
interface Use {
  readonly bucket: TokenBucket;
  running: number;
  /** One for all requests of the tenant. */
  readonly release: () => void;
}

/** Keeps one tenant from slowing the others (RFC 6585 section 4): requests per second, and requests at the same time. */
@Injectable()
export class TenantLimits {
  private readonly uses = new LRUCache<string, Use>({ max: knownTenants });

  constructor(
    private readonly exchange: UsageExchange,
    private readonly config: Config,
    /** The bytes that tenants' requests hold. */
    readonly bytes: BytesInFlight,
  ) {}

  /**
   * Admits a request, and counts it as running until its response is closed. Says in the draft's RateLimit fields how much
   * is left once it is less than half.
   * @throws ScimError tooManyRequests, with Retry-After
   */
  admit(tenant: LimitedTenant, response: ServerResponse): void {
    if (!this.config.rateLimit) return;
    const rate = this.rateOf(tenant);
    const now = Date.now();
    const use = this.useOf(tenant.id, rate, now);
    const atOnce = tenant.settings.concurrentRequests ?? this.config.concurrentRequests;
    if (use.running >= atOnce) throw tooMany(atOnce);
    const { bucket } = use;
    bucket.refill(rate, now);
    if (bucket.left < 1) throw tooFast(bucket, rate);
    bucket.take(1);
    if (bucket.left < rate.burst / 2) {
      const fields = rateFields(bucket, rate, bucket.secondsUntil(rate.burst));
      for (const [name, value] of Object.entries(fields)) response.setHeader(name, value);
    }
    // A response that is closed already would never say so.
    if (response.destroyed) return;
    use.running += 1;
    response.on('close', use.release);
  }

  /**
   * Counts what a request does beyond one operation, such as those of a bulk request (RFC 7644 section 3.7). It is not
   * refused for it; the requests after it wait.
   */
  charge(tenant: LimitedTenant, operations: number): void {
    if (!this.config.rateLimit || operations <= 0) return;
    const rate = this.rateOf(tenant);
    const now = Date.now();
    const { bucket } = this.useOf(tenant.id, rate, now);
    bucket.refill(rate, now);
    bucket.take(operations);
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
      release: () => void (use.running -= 1),
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
