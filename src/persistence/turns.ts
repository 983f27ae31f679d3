import { ScimError } from '../scim/index.js';

/** Who wants a turn. */
export interface Claimant {
  readonly tenant: { readonly id: string };
  /** Whether the client has hung up, so that no turn is wanted any more. */
  readonly isGone?: () => boolean;
}

/** How turns are given. Times are in milliseconds. */
export interface TurnRules {
  /** What the turns are for, such as "searches". */
  readonly name: string;
  /** How many turns there are at once. */
  readonly total: number;
  /** How many of them one tenant may have. */
  readonly share: number;
  /** A smaller share for a tenant whose turns take so many milliseconds or more, in the mean, or had none yet. */
  readonly slow?: { readonly mean: number; readonly share: number };
  /** How long a request waits while its own tenant has its share. */
  readonly patience: number;
  /** How long a request waits in all. */
  readonly longestWait: number;
}

/** A turn. Its owner ends it when the work is really over. */
export interface Turn {
  /** Gives the turn back and charges the time it took. May be called again. */
  end(): void;
}

/** So many of a tenant may always wait; more only where the turns before them are short. */
const alwaysMayWait = 8;
/** In milliseconds: after this time half of what a tenant used is forgotten. */
const halfLife = 10_000;
/** How much the last turn counts in the mean of a tenant's turns. */
const weightOfLast = 0.2;
/** Idle tenants are forgotten when there are more accounts than this. */
const mostAccounts = 1_000;

interface Waiter {
  readonly isGone: (() => boolean) | undefined;
  readonly start: (turn: Turn) => void;
  readonly refuse: (error: Error) => void;
  readonly since: number;
  timer: NodeJS.Timeout | undefined;
}

/** What a tenant has and wants. */
interface Account {
  held: number;
  /** The sum of the times at which its turns began. */
  begun: number;
  /** The milliseconds that its turns took, as of `chargedAt`; half of it is forgotten in each half-life. */
  charged: number;
  chargedAt: number;
  /** How long its turns take, in milliseconds. */
  mean: number;
  readonly waiting: Waiter[];
}

/**
 * Shares what there is little of, such as connections, among tenants. A tenant never has more than its share, and of
 * those who wait the tenant comes next whose turns took the least time lately: time is charged, not turns counted, because
 * one tenant's turn may take as long as a thousand of another. Where nobody waits, a turn is taken without a promise.
 */
export class Turns {
  private readonly accounts = new Map<string, Account>();
  /** The accounts that somebody waits in. */
  private readonly queues = new Set<Account>();
  private held = 0;
  /** When a turn ended last, or began while there was no other. */
  private movedAt = 0;
  /** How many were refused a turn: for their tenant's share, and because nobody got one. */
  readonly refused = { tenant: 0, all: 0 };

