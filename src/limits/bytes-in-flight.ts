import { Injectable } from '@nestjs/common';
import { Config } from '../config.js';
import { ScimError } from '../scim/index.js';
import { availableMemory } from './memory.js';

const mebibyte = 2 ** 20;

/** The part of the memory that requests may hold: the rest is for the program, its caches and the work on each request. */
const partOfMemory = 1 / 4;
/** The part of all requests' bytes that one tenant may hold. */
const partOfTenant = 1 / 4;
/** The part, of the process and of each tenant, that only small holders get. */
const partForSmall = 1 / 8;
/** A holder of no more bytes than this is small: nearly all requests are. */
export const smallBytes = 64 * 1024;

const retrySeconds = { tenant: 1, process: 2 };

/** What a request holds. Its owner releases it when the bytes are really gone. */
export interface HeldBytes {
  readonly bytes: number;
  /**
   * Changes how much is held. Less is always possible.
   * @throws ScimError tooManyRequests or unavailable, with Retry-After; then as much is held as before
   */
  resize(bytes: number): void;
  /** Gives all of it back. May be called again. */
  release(): void;
}

/** Bytes that are held in the name of one tenant. */
interface Account {
  held: number;
}

/**
 * The account of the bytes that requests hold in this process: bodies that are being received and answers that are being
 * sent. The process and each tenant have a bound, and what does not fit is refused before it is held. Small holders
 * have a reserve, so that a few large ones do not keep out everything else. A holder that is alone always fits.
 */
@Injectable()
export class BytesInFlight {
  /** The most bytes that all requests may hold. */
  readonly limit: number;
  /** The most bytes that one tenant's requests may hold. */
  readonly tenantLimit: number;
  private readonly process: Account = { held: 0 };
  private readonly tenants = new Map<string, Account>();
  /** How often a holder was refused, for a tenant's bound and for that of the process. */
  readonly refused = { tenant: 0, process: 0 };

  constructor({ requestMemoryMegabytes }: Config) {
    this.limit =
      requestMemoryMegabytes === undefined ? availableMemory() * partOfMemory : requestMemoryMegabytes * mebibyte;
    this.tenantLimit = this.limit * partOfTenant;
  }

  /** The bytes that are held now, by all requests. */
  get held(): number {
    return this.process.held;
  }

  /** The bytes that a tenant's requests hold now. */
  heldBy(tenantId: string): number {
    return this.tenants.get(tenantId)?.held ?? 0;
  }

  /**
   * Holds bytes for a request of a tenant.
   * @param tenantId the tenant; for requests without one, a name that they share
   * @throws ScimError tooManyRequests when the tenant holds too much, unavailable when the process does, with Retry-After
   */
  hold(tenantId: string, bytes: number): HeldBytes {
    let account = this.tenants.get(tenantId);
    if (!account) this.tenants.set(tenantId, (account = { held: 0 }));
    const tenant = account;
    let held = 0;
    let isReleased = false;
    const resize = (wanted: number): void => {
      if (isReleased) return;
      if (wanted > held) this.check(tenant, wanted - held, wanted);
      this.process.held += wanted - held;
      tenant.held += wanted - held;
      held = wanted;
      if (tenant.held === 0 && this.tenants.get(tenantId) === tenant) this.tenants.delete(tenantId);
      else this.tenants.set(tenantId, tenant);
    };
    resize(bytes);
    return {
      get bytes() {
        return held;
      },
      resize,
      release: () => {
        resize(0);
        isReleased = true;
      },
    };
  }

  private check(tenant: Account, more: number, holds: number): void {
    if (!fits(tenant.held, more, holds, this.tenantLimit)) {
      this.refused.tenant++;
      throw new ScimError(
        'tooManyRequests',
        `The requests of this tenant hold ${megabytes(tenant.held)} MB in this process, and ${megabytes(this.tenantLimit)} MB is the limit; wait for answers, or ask for smaller pages.`,
        { 'Retry-After': String(retrySeconds.tenant) },
      );
    }
    if (!fits(this.process.held, more, holds, this.limit)) {
      this.refused.process++;
      throw new ScimError('unavailable', 'The server holds as many bytes of requests as it can; try again later.', {
        'Retry-After': String(retrySeconds.process),
      });
    }
  }
}

/** @param holds what the holder would have in all */
function fits(held: number, more: number, holds: number, limit: number): boolean {
  const isAlone = held + more === holds;
  const bound = holds <= smallBytes ? limit : limit * (1 - partForSmall);
  return isAlone || held + more <= bound;
}

const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1);
