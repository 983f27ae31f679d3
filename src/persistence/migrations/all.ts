import { Initial1764000000001 } from './0001-initial.js';
import { SecretKeys1764000000002 } from './0002-secret-keys.js';
import { Indexes1764000000006 } from './0006-indexes.js';
import { ResourceCounts1764000000007 } from './0007-resource-counts.js';
import { Audit1764000000008 } from './0008-audit.js';

/** Every migration, in the order they are applied. */
export const migrations = [
  Initial1764000000001,
  SecretKeys1764000000002,
  Indexes1764000000006,
  ResourceCounts1764000000007,
  Audit1764000000008,
];
