import { Initial1764000000001 } from './0001-initial.js';
import { SecretKeys1764000000002 } from './0002-secret-keys.js';
import { Administration1764000000003 } from './0003-administration.js';
import { OAuth1764000000004 } from './0004-oauth.js';
import { Limits1764000000005 } from './0005-limits.js';
import { Indexes1764000000006 } from './0006-indexes.js';
import { ResourceCounts1764000000007 } from './0007-resource-counts.js';
import { Audit1764000000008 } from './0008-audit.js';
import { RequestLog1764000000009 } from './0009-request-log.js';
import { GroupsOfUser1764000000010 } from './0010-groups-of-user.js';
import { CountChangesByResource1764000000011 } from './0011-count-changes-by-resource.js';
import { NamesAndLeavers1764000000012 } from './0012-names-and-leavers.js';
import { ShortWaitingList1764000000013 } from './0013-short-waiting-list.js';
import { AuditChanges1764000000014 } from './0014-audit-changes.js';
import { Quotas1764000000015 } from './0015-quotas.js';

/** Every migration, in the order they are applied. */
export const migrations = [
  Initial1764000000001,
  SecretKeys1764000000002,
  Administration1764000000003,
  OAuth1764000000004,
  Limits1764000000005,
  Indexes1764000000006,
  ResourceCounts1764000000007,
  Audit1764000000008,
  RequestLog1764000000009,
  GroupsOfUser1764000000010,
  CountChangesByResource1764000000011,
  NamesAndLeavers1764000000012,
  ShortWaitingList1764000000013,
  AuditChanges1764000000014,
  Quotas1764000000015,
];
