import { Injectable } from '@nestjs/common';
import { availableParallelism } from 'node:os';
import { gone, stopIfGone, type RequestContext } from '../http/request-context.js';
import { TenantLimits } from '../limits/tenant-limits.js';
import { ScimError } from '../scim/index.js';
import { hashPassword, verifyPassword } from './password.js';

/** How many operations a hash counts as in its tenant's rate: it takes as long as some tens of them. */
export const hashOperations = 20;
/** How many hashes of one tenant may wait in this process, and how many of all tenants. */
export const mostWaiting = { tenant: 32, process: 256 };
/** For how many milliseconds a hash waits for its turn. */
const longestWait = 10_000;
const retrySeconds = '5';

/** A request that waits for its turn. */
interface Waiting {
  readonly isGone: () => boolean;
  readonly begin: () => void;
  readonly refuse: (error: ScimError) => void;
}

type Hashed = Pick<RequestContext, 'tenant' | 'settings' | 'isGone'>;

/**
 * Hashes and verifies passwords (RFC 7644 section 7.7): one at a time, two from four cores on. Each takes one of the four
 * threads that Node also signs, verifies and compresses on, so those always have some. Tenants take turns. A hash
 * counts as 20 operations in its tenant's rate, from when it begins. Call it with no transaction and no lock: it takes long.
 */
@Injectable()
export class PasswordHashing {
  /** How many hashes are made at the same time. */
  readonly atOnce = availableParallelism() < 4 ? 1 : 2;
  private underWay = 0;
  private inQueues = 0;
  /** By tenant. The first tenant has the next turn. */
  private readonly queues = new Map<string, Waiting[]>();

  constructor(private readonly limits: TenantLimits) {}

  /** How many hashes wait for their turn. */
  get waiting(): number {
    return this.inQueues;
  }

  /**
   * Hashes a password, as `hashPassword`, when it is its turn.
   * @throws ScimError tooManyRequests or unavailable with Retry-After where too many wait, or for too long; as
   *   `stopIfGone` where the client left first
   */
  hash(ctx: Hashed, password: string): Promise<string> {
    return this.inTurn(ctx, () => hashPassword(password));
  }

  /** Whether a password is the one that was hashed. @throws ScimError as `hash` */
  verify(ctx: Hashed, password: string, hash: string): Promise<boolean> {
    return this.inTurn(ctx, () => verifyPassword(password, hash));
  }

  private async inTurn<T>(ctx: Hashed, work: () => Promise<T>): Promise<T> {
    if (this.underWay < this.atOnce) this.underWay++;
    else await this.turn(ctx);
    try {
      stopIfGone(ctx);
      this.limits.charge({ id: ctx.tenant.id, settings: ctx.settings }, hashOperations);
      return await work();
    } finally {
      this.underWay--;
      this.next();
    }
  }

  /** Waits for a turn, which counts as under way from then on. */
  private turn({ tenant, isGone }: Hashed): Promise<void> {
    this.dropGone(tenant.id);
    const behind = this.queues.get(tenant.id)?.length ?? 0;
    if (behind >= mostWaiting.tenant) throw tooMany();
    // A tenant that has none waiting gets in, whatever the others have.
    if (behind > 0 && this.inQueues >= mostWaiting.process) throw busy();
    return new Promise((resolve, reject) => {
      const refuse = (error: ScimError): void => {
        clearTimeout(timer);
        reject(error);
      };
      const begin = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const waiting = { isGone, begin, refuse };
      const timer = setTimeout(() => {
        this.leave(tenant.id, waiting);
        refuse(behind > 0 ? tooMany() : busy());
      }, longestWait);
      const queue = this.queues.get(tenant.id);
      if (queue) queue.push(waiting);
      else this.queues.set(tenant.id, [waiting]);
      this.inQueues++;
    });
  }

  /** Gives the next tenant its turn; its others wait behind those of all other tenants. */
  private next(): void {
    for (const [tenantId] of this.queues) {
      if (this.underWay >= this.atOnce) return;
      this.dropGone(tenantId);
      const [first] = this.queues.get(tenantId) ?? [];
      if (!first) continue;
      this.leave(tenantId, first);
      const others = this.queues.get(tenantId);
      this.queues.delete(tenantId);
      if (others) this.queues.set(tenantId, others);
      this.underWay++;
      first.begin();
    }
  }

  private dropGone(tenantId: string): void {
    for (const waiting of this.queues.get(tenantId) ?? []) {
      if (!waiting.isGone()) continue;
      this.leave(tenantId, waiting);
      waiting.refuse(gone());
    }
  }

  private leave(tenantId: string, waiting: Waiting): void {
    const queue = this.queues.get(tenantId) ?? [];
    const left = queue.filter((other) => other !== waiting);
    this.inQueues -= queue.length - left.length;
    if (left.length > 0) this.queues.set(tenantId, left);
    else this.queues.delete(tenantId);
  }
}

const tooMany = (): ScimError =>
  new ScimError(
    'tooManyRequests',
    `Too many passwords of this tenant wait to be hashed (${mostWaiting.tenant} may); send fewer at the same time.`,
    { 'Retry-After': retrySeconds },
  );

const busy = (): ScimError =>
  new ScimError('unavailable', 'The server hashes as many passwords as it can; try again later.', {
    'Retry-After': retrySeconds,
  });
