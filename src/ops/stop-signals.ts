import { constants } from 'node:os';

/** The signals that ask the process to end. */
export type StopSignal = 'SIGTERM' | 'SIGINT';

type Stop = (signal: StopSignal) => void;

const signals: readonly StopSignal[] = ['SIGTERM', 'SIGINT'];

/** Ends as a shell says of a program that a signal ended. */
const endAtOnce: Stop = (signal) => process.exit(128 + constants.signals[signal]);

let stop: Stop | undefined;

/**
 * Says what the first of each signal does from now on, in place of what was said before. As process 1 of a container a
 * program is not ended by a signal that it does not take itself, so something is to be said before anything takes time.
 * @param next ends the process at once unless given
 */
export function onStopSignal(next: Stop = endAtOnce): void {
  if (stop === undefined) for (const signal of signals) takeFirst(signal);
  stop = next;
}

/**
 * Takes the first of a signal; the next one ends the process. The listener stays until the others of this signal have run:
 * the lock of the data directory has one that ends the process where it finds itself alone.
 */
function takeFirst(signal: StopSignal): void {
  const take = (): void => {
    setImmediate(() => process.off(signal, take));
    stop?.(signal);
  };
  process.on(signal, take);
}
