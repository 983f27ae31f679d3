import { limits } from './limits.js';
import { profiles, type ProfileName } from './profile.js';

/** How a tenant's requests are treated. What is null follows the server. */
export interface TenantSettings {
  /** Which client habits are accepted. */
  readonly profile: ProfileName;
  /** An externalId belongs to one resource of its type (RFC 7643 section 3.1). */
  readonly uniqueExternalId: boolean;
  /** A displayName belongs to one Group, in any case. */
  readonly uniqueGroupDisplayName: boolean;
  /** Members that do not exist are passed over instead of refused. */
  readonly ignoreUnknownMembers: boolean;
  /**
   * What PUT does to `active` when the body leaves it out (RFC 7644 section 3.5.1): `keep` leaves it, `clear` takes it away
   * like any other attribute. A password is always kept.
   */
  readonly replaceOmitted: 'keep' | 'clear';
  /** PUT, PATCH and DELETE of a resource without If-Match are 428 (RFC 6585 section 3). */
  readonly requireIfMatch: boolean;
  /** `refuse` answers a GET whose filter names a personal attribute with 403 sensitive (RFC 7644 section 7.5.2). */
  readonly sensitiveFilters: 'allow' | 'refuse';
  /** Most resources of a page. */
  readonly maxPageSize: number | null;
  /** Most operations of a bulk request. */
  readonly maxBulkOperations: number | null;
  /** Most bytes of a bulk request. */
  readonly maxBulkPayloadBytes: number | null;
  /** Requests per second before a client is told to wait (RFC 6585 section 4). */
  readonly requestsPerSecond: number | null;
  /** Requests at the same time, in one process. */
  readonly concurrentRequests: number | null;
  /** Requests are kept for the tenant's administrators to look at. */
  readonly requestLog: boolean;
  /** For how many days events stay in the audit trail. */
  readonly auditRetentionDays: number | null;
  /** Most users, groups, and bytes of all that is kept; where there are more, they stay, and no others come. */
  readonly maxUsers: number | null;
  readonly maxGroups: number | null;
  readonly maxBytes: number | null;
}

/** What a new tenant gets. */
export const defaultSettings: TenantSettings = Object.freeze({
  profile: 'default',
  uniqueExternalId: true,
  uniqueGroupDisplayName: false,
  ignoreUnknownMembers: false,
  replaceOmitted: 'keep',
  requireIfMatch: false,
  sensitiveFilters: 'allow',
  maxPageSize: null,
  maxBulkOperations: null,
  maxBulkPayloadBytes: null,
  requestsPerSecond: null,
  concurrentRequests: null,
  requestLog: true,
  auditRetentionDays: null,
  maxUsers: null,
  maxGroups: null,
  maxBytes: null,
});

/** The values of the settings that are one of a few. */
export const settingChoices = {
  profile: Object.keys(profiles) as ProfileName[],
  replaceOmitted: ['keep', 'clear'],
  sensitiveFilters: ['allow', 'refuse'],
} as const satisfies { readonly [Name in keyof TenantSettings]?: readonly TenantSettings[Name][] };

/** The least and the most of the settings that are numbers. No tenant may have larger messages than the server takes. */
export const settingBounds = {
  maxPageSize: [1, limits.maxResults],
  maxBulkOperations: [1, limits.bulkOperations],
  maxBulkPayloadBytes: [1_024, limits.bulkBytes],
  requestsPerSecond: [1, 100_000],
  concurrentRequests: [1, 10_000],
  auditRetentionDays: [1, 36_500],
  maxUsers: [1, 1_000_000_000],
  maxGroups: [1, 1_000_000_000],
  maxBytes: [1, 2 ** 50],
} as const satisfies { readonly [Name in keyof TenantSettings]?: readonly [least: number, most: number] };

/**
 * Completes the settings that a tenant chose with the defaults of the rest.
 * @param chosen settings by name; what this release does not know, as a later one may have written it, is left out
 */
export function settingsFrom(chosen: Partial<TenantSettings>): TenantSettings {
  const names = Object.keys(defaultSettings) as (keyof TenantSettings)[];
  const settings = names.map((name) => [name, chosen[name] ?? defaultSettings[name]] as const);
  return Object.freeze(Object.fromEntries(settings) as unknown as TenantSettings);
}
