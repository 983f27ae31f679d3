import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TokenBucket, type Rate } from '../../src/limits/token-bucket.js';

const rate: Rate = { perSecond: 10, burst: 20 };
const ignore = (): void => undefined;

/** Takes as many tokens one by one as there are. */
function drain(bucket: TokenBucket): number {
  let taken = 0;
  for (; bucket.left >= 1; taken++) bucket.take(1);
  return taken;
}

describe('a bucket', () => {
  it('begins full, and holds no more than a burst', () => {
    const bucket = new TokenBucket('key', rate, ignore, 0);
    expect(drain(bucket)).toBe(20);
    bucket.refill(rate, 3_600_000);
    expect(bucket.left).toBe(20);
  });

  it('fills as time goes by, also in parts of a token', () => {
    const bucket = new TokenBucket('key', rate, ignore, 0);
    drain(bucket);
    for (let now = 1; now <= 1_001; now++) bucket.refill(rate, now);
    expect([bucket.left, drain(bucket)]).toEqual([10, 10]);
  });

  it('says how long it takes until there is enough', () => {
    const bucket = new TokenBucket('key', rate, ignore, 0);
    drain(bucket);
    expect([bucket.secondsUntil(1), bucket.secondsUntil(11), bucket.secondsUntil(20)]).toEqual([1, 2, 2]);
    bucket.refill(rate, 100);
    expect([bucket.secondsUntil(1), bucket.secondsUntil(2)]).toEqual([0, 1]);
  });

  it('goes into debt for what was taken at once, but for a minute at most', () => {
    const bucket = new TokenBucket('key', rate, ignore, 0);
    bucket.take(1_000_000);
    expect(bucket.secondsUntil(0)).toBe(60);
  });

  it('takes a new rate at once', () => {
    const bucket = new TokenBucket('key', rate, ignore, 0);
    bucket.refill({ perSecond: 1, burst: 2 }, 0);
    expect(bucket.left).toBe(2);
    bucket.refill({ perSecond: 100, burst: 200 }, 1_000);
    expect(bucket.left).toBe(102);
  });

  it('loses nothing when the clock goes back', () => {
    const bucket = new TokenBucket('key', rate, ignore, 10_000);
    bucket.take(15);
    bucket.refill(rate, 0);
    expect(bucket.left).toBe(5);
    bucket.refill(rate, 1_000);
    expect(bucket.left).toBe(15);
  });

  it('asks to be exchanged once for all that is taken until then', () => {
    let asked = 0;
    const bucket = new TokenBucket('key', rate, () => void asked++, 0);
    bucket.take(1);
    bucket.take(2);
    expect([asked, bucket.tell(), bucket.tell()]).toEqual([1, 3, 0]);
    bucket.take(1);
    expect(asked).toBe(2);
  });
});

describe('tokens that are held', () => {
  it('are told when they are used, and come back when they are not', () => {
    const bucket = new TokenBucket('key', rate, ignore, 0);
    expect([bucket.hold(15), bucket.left, bucket.tell()]).toEqual([15, 5, 0]);
    bucket.use(4);
    bucket.giveBack(11);
    expect([bucket.left, bucket.tell()]).toEqual([16, 4]);
  });

  it('are as many as the bucket lost, which is never more than a minute’s', () => {
    const bucket = new TokenBucket('key', rate, ignore, 0);
    const held = bucket.hold(100_000);
    expect([held, bucket.left]).toEqual([620, -600]);
    bucket.giveBack(held);
    expect(bucket.left).toBe(20);
  });

  it('never fill a bucket beyond a burst', () => {
    const bucket = new TokenBucket('key', rate, ignore, 0);
    bucket.hold(10);
    bucket.refill(rate, 5_000);
    bucket.giveBack(10);
    expect(bucket.left).toBe(20);
  });
});

