import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Config } from '../config.js';
import { ScimError } from '../scim/index.js';
import { sourceOf } from './source-address.js';
import type { Rate, TokenBucket } from './token-bucket.js';
import { UsageExchange } from './usage-exchange.js';

const knownSources = 10_000;
const knownCredentials = 10_000;

/** A request as Express hands it over: `ip` is the client's, where proxies are trusted to name it. */
type Sent = IncomingMessage & { readonly ip?: string | undefined };

/**
 * Stops guessing: a source that sent too many credentials that are no good has to wait, and what it sends meanwhile is not
 * looked up. Credentials that were good here before are, so that whoever shares the source, such as a proxy, goes on.
 */
@Injectable()
export class FailedAuthentications {
  private readonly isOn: boolean;
  private readonly rate: Rate;
  private readonly sources = new LRUCache<string, TokenBucket>({ max: knownSources });
  /** Hashes of credentials that were good. */
  private readonly good = new LRUCache<string, true>({ max: knownCredentials });

  constructor(
    private readonly exchange: UsageExchange,
    { rateLimit, failedAuthenticationsPerMinute }: Config,
  ) {
    this.isOn = rateLimit;
    this.rate = { perSecond: failedAuthenticationsPerMinute / 60, burst: failedAuthenticationsPerMinute };
  }

  /**
   * Called before a credential is looked up.
   * @throws ScimError tooManyRequests, with Retry-After (RFC 6585 section 4)
   */
  check(request: Sent, credential: string): void {
    if (!this.isOn) return;
    const bucket = this.sources.get(sourceOfRequest(request));
    if (!bucket) return;
    bucket.refill(this.rate, Date.now());
    const seconds = bucket.secondsUntil(1);
    if (seconds === 0 || this.good.has(hashOf(credential))) return;
    throw new ScimError('tooManyRequests', 'Too many credentials from this address were not valid; try again later.', {
      'Retry-After': String(seconds),
    });
  }

  /** Called when a credential was looked up and is no good. */
  failed(request: Sent): void {
    if (!this.isOn) return;
    const source = sourceOfRequest(request);
    const now = Date.now();
    let bucket = this.sources.get(source);
    if (!bucket) this.sources.set(source, (bucket = this.exchange.bucket(`source:${source}`, this.rate, now)));
    bucket.refill(this.rate, now);
    bucket.take(1);
  }

  /** Called when a credential was looked up and is good. */
  succeeded(credential: string): void {
    if (this.isOn) this.good.set(hashOf(credential), true);
  }
}

const sourceOfRequest = (request: Sent): string => sourceOf(request.ip, request.socket.remoteAddress);

const hashOf = (credential: string): string => createHash('sha256').update(credential, 'utf8').digest('base64');
