import { describe, expect, it } from '@jest/globals';
import { SourceBuckets } from '../../src/limits/source-buckets.js';
import { TokenBucket } from '../../src/limits/token-bucket.js';
import { Turns } from '../../src/limits/turns.js';

describe('turns', () => {
  it('are taken at once while there is room, and then in the order of coming', async () => {
    const turns = new Turns({ waiting: 10, milliseconds: 60_000 });
    const room = () => 2;
    expect([turns.take(room), turns.take(room)]).toEqual(['taken', 'taken']);
    const came: string[] = [];
    const waiting = ['first', 'second'].map(async (name) => came.push(`${name} ${await turns.take(room)}`));
    expect(came).toEqual([]);
    turns.give();
    turns.give();
    await Promise.all(waiting);
    expect(came).toEqual(['first taken', 'second taken']);
    expect(turns.isIdle).toBe(false);
    turns.give();
    turns.give();
    expect(turns.isIdle).toBe(true);
  });

  it('are refused where there is no room, to those that wait as well', async () => {
    const turns = new Turns({ waiting: 10, milliseconds: 60_000 });
    const left = { room: 1 };
    expect(await turns.take(() => left.room)).toBe('taken');
    const waiting = ['first', 'second'].map(async () => turns.take(() => left.room));
    left.room = 0;
    turns.give();
    expect(await Promise.all(waiting)).toEqual(['refused', 'refused']);
    expect([turns.take(() => left.room), turns.isIdle]).toEqual(['refused', true]);
  });

  it('are refused to more than may wait, and late to those that wait too long', async () => {
    const turns = new Turns({ waiting: 1, milliseconds: 1 });
    expect(turns.take(() => 1)).toBe('taken');
    const waiting = turns.take(() => 1);
    expect(turns.take(() => 1)).toBe('refused');
    expect(await waiting).toBe('late');
    turns.give();
    expect([turns.isIdle, turns.take(() => 1)]).toEqual([true, 'taken']);
  });
});

describe('the failures of many sources', () => {
  const rate = { perSecond: 0.001, burst: 20 };
  const create = (source: string, now: number) => new TokenBucket(source, rate, () => undefined, now);

  it('forget those that failed least', () => {
    const failures = new SourceBuckets(rate, 100, create);
    for (let count = 0; count < 20; count++) failures.take('blocked');
    for (let index = 0; index < 5_000; index++) failures.take(`source ${index}`);
    expect([failures.left('blocked'), failures.left('source 0'), failures.left('source 4999')]).toEqual([0, 20, 19]);
    expect(failures.secondsUntilOne('blocked')).toBeGreaterThan(0);
    expect(failures.secondsUntilOne('source 0')).toBe(0);
  });

  it('forget one of those that are blocked only where all that failed longest ago are', () => {
    const failures = new SourceBuckets(rate, 100, create);
    for (let index = 0; index < 20; index++) for (let count = 0; count < 20; count++) failures.take(`blocked ${index}`);
    for (let index = 0; index < 5_000; index++) failures.take(`source ${index}`);
    const blocked = Array.from({ length: 20 }, (_, index) => failures.left(`blocked ${index}`));
    expect(blocked.filter((left) => left === 0).length).toBeGreaterThanOrEqual(15);
  });
});