describe('buckets of several processes', () => {
  /** Processes that share a count, each with a bucket of the same key. */
  function processes(count: number) {
    let total = 0;
    const buckets = Array.from({ length: count }, () => new TokenBucket('key', rate, ignore, 0));
    const exchange = (): void => {
      for (const bucket of buckets) {
        const told = bucket.tell();
        total += told;
        bucket.learn(total, told);
      }
    };
    /** Requests at a time in one process. @returns how many it admits */
    const request = (at: number, now: number, requests: number): number => {
      const bucket = buckets[at];
      bucket?.refill(rate, now);
      let admitted = 0;
      while (bucket && admitted < requests && bucket.left >= 1) {
        bucket.take(1);
        admitted++;
      }
      return admitted;
    };
    return { buckets, exchange, request };
  }

  it('count what the others admitted', () => {
    const { buckets, exchange, request } = processes(2);
    exchange();
    expect([request(0, 0, 100), request(1, 0, 5)]).toEqual([20, 5]);
    exchange();
    exchange();
    expect(buckets.map(({ left }) => left)).toEqual([-5, -5]);
  });

  it('let each have all that the others leave', () => {
    const { exchange, request } = processes(3);
    exchange();
    for (let second = 1; second <= 60; second++) {
      // Nine of ten a second, spread over the processes.
      for (const at of [0, 1, 2]) expect(request(at, second * 1_000, 3)).toBe(3);
      exchange();
    }
  });

  it('do not hold against one what the others did while it had nothing to do', () => {
    const { exchange, request } = processes(2);
    exchange();
    for (let second = 1; second <= 600; second++) {
      request(0, second * 1_000, 5);
      exchange();
    }
    request(1, 600_000, 1);
    exchange();
    expect(request(1, 600_000, 100)).toBeGreaterThanOrEqual(10);
  });

  it('begin anew when the count does', () => {
    const bucket = new TokenBucket('key', rate, ignore, 0);
    bucket.learn(1_000, 0);
    bucket.take(2);
    bucket.learn(5, bucket.tell());
    expect(bucket.left).toBe(15);
  });

  /** Processes that each exchange a second after they last did, as they do in life, with whatever was taken since. */
  function ticking(count: number) {
    let total = 0;
    const buckets = Array.from({ length: count }, () => new TokenBucket('key', rate, ignore, 0));
    const used = buckets.map(() => false);
    const due = buckets.map((_, at) => 1_000 * ((at + 1) / count));
    const advance = (now: number): void => {
      for (let next = Math.min(...due); next <= now; next = Math.min(...due)) {
        const at = due.indexOf(next);
        due[at] = next + 1_000;
        const bucket = buckets[at];
        if (!bucket || !used[at]) continue;
        used[at] = false;
        bucket.refill(rate, next);
        const told = bucket.tell();
        total += told;
        bucket.learn(total, told);
      }
    };
    const request = (at: number, now: number, requests: number): number => {
      const bucket = buckets[at];
      bucket?.refill(rate, now);
      let admitted = 0;
      for (; bucket && admitted < requests && bucket.left >= 1; admitted++) bucket.take(1);
      used[at] ||= admitted > 0;
      return admitted;
    };
    return { advance, request };
  }

  it('admit together what one would, and what they have not told each other yet', () => {
    const requests = fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 900 }), fc.integer({ min: 1, max: 60 })), {
      minLength: 1,
      maxLength: 200,
    });
    const untold = rate.burst + 2 * rate.perSecond;
    const beforeTheFirst = rate.burst + rate.perSecond;
    fc.assert(
      fc.property(requests, (given) => {
        const { advance, request } = ticking(3);
        let now = 0;
        let admitted = 0;
        for (const [at, pause, count] of given) {
          now += pause;
          advance(now);
          admitted += request(at, now, count);
          const one = rate.burst + (rate.perSecond * now) / 1_000;
          expect(admitted).toBeLessThanOrEqual(one + 2 * (untold + beforeTheFirst) + 1);
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([2, 3, 10])(
    'admit in the long run what one would, however many they are and however much is sent: %d',
    (count) => {
      const { advance, request } = ticking(count);
      let admitted = 0;
      const seconds = 600;
      for (let now = 0; now < seconds * 1_000; now += 50) {
        advance(now);
        for (let at = 0; at < count; at++) admitted += request(at, now, 20);
      }
      const inTheLongRun = admitted / (rate.perSecond * seconds);
      expect(inTheLongRun).toBeGreaterThan(0.95);
      // A burst, and for each further process two bursts and three seconds' tokens.
      const most = rate.burst + (count - 1) * (2 * rate.burst + 3 * rate.perSecond);
      expect(admitted).toBeLessThanOrEqual(rate.perSecond * seconds + most);
    },
  );
});
