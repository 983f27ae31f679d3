import { describe, expect, it } from '@jest/globals';
import { limits } from './limits.js';
import { defaultSettings, settingBounds, settingChoices, settingsFrom, type TenantSettings } from './settings.js';

describe('settingsFrom', () => {
  it('gives the defaults to a tenant that chose nothing', () => {
    expect(settingsFrom({})).toEqual({
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
  });

  it('keeps what was chosen, false and null among it', () => {
    const chosen = { profile: 'strict', requestLog: false, maxPageSize: 10, concurrentRequests: null } as const;
    expect(settingsFrom(chosen)).toEqual({ ...defaultSettings, ...chosen });
  });

  it('leaves out what a later release may have written', () => {
    expect(settingsFrom({ later: true } as Partial<TenantSettings>)).toEqual(defaultSettings);
  });

  it('gives what nobody can change for everybody', () => {
    expect(() => Object.assign(settingsFrom({}), { profile: 'strict' })).toThrow(TypeError);
    expect(() => Object.assign(defaultSettings, { profile: 'strict' })).toThrow(TypeError);
  });
});

describe('the rules of settings', () => {
  it('allow the defaults', () => {
    for (const [name, choices] of Object.entries(settingChoices)) {
      expect(choices).toContain(defaultSettings[name as keyof typeof settingChoices]);
    }
    for (const name of Object.keys(settingBounds)) {
      expect(defaultSettings[name as keyof typeof settingBounds]).toBeNull();
    }
  });

  it('let no tenant have more than the server gives', () => {
    expect(settingBounds.maxPageSize[1]).toBe(limits.maxResults);
    expect(settingBounds.maxBulkOperations[1]).toBe(limits.bulkOperations);
    expect(settingBounds.maxBulkPayloadBytes[1]).toBe(limits.bulkBytes);
    for (const [least, most] of Object.values(settingBounds)) expect([least > 0, least < most]).toEqual([true, true]);
  });
});
