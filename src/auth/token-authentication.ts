import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LRUCache } from 'lru-cache';
import { Repository } from 'typeorm';
import { ReservedConnections } from '../persistence/reserved-connections.js';
import type { Principal } from '../tenants/principal.js';
import { tenantRecord } from '../tenants/tenant.js';
import { TenantsService } from '../tenants/tenants.service.js';
import { hashOf } from '../tenants/secret.js';
import { TokenEntity } from './token.entity.js';

const lastUsedInterval = 60_000;
const mostRemembered = 10_000;
const mostEnded = 1_000;

/**
 * For how many milliseconds a token is taken as it was when it was looked up: what another process changes of it or of its
 * tenant takes effect after this time at the latest. What this process changes takes effect at once.
 */
const rememberedFor = 5_000;

/** A token that was looked up. */
interface Known {
  readonly id: string;
  readonly principal: Principal;
}

/** Whose a token was. */
type Former = Pick<Principal, 'tenant' | 'actor'>;

/** When a token was used last, in milliseconds since 1970. */
interface Use {
  readonly tenantId: string;
  readonly at: number;
}

/** Finds whose a bearer token's secret is (RFC 6750, RFC 7644 section 7.4). */
@Injectable()
export class TokenAuthentication implements OnModuleInit, OnApplicationShutdown {
  /** By the hash of the secret. Only tokens that are there are remembered, so guessing fills nothing. */
  private readonly remembered = new LRUCache<string, Known>({
    max: mostRemembered,
    ttl: rememberedFor,
    ttlResolution: 0,
  });
  /** Tokens that have ended, by the hash of the secret: whoever still sends one is somebody's client. */
  private readonly ended = new LRUCache<string, Former>({ max: mostEnded });
  /** By token id, until it is written down. */
  private lastUsed = new Map<string, Use>();
  /** Counts what was forgotten, so that a look-up which began before is not remembered after. */
  private forgotten = 0;
  private flushTimer: NodeJS.Timeout | undefined;

  constructor(
    @InjectRepository(TokenEntity) private readonly tokens: Repository<TokenEntity>,
    private readonly connections: ReservedConnections,
    tenants: TenantsService,
  ) {
    tenants.changed.subscribe((tenantId) => this.forget(({ principal }) => principal.tenant.id === tenantId));
  }

  onModuleInit(): void {
    this.flushTimer = setInterval(() => void this.flushLastUsed().catch(() => undefined), lastUsedInterval).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.flushTimer);
    await this.flushLastUsed();
  }

  /**
   * Recognises a secret that was looked up a moment ago, without the database.
   * @returns undefined for any other, and for one that has expired
   */
  recognise(secret: string): Principal | undefined {
    const known = this.remembered.get(hashOf(secret));
    return known && this.use(known);
  }

  /**
   * Looks a secret up. It is its hash that is looked up, so timing says nothing of how much of a guess is right.
   * @returns undefined for a secret that is unknown, expired or revoked
   */
  async authenticate(secret: string): Promise<Principal | undefined> {
    const key = hashOf(secret);
    const forgotten = this.forgotten;
    const secretHash = Buffer.from(key, 'base64');
    const tokens = this.connections.repository(TokenEntity);
    const row = await tokens.findOne({ where: { secretHash }, relations: { tenant: true } });
    if (!row?.tenant) return undefined;
    const known: Known = {
      id: row.id,
      principal: Object.freeze({
        tenant: tenantRecord(row.tenant),
        actor: `token:${row.id}`,
        scopes: Object.freeze(row.scopes),
        expiresAt: row.expiresAt,
      }),
    };
    const principal = row.revokedAt ? undefined : this.use(known);
    if (!principal) this.ended.set(key, { tenant: known.principal.tenant, actor: known.principal.actor });
    if (principal && forgotten === this.forgotten) this.remembered.set(key, known);
    return principal;
  }

  /** Whose a token was that was just looked up and has ended; undefined for one that nobody has. */
  former(secret: string): Former | undefined {
    return this.ended.get(hashOf(secret));
  }

  /** Forgets a token, so that what was changed of it takes effect in this process. */
  forgetToken(tokenId: string): void {
    this.forget(({ id }) => id === tokenId);
  }

  /** Forgets every token. */
  forgetAll(): void {
    this.forget(() => true);
  }

  /** Writes down when tokens were last used: one statement for many requests. */
  async flushLastUsed(): Promise<void> {
    const used = this.lastUsed;
    if (used.size === 0) return;
    this.lastUsed = new Map();
    const uses = [...used];
    const flushed = this.tokens.query(
      `UPDATE tokens SET last_used_at = greatest(last_used_at, used.at)
       FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS used(tenant_id, id, at)
       WHERE tokens.tenant_id = used.tenant_id AND tokens.id = used.id`,
      [uses.map(([, { tenantId }]) => tenantId), uses.map(([id]) => id), uses.map(([, { at }]) => new Date(at))],
    );
    await flushed.catch((error: unknown) => {
      // Kept for the next time, unless the token was used again since.
      for (const [id, use] of uses) if (!this.lastUsed.has(id)) this.lastUsed.set(id, use);
      throw error;
    });
  }

  private use({ id, principal }: Known): Principal | undefined {
    const now = Date.now();
    if (principal.expiresAt.getTime() <= now) return undefined;
    this.lastUsed.set(id, { tenantId: principal.tenant.id, at: now });
    return principal;
  }

  private forget(which: (known: Known) => boolean): void {
    this.forgotten++;
    for (const [key, known] of this.remembered.entries()) if (which(known)) this.remembered.delete(key);
  }
}
