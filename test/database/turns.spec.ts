import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Turns, type Turn, type TurnRules } from '../../src/persistence/turns.js';

const rules: TurnRules = { name: 'searches', total: 3, share: 2, patience: 2_000, longestWait: 10_000 };

let turns: Turns;
beforeEach(() => {
  jest.useFakeTimers();
  turns = new Turns(rules);
});
afterEach(() => void jest.useRealTimers());

const of = (id: string, isGone = false) => ({ tenant: { id }, isGone: () => isGone });
const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);

/** A turn that is there at once. */
function now(id: string): Turn {
  const turn = turns.take(of(id));
  if (turn instanceof Promise) throw new Error(`${id} has to wait`);
  return turn;
}

/** Waits for a turn. @returns what became of it so far */
function later(id: string, isGone = false): { turn?: Turn; status?: number; retryAfter?: string | undefined } {
  const state: { turn?: Turn; status?: number; retryAfter?: string | undefined } = {};
  const failed = ({ status, headers }: { status: number; headers: Record<string, string> }): void =>
    void Object.assign(state, { status, retryAfter: headers['Retry-After'] });
  Promise.resolve()
    .then(() => turns.take(of(id, isGone)))
    .then((turn) => (state.turn = turn), failed);
  return state;
}

describe('Turns', () => {
  it('are never all of one tenant, and are there at once where nobody waits', async () => {
    now('a');
    const second = now('a');
    const third = later('a');
    now('b');
    await pass(1);
    expect(third).toEqual({});
    second.end();
    await pass(1);
    expect(third.turn).toBeDefined();
  });

  it('go to the tenant whose turns took the least time lately, not to who came first', async () => {
    const [long, short] = [now('a'), now('b')];
    await pass(10);
    short.end();
    const other = now('b');
    const third = now('c');
    const waiting = [later('a'), later('b'), later('d')];
    await pass(500);
    third.end();
    await pass(1);
    // d had none; of the others b had as many turns, and less time.
    expect(waiting.map(({ turn }) => turn !== undefined)).toEqual([false, false, true]);
    waiting[2]?.turn?.end();
    await pass(1);
    expect(waiting.map(({ turn }) => turn !== undefined)).toEqual([false, true, true]);
    for (const turn of [long, other]) turn.end();
    await pass(1);
    expect(waiting[0]?.turn).toBeDefined();
  });

  it('are waited for as long as a tenant has its share: 429 says so; and longer by those who have none: 503', async () => {
    now('a');
    now('a');
    now('b');
    const [own, none] = [later('a'), later('c')];
    await pass(2_000);
    expect([own, none]).toEqual([{ status: 429, retryAfter: '2' }, {}]);
    await pass(8_000);
    expect([none.status, none.retryAfter]).toEqual([503, '5']);
    expect([turns.refused, turns.waiting]).toEqual([{ tenant: 1, all: 1 }, 0]);
  });

  it('are refused at once where waiting is of no use: eight wait already, and turns are long', async () => {
    const first = now('a');
    await pass(5_000);
    first.end();
    now('a');
    now('a');
    const waiting = Array.from({ length: 9 }, () => later('a'));
    await pass(1);
    expect(waiting.map(({ status }) => status)).toEqual([...Array.from({ length: 8 }, () => undefined), 429]);
  });

  it('are not refused because of clients that have left and wait in front', async () => {
    const first = now('a');
    await pass(5_000);
    first.end();
    now('a');
    now('a');
    const left = Array.from({ length: 8 }, () => later('a', true));
    const stayed = later('a');
    await pass(1);
    expect([...left, stayed].map(({ status }) => status)).toEqual([...left.map(() => 408), undefined]);
    expect(turns.waiting).toBe(1);
  });

  it('may be waited for by many where they are short', async () => {
    now('a');
    now('a');
    const waiting = Array.from({ length: 50 }, () => later('a'));
    await pass(1);
    expect(waiting.filter(({ status }) => status !== undefined)).toEqual([]);
    expect(turns.waiting).toBe(50);
  });

  it('are fewer for a tenant whose turns are long, or had none yet', async () => {
    turns = new Turns({ ...rules, slow: { mean: 25, share: 1 } });
    const first = now('a');
    const second = later('a');
    await pass(1);
    expect(second.turn).toBeUndefined();
    first.end();
    await pass(1);
    expect(second.turn).toBeDefined();
    now('a');
    second.turn?.end();
    const third = now('a');
    await pass(1_000);
    third.end();
    const fourth = later('a');
    await pass(1);
    expect(fourth.turn).toBeUndefined();
  });

  it('are not given to clients that have left', async () => {
    const [first] = [now('a'), now('b'), now('c')];
    const [left, stayed] = [later('d', true), later('d')];
    await pass(1);
    first.end();
    await pass(1);
    expect([left.status, stayed.turn !== undefined]).toEqual([408, true]);
  });

  it('say that the database does not answer where none of them ends', async () => {
    turns = new Turns({ ...rules, patience: 5_000, longestWait: 5_000 });
    now('a');
    now('a');
    const waiting = later('a');
    await pass(5_000);
    expect(waiting).toEqual({ status: 503, retryAfter: '5' });
  });

  it('end once, whatever becomes of the work, and the time they took is forgotten in time', async () => {
    await expect(turns.within(of('a'), () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    const turn = now('a');
    await pass(60_000);
    turn.end();
    turn.end();
    await pass(300_000);
    const held = [now('a'), now('b'), now('b')];
    const waiting = [later('a'), later('c')];
    await pass(1_000);
    held[1]?.end();
    await pass(1);
    expect(waiting.map(({ turn }) => turn !== undefined)).toEqual([false, true]);
  });

  it('remember no tenant for ever', async () => {
    for (let number = 0; number < 1_000; number++) now(`t-${number}`).end();
    await pass(600_000);
    now('another').end();
    expect((turns as unknown as { accounts: Map<string, unknown> }).accounts.size).toBe(1);
  });
});
