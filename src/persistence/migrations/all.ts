import { Initial1764000000001 } from './0001-initial.js';

/** Every migration, in the order they are applied. */
export const migrations = [Initial1764000000001];
