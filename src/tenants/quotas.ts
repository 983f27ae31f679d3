import { Injectable } from '@nestjs/common';
import { Config } from '../config.js';
import type { Quota, QuotaScope } from '../limits/quota.js';
import { TenantLimits, type LimitedTenant } from '../limits/tenant-limits.js';
import { ScimError, type TenantSettings } from '../scim/index.js';
import { TenantBytes } from './tenant-bytes.js';

const mebibyte = 2 ** 20;
/** So many bytes that one change writes count as one operation more. */
const bytesOfOperation = 64 * 1024;

/** Whose quota is asked for. */
export interface QuotaTenant extends LimitedTenant {
  readonly settings: LimitedTenant['settings'] & Pick<TenantSettings, 'maxUsers' | 'maxGroups' | 'maxBytes'>;
}

/** What may be too much of. */
export type QuotaKind = 'users' | 'groups' | 'bytes';

const kinds: Readonly<Record<string, QuotaKind>> = { User: 'users', Group: 'groups' };

/** How much tenants may keep. */
@Injectable()
export class Quotas {
  /** How many requests were refused since the start. */
  readonly refused: Record<QuotaKind, number> = { users: 0, groups: 0, bytes: 0 };
  /** A tenant's, for as long as its settings are remembered. */
  private readonly quotas = new WeakMap<QuotaTenant, Quota>();

  constructor(
    private readonly config: Config,
    /** How much tenants may use at a time. */
    readonly limits: TenantLimits,
    private readonly bytes: TenantBytes,
  ) {}

  /** The quota of a tenant. */
  of(tenant: QuotaTenant): Quota {
    const known = this.quotas.get(tenant);
    if (known) return known;
    const most = this.most(tenant);
    const quota: Quota = {
      most: (type) => most[kinds[type] ?? 'users'],
      refused: (type) => void this.refused[kinds[type] ?? 'users']++,
      refuseGrowth: (scope, growth) => this.refuseGrowth(scope, growth, most.bytes),
      wrote: (bytes) => {
        this.bytes.add(tenant.id, bytes);
        if (bytes >= bytesOfOperation) this.limits.charge(tenant, Math.floor(bytes / bytesOfOperation));
      },
    };
    this.quotas.set(tenant, quota);
    return quota;
  }

  /** The limits of a tenant, as far as there are any. */
  most({ settings }: Pick<QuotaTenant, 'settings'>): Record<QuotaKind, number | undefined> {
    const { maxUsersPerTenant, maxGroupsPerTenant, maxMegabytesPerTenant } = this.config;
    const bytes = maxMegabytesPerTenant === undefined ? undefined : maxMegabytesPerTenant * mebibyte;
    return {
      users: settings.maxUsers ?? maxUsersPerTenant,
      groups: settings.maxGroups ?? maxGroupsPerTenant,
      bytes: settings.maxBytes ?? bytes,
    };
  }

  private async refuseGrowth(scope: QuotaScope, growth: () => number, most: number | undefined): Promise<void> {
    if (most === undefined) return;
    const bytes = growth();
    if (bytes <= 0) return;
    const there = await this.bytes.of(scope);
    if (there + bytes <= most) return;
    this.refused.bytes++;
    throw new ScimError(
      'forbidden',
      `This tenant has ${megabytes(there)} MB and may have ${megabytes(most)}; delete something, or ask the operator to raise its maxBytes.`,
    );
  }
}

const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1);
