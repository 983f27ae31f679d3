import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Config } from '../config.js';
import { ScimError } from '../scim/index.js';
import { SourceBuckets } from './source-buckets.js';
import { siteOf, sourceOf } from './source-address.js';
import { TokenBucket, type Rate } from './token-bucket.js';
import { Turns, type Turn } from './turns.js';
import { UsageExchange } from './usage-exchange.js';

const knownSources = 10_000;
const knownCredentials = 10_000;
/** How many times the failures of one source a /48 network may have, and all sources of a process together. */
const timesOfSite = 5;
const timesOfAll = 50;
/** How many look-ups run at the same time for all sources together. */
const mostLookUps = 32;
/** How many of them are left to sources without failures when all sources together had too many. */
const lookUpsForOthers = 4;
/** How many look-ups wait for their turn, by source, by network and in all, and for how long. */
const patience = { waiting: 500, milliseconds: 5_000 };

/** A request as Express hands it over: `ip` is the client's, where proxies are trusted to name it. */
type Sent = IncomingMessage & { readonly ip?: string | undefined };

/** Something that failures are counted of. */
interface Counted {
  /** Names its turns. */
  readonly key: string;
  /** How many look-ups may run for it now: as many as may fail. */
  readonly room: () => number;
  readonly secondsUntilOne: () => number;
  readonly take: () => void;
}

/**
 * Stops guessing: a source that sent too many credentials that are no good has to wait, and what it sends until then is not
 * looked up. Look-ups under way count as if they failed: what is beyond them waits for their end, so that many guesses at
 * once are no more look-ups than one after the other, and many good clients behind one proxy are let in, in turn.
 * Credentials that were good here before are not counted, so that clients which share a source with a guesser go on.
 */
@Injectable()
export class FailedAuthentications {
  private readonly isOn: boolean;
  private readonly sources: SourceBuckets;
  private readonly sites: SourceBuckets;
  private readonly all: SourceBuckets;
  /** The turns of what has look-ups under way. */
  private readonly underWay = new Map<string, Turns>();
  /** Hashes of credentials that were good. */
  private readonly good = new LRUCache<string, true>({ max: knownCredentials });

  constructor(exchange: UsageExchange, { rateLimit, failedAuthenticationsPerMinute: perMinute }: Config) {
    this.isOn = rateLimit;
    const shared = (rate: Rate) => (source: string, now: number) => exchange.bucket(`source:${source}`, rate, now);
    const own = (rate: Rate) => (source: string, now: number) => new TokenBucket(source, rate, () => undefined, now);
    const buckets = (times: number, create: typeof shared): SourceBuckets => {
      const rate = { perSecond: (times * perMinute) / 60, burst: times * perMinute };
      return new SourceBuckets(rate, knownSources, create(rate));
    };
    this.sources = buckets(1, shared);
    this.sites = buckets(timesOfSite, shared);
    this.all = buckets(timesOfAll, own);
  }

  /**
   * Looks a credential up, when its source may.
   * @param credential what was sent, with what kind it is where one text could be two
   * @param find looks it up
   * @returns what `find` found; undefined when it found nothing, which counts as a failure of the source
   * @throws ScimError tooManyRequests with Retry-After (RFC 6585 section 4); unavailable when its turn did not come in time
   */
  async lookUp<T>(request: Sent, credential: string, find: () => Promise<T | undefined>): Promise<T | undefined> {
    if (!this.isOn) return find();
    const key = hashOf(credential);
    const counted = this.countedOf(request);
    if (this.good.has(key)) return this.judge(key, counted, await find());
    const taken: Counted[] = [];
    try {
      for (const each of counted) {
        await this.reserve(each);
        taken.push(each);
      }
      if (request.socket.destroyed) throw new ScimError('unavailable', 'The client has left.');
      return this.judge(key, counted, await find());
    } finally {
      for (const each of taken) this.release(each);
    }
  }

  /** Counts what a look-up found. */
  private judge<T>(key: string, counted: readonly Counted[], found: T | undefined): T | undefined {
    if (found !== undefined) this.good.set(key, true);
    else {
      this.good.delete(key);
      for (const { take } of counted) take();
    }
    return found;
  }

  private async reserve({ key, room, secondsUntilOne }: Counted): Promise<void> {
    let turns = this.underWay.get(key);
    if (!turns) this.underWay.set(key, (turns = new Turns(patience)));
    const turn: Turn = await turns.take(room);
    if (turn === 'taken') return;
    if (turns.isIdle) this.underWay.delete(key);
    if (turn === 'late') throw late();
    const seconds = secondsUntilOne();
    throw seconds > 0 ? tooMany(seconds) : tooManyAtOnce();
  }

  private release({ key }: Counted): void {
    const turns = this.underWay.get(key);
    turns?.give();
    if (turns?.isIdle) this.underWay.delete(key);
  }

  /** What a request's failures are counted of, from the narrowest to the widest: the order in which turns are taken. */
  private countedOf(request: Sent): Counted[] {
    const addresses = [request.ip, request.socket.remoteAddress];
    const source = sourceOf(...addresses);
    const site = siteOf(...addresses);
    return [
      counted(this.sources, source),
      ...(site === undefined ? [] : [counted(this.sites, site)]),
      { ...counted(this.all, 'all'), room: () => this.roomOfAll(source) },
    ];
  }

  /**
   * How many look-ups may run for all sources together. When too many failed, some are left to a source that had no
   * failures: no number of guessers keeps new credentials out of the process.
   */
  private roomOfAll(source: string): number {
    const left = Math.min(mostLookUps, this.all.left('all'));
    return this.sources.left(source) < this.sources.rate.burst ? left : Math.max(lookUpsForOthers, left);
  }
}

const counted = (buckets: SourceBuckets, source: string): Counted => ({
  key: source,
  room: () => buckets.left(source),
  secondsUntilOne: () => buckets.secondsUntilOne(source),
  take: () => buckets.take(source),
});

function tooMany(seconds: number): ScimError {
  return new ScimError('tooManyRequests', 'Too many credentials from this address were not valid; try again later.', {
    'Retry-After': String(seconds),
  });
}

const tooManyAtOnce = (): ScimError =>
  new ScimError('tooManyRequests', 'Too many credentials from this address are being checked; try again later.', {
    'Retry-After': '1',
  });

const late = (): ScimError =>
  new ScimError('unavailable', 'The credentials could not be checked in time; try again later.', {
    'Retry-After': '1',
  });

const hashOf = (credential: string): string => createHash('sha256').update(credential, 'utf8').digest('base64');
