import { jest } from '@jest/globals';

/** Sets what `Date` says, and leaves timers as they are. `jest.useRealTimers()` ends it. */
export function fakeClock(now: number): void {
  jest.useFakeTimers({
    now,
    doNotFake: [
      ...(['hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate'] as const),
      ...(['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const),
    ],
  });
}
