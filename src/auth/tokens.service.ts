import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LRUCache } from 'lru-cache';
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import { Not, Repository } from 'typeorm';
import { TenantEntity } from '../tenants/tenant.entity.js';
import { TokenEntity } from './token.entity.js';

const day = 24 * 60 * 60 * 1000;
const lifetime = 365 * day;
const lastUsedInterval = 60_000;
const configuredName = 'SCIM_TOKEN';
const knownTokens = 10_000;
// How long a token that was revoked or whose tenant was changed by another process may still be taken as it was.
const knownFor = 5_000;

/** Who makes a request: a token of a tenant. */
export interface Principal {
  readonly tokenId: string;
  readonly tenant: TenantEntity;
}

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret, 'utf8').digest();

/** Issues and checks bearer tokens (RFC 6750, RFC 7644 section 7.4). */
@Injectable()
export class TokensService implements OnModuleInit, OnApplicationShutdown {
  /** When each token was last used, until it is written down. */
  private readonly lastUsed = new Map<string, Date>();
  /** Tokens by the hash of their secret, so that not every request has to look its token up. */
  private readonly known = new LRUCache<string, TokenEntity>({ max: knownTokens, ttl: knownFor });
  private flushTimer: NodeJS.Timeout | undefined;

  constructor(@InjectRepository(TokenEntity) private readonly tokens: Repository<TokenEntity>) {}

  onModuleInit(): void {
    this.flushTimer = setInterval(() => void this.flushLastUsed().catch(() => undefined), lastUsedInterval).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.flushTimer);
    await this.flushLastUsed();
  }

  /**
   * Issues a token that expires after a year.
   * @returns its secret, which is not kept: `rollcall_` and 256 random bits in base64url
   */
  async issue(tenant: TenantEntity, name: string, now = new Date()): Promise<string> {
    return insertNew(this.tokens, tenant, name, now);
  }

  /** Issues the tenant's first token. @returns its secret, or undefined when the tenant has or had a token */
  async issueFirst(tenant: TenantEntity, now = new Date()): Promise<string | undefined> {
    return this.tokens.manager.transaction(async (manager) => {
      // Processes that start together take turns here, and those behind the first see its token.
      await manager.findOneOrFail(TenantEntity, { where: { id: tenant.id }, lock: { mode: 'for_no_key_update' } });
      const tokens = manager.getRepository(TokenEntity);
      if (await tokens.existsBy({ tenantId: tenant.id })) return undefined;
      return insertNew(tokens, tenant, 'First token, made at the first start', now);
    });
  }

  /** Makes a secret out of the configuration the tenant's token, in place of the one configured before. */
  async configure(tenant: TenantEntity, secret: string, now = new Date()): Promise<void> {
    const row = tokenRow(tenant, configuredName, secret, now);
    this.known.clear();
    await this.tokens.delete({ tenantId: tenant.id, name: configuredName, secretHash: Not(row.secretHash) });
    await this.tokens
      .createQueryBuilder()
      .insert()
      .values(row)
      .orUpdate(['tenant_id', 'name', 'expires_at'], ['secret_hash'])
      .execute();
  }

  /**
   * Finds whose secret this is. The hash is looked up, so timing says nothing of how much of a guess is right.
   * @returns undefined for an unknown or expired secret
   */
  async authenticate(secret: string, now = new Date()): Promise<Principal | undefined> {
    const secretHash = hashOf(secret);
    const key = secretHash.toString('base64');
    let token = this.known.get(key);
    if (!token) {
      token = await this.find(secretHash);
      if (token) this.known.set(key, token);
    }
    if (!token?.tenant || token.expiresAt <= now) return undefined;
    this.lastUsed.set(token.id, now);
    return { tokenId: token.id, tenant: token.tenant };
  }

  private async find(secretHash: Buffer): Promise<TokenEntity | undefined> {
    const token = await this.tokens.findOne({ where: { secretHash }, relations: { tenant: true } });
    return token && timingSafeEqual(token.secretHash, secretHash) ? token : undefined;
  }

  /** Writes down when tokens were last used: one statement for many requests. */
  async flushLastUsed(): Promise<void> {
    const used = [...this.lastUsed];
    this.lastUsed.clear();
    if (used.length === 0) return;
    const flushed = this.tokens.query(
      `UPDATE tokens SET last_used_at = greatest(last_used_at, used.at)
       FROM unnest($1::uuid[], $2::timestamptz[]) AS used(id, at) WHERE tokens.id = used.id`,
      [used.map(([id]) => id), used.map(([, at]) => at)],
    );
    await flushed.catch((error: unknown) => {
      // Kept for the next time, unless the token was used again since.
      for (const [id, at] of used) if (!this.lastUsed.has(id)) this.lastUsed.set(id, at);
      throw error;
    });
  }
}

async function insertNew(
  tokens: Repository<TokenEntity>,
  tenant: TenantEntity,
  name: string,
  now: Date,
): Promise<string> {
  const secret = `rollcall_${randomBytes(32).toString('base64url')}`;
  await tokens.insert(tokenRow(tenant, name, secret, now));
  return secret;
}

function tokenRow(tenant: TenantEntity, name: string, secret: string, now: Date): Omit<TokenEntity, 'tenant'> {
  return {
    tenantId: tenant.id,
    id: uuid(),
    name,
    secretHash: hashOf(secret),
    createdAt: now,
    expiresAt: new Date(now.getTime() + lifetime),
    lastUsedAt: null,
  };
}