  constructor(
    readonly rules: TurnRules,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** How many wait now. */
  get waiting(): number {
    let waiting = 0;
    for (const queue of this.queues) waiting += queue.waiting.length;
    return waiting;
  }

  /**
   * Does work in a turn.
   * @throws ScimError tooManyRequests where the tenant has its share for too long, unavailable where all turns are taken
   * for too long, both with Retry-After; else what the work throws
   */
  async within<T>(claimant: Claimant, work: () => Promise<T>): Promise<T> {
    const taken = this.take(claimant);
    const turn = taken instanceof Promise ? await taken : taken;
    try {
      return await work();
    } finally {
      turn.end();
    }
  }

  /**
   * Takes a turn: at once where one is free.
   * @param patience how long to wait while the tenant has its share, in milliseconds
   * @throws ScimError as `within`, also by the promise
   */
  take({ tenant, isGone }: Claimant, patience = this.rules.patience): Turn | Promise<Turn> {
    const account = this.accountOf(tenant.id);
    const { total } = this.rules;
    if (this.held < total && account.held < this.shareOf(account) && account.waiting.length === 0)
      return this.begin(account);
    if (this.isHopeless(account, patience)) {
      this.dropGone(account);
      if (this.isHopeless(account, patience)) throw this.refusal(account);
    }
    return new Promise((start, refuse) => {
      const waiter: Waiter = { isGone, start, refuse, since: this.now(), timer: undefined };
      account.waiting.push(waiter);
      this.queues.add(account);
      this.patiently(account, waiter, patience);
    });
  }

  private shareOf({ mean }: Account): number {
    const { share, slow } = this.rules;
    return slow && mean >= slow.mean ? slow.share : share;
  }

  private begin(account: Account): Turn {
    const began = this.now();
    if (this.held === 0) this.movedAt = began;
    this.held++;
    account.held++;
    account.begun += began;
    let isOver = false;
    return {
      end: () => {
        if (isOver) return;
        isOver = true;
        this.ended(account, began);
      },
    };
  }

  private ended(account: Account, began: number): void {
    const now = (this.movedAt = this.now());
    const took = now - began;
    this.held--;
    account.held--;
    account.begun -= began;
    account.charged = chargeAt(account, now) + took;
    account.chargedAt = now;
    account.mean += (took - account.mean) * weightOfLast;
    if (this.queues.size > 0) this.giveFreeTurns(now);
  }

  private giveFreeTurns(now: number): void {
    while (this.held < this.rules.total) {
      const account = this.next(now);
      const waiter = account?.waiting.shift();
      if (!account || !waiter) return;
      this.leave(account, waiter);
      if (waiter.isGone?.() === true) waiter.refuse(hungUp());
      else waiter.start(this.begin(account));
    }
  }

  /** Of those who wait and have less than their share the one who used the least time. */
  private next(now: number): Account | undefined {
    let [next, least]: [Account | undefined, number] = [undefined, Infinity];
    for (const account of this.queues) {
      if (account.held >= this.shareOf(account)) continue;
      // What runs has not been charged yet.
      const used = chargeAt(account, now) + account.held * now - account.begun;
      if (used < least) [next, least] = [account, used];
    }
    return next;
  }

  /** Lets a request wait, and refuses it when it has waited for too long. */
  private patiently(account: Account, waiter: Waiter, milliseconds: number): void {
    waiter.timer = setTimeout(() => {
      const left = waiter.since + this.rules.longestWait - this.now();
      if (account.held < this.shareOf(account) && left > 1 && waiter.isGone?.() !== true) {
        this.patiently(account, waiter, left);
        return;
      }
      account.waiting.splice(account.waiting.indexOf(waiter), 1);
      this.leave(account, waiter);
      waiter.refuse(waiter.isGone?.() === true ? hungUp() : this.refusal(account));
    }, milliseconds).unref();
  }

  /** Lets those go whose clients have hung up: they are not in the way of those who still wait. */
  private dropGone(account: Account): void {
    for (const waiter of account.waiting.filter(({ isGone }) => isGone?.() === true)) {
      account.waiting.splice(account.waiting.indexOf(waiter), 1);
      this.leave(account, waiter);
      waiter.refuse(hungUp());
    }
  }

  private leave(account: Account, { timer }: Waiter): void {
    clearTimeout(timer);
    if (account.waiting.length === 0) this.queues.delete(account);
  }

  /**
   * Whether waiting is of no use: by how long the tenant's turns take, those before it last longer than its patience. Where
   * everybody waits for as long, nobody is refused before that.
   */
  private isHopeless(account: Account, patience: number): boolean {
    const { waiting, mean } = account;
    const { longestWait } = this.rules;
    if (patience === longestWait || waiting.length < alwaysMayWait) return false;
    return (waiting.length * mean) / this.shareOf(account) > patience;
  }

  private refusal(account: Account): ScimError {
    const { name, longestWait } = this.rules;
    const share = this.shareOf(account);
    // Where nothing moves at all, it is the database and not the tenant.
    const isStill = this.now() - this.movedAt >= longestWait;
    if (isStill || account.held < share) {
      this.refused.all++;
      return new ScimError('unavailable', `All database connections for ${name} are in use; try again later.`, {
        'Retry-After': '5',
      });
    }
    this.refused.tenant++;
    return new ScimError(
      'tooManyRequests',
      `This tenant's ${name} use all of their database connections, which are ${share} of ${this.rules.total} in each ` +
        'process, and take too long; send fewer at once.',
      { 'Retry-After': '2' },
    );
  }

  private accountOf(tenantId: string): Account {
    const known = this.accounts.get(tenantId);
    if (known) return known;
    if (this.accounts.size >= mostAccounts) this.forgetIdle();
    const account: Account = {
      held: 0,
      begun: 0,
      charged: 0,
      chargedAt: 0,
      mean: this.rules.slow?.mean ?? 0,
      waiting: [],
    };
    this.accounts.set(tenantId, account);
    return account;
  }

  /** What a tenant used some half-lives ago matters no more. */
  private forgetIdle(): void {
    const now = this.now();
    for (const [tenantId, account] of this.accounts) {
      const isIdle = account.held === 0 && account.waiting.length === 0;
      if (isIdle && chargeAt(account, now) < 1) this.accounts.delete(tenantId);
    }
  }
}

const chargeAt = ({ charged, chargedAt }: Account, now: number): number =>
  charged * 2 ** ((chargedAt - now) / halfLife);

/** Nobody reads it. */
export const hungUp = (): ScimError => new ScimError('requestTimeout', 'The client has hung up.');
