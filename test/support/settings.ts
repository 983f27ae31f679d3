/** The settings that a new tenant has. */
export const standardSettings = {
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
};
