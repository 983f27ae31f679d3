import { Initial1764000000001 } from './0001-initial.js';
import { SecretKeys1764000000002 } from './0002-secret-keys.js';
import { Audit1764000000008 } from './0008-audit.js';

/** Every migration, in the order they are applied. */
export const migrations = [Initial1764000000001, SecretKeys1764000000002, Audit1764000000008];
