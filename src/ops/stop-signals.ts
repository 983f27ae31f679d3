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
  if (stop === undefined) for (const signal of signals) process.once(signal, () => stop?.(signal));
  stop = next;
}
