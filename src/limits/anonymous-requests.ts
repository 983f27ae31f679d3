import { Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { Config } from '../config.js';
import { ScimError } from '../scim/index.js';
import { sourceOf } from './source-address.js';
import { SourceBuckets } from './source-buckets.js';
import { TokenBucket, type Rate } from './token-bucket.js';

const knownSources = 10_000;
/** Some twenty pages of documentation at once, and one in two seconds from then on. */
const rateOfSource: Rate = { perSecond: 10, burst: 300 };
const rateOfAll: Rate = { perSecond: 100, burst: 1_500 };
/** What costs as much as a request. */
const bytesOfToken = 64 * 1024;
const all = 'all';

/**
 * Bounds what callers without credentials may have sent to them: pages of documentation and their documents.
 * By source and in all. What costs no more than its refusal, such as discovery and 401, is not counted.
 */
@Injectable()
export class AnonymousRequests {
  private readonly sources = bucketsOf(rateOfSource);
  private readonly all = bucketsOf(rateOfAll);

  constructor(private readonly config: Config) {}

  /**
   * Counts a request that is answered without credentials.
   * @param bytes how long its answer is
   * @throws ScimError tooManyRequests, with Retry-After (RFC 6585 section 4)
   */
  admit(request: IncomingMessage & { readonly ip?: string | undefined }, bytes = 0): void {
    if (!this.config.rateLimit) return;
    const source = sourceOf(request.ip, request.socket.remoteAddress);
    const seconds = Math.max(this.sources.secondsUntilOne(source), this.all.secondsUntilOne(all));
    if (seconds > 0) {
      throw new ScimError('tooManyRequests', 'Too many requests without credentials; try again later.', {
        'Retry-After': String(seconds),
      });
    }
    const tokens = 1 + Math.floor(bytes / bytesOfToken);
    this.sources.take(source, tokens);
    this.all.take(all, tokens);
  }
}

const bucketsOf = (rate: Rate): SourceBuckets =>
  new SourceBuckets(rate, knownSources, (source, now) => new TokenBucket(source, rate, () => undefined, now));
