import { describe, expect, it } from '@jest/globals';
import { coreRegistry, registryFor } from './core.js';

const uniquenessOf = (uniqueGroupDisplayName: boolean) =>
  registryFor({ uniqueGroupDisplayName }).resourceSchema('Group').attribute('displayName')?.uniqueness;

describe('the registry of a tenant (RFC 7643 section 7)', () => {
  it('says whether the displayName of a group is unique', () => {
    expect([uniquenessOf(false), uniquenessOf(true)]).toEqual(['none', 'server']);
  });

  it('is the same for all tenants otherwise', () => {
    expect(registryFor({ uniqueGroupDisplayName: false })).toBe(coreRegistry);
    const [users, others] = [coreRegistry, registryFor({ uniqueGroupDisplayName: true })];
    expect(others.resourceSchema('User').base).toBe(users.resourceSchema('User').base);
  });
});
