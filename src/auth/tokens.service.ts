import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, Not, Repository } from 'typeorm';
import { v7 as uuid, validate as isUuid } from 'uuid';
import { Config } from '../config.js';
import { allScopes } from '../http/scope.js';
import { quote, ScimError } from '../scim/index.js';
import { checkCredential, endOf, type CredentialRequest } from '../tenants/credential.js';
import { hashOf, newSecret, startOf } from '../tenants/secret.js';
import { TenantEntity } from '../tenants/tenant.entity.js';
import type { PageRequest } from '../tenants/tenants.service.js';
import { TokenAuthentication } from './token-authentication.js';
import { TokenEntity } from './token.entity.js';

/** The name of the token that SCIM_TOKEN is. */
const configuredTokenName = 'SCIM_TOKEN';

/** The tenant that a token is of. */
type Owner = Pick<TenantEntity, 'id'>;

/** A token as its operators see it. */
export type TokenRecord = Omit<TokenEntity, 'secretHash' | 'tenant'>;

/** A token that was just made, with its secret, which is not kept. */
export interface IssuedToken {
  readonly token: TokenRecord;
  readonly secret: string;
}

/** What a new token is to be. */
export interface TokenRequest extends CredentialRequest {
  /** What it is for. */
  readonly name: string;
}

/** How a token is replaced. */
export interface TokenRotation {
  readonly overlapSeconds: number;
  readonly expiresAt?: Date | undefined;
}

/** Issues bearer tokens, lists and ends them (RFC 6750 section 5.3, RFC 7644 section 7.4). */
@Injectable()
export class TokensService {
  constructor(
    @InjectRepository(TokenEntity) private readonly tokens: Repository<TokenEntity>,
    private readonly authentication: TokenAuthentication,
    private readonly config: Config,
  ) {}

  /**
   * Issues a token.
   * @throws ScimError invalidValue for a name that is reserved, scopes that are good for nothing, or an end that has passed
   * or is more than ten years away
   */
  async issue(tenant: Owner, request: TokenRequest, now = new Date()): Promise<IssuedToken> {
    checkCredential(request, now);
    if (request.name === configuredTokenName) {
      throw new ScimError(
        'invalidValue',
        `name: ${configuredTokenName} is the name of the token in the configuration.`,
      );
    }
    return insertNew(this.tokens, tenant, request, now);
  }

  /** Issues the tenant's first token. @returns its secret, or undefined when the tenant has or had a token */
  async issueFirst(tenant: Owner): Promise<string | undefined> {
    return this.tokens.manager.transaction(async (manager) => {
      // Processes that start together take turns here, and those behind the first see its token.
      await manager.findOneOrFail(TenantEntity, { where: { id: tenant.id }, lock: { mode: 'for_no_key_update' } });
      const tokens = manager.getRepository(TokenEntity);
      if (await tokens.existsBy({ tenantId: tenant.id })) return undefined;
      const request = { name: 'First token, made at the first start' };
      return (await insertNew(tokens, tenant, request, new Date())).secret;
    });
  }

  /** Makes a secret out of the configuration the tenant's token, in place of the one configured before. */
  async configure(tenant: Owner, secret: string): Promise<void> {
    const row = { ...tokenRow(tenant, { name: configuredTokenName }, secret, new Date()), secretStart: null };
    await this.tokens.delete({ tenantId: tenant.id, name: configuredTokenName, secretHash: Not(row.secretHash) });
    await this.tokens
      .createQueryBuilder()
      .insert()
      .values(row)
      .orUpdate(['tenant_id', 'name', 'scopes', 'secret_start', 'expires_at', 'revoked_at'], ['secret_hash'])
      .execute();
    this.authentication.forgetAll();
  }

  /** A tenant's tokens from the oldest on, those that have ended among them. */
  list(tenant: Owner, { after, count }: PageRequest): Promise<TokenRecord[]> {
    const where = { tenantId: tenant.id, ...(after === undefined ? {} : { id: MoreThan(after) }) };
    return this.tokens.find({ select: shown, where, order: { id: 'ASC' }, take: count });
  }

  /**
   * Ends a token: in this process at once, in others within five seconds. A token that has ended stays so.
   * @throws ScimError notFound, or conflict for the one that the configuration names
   */
  async revoke(tenant: Owner, id: string, now = new Date()): Promise<void> {
    const { name } = await this.get(this.tokens, tenant, id);
    this.refuseIfConfigured(name);
    await this.tokens
      .createQueryBuilder()
      .update()
      .set({ revokedAt: () => 'coalesce(revoked_at, :now)', expiresAt: () => 'least(expires_at, :now)' })
      .setParameter('now', now)
      .where({ tenantId: tenant.id, id })
      .execute();
    this.authentication.forgetToken(id);
  }

  /**
   * Issues a token in place of another, with its name and scopes. The old one ends after the overlap, so that a client can
   * change over without a failed request.
   * @param overlapSeconds 0 or more; the old token never lives longer than it would have
   * @param expiresAt of the new token; in a year unless given
   * @throws ScimError notFound; conflict for a token that has ended, or that the configuration names; invalidValue
   */
  async rotate(
    tenant: Owner,
    id: string,
    { overlapSeconds, expiresAt }: TokenRotation,
    now = new Date(),
  ): Promise<IssuedToken> {
    checkCredential({ expiresAt }, now);
    const issued = await this.tokens.manager.transaction(async (manager) => {
      const tokens = manager.getRepository(TokenEntity);
      const old = await this.get(tokens, tenant, id, { lock: { mode: 'for_no_key_update' } as const });
      this.refuseIfConfigured(old.name);
      if (old.revokedAt || old.expiresAt <= now) {
        throw new ScimError('conflict', `The token ${quote(id)} has ended; create a new one.`);
      }
      const end = new Date(Math.min(old.expiresAt.getTime(), now.getTime() + overlapSeconds * 1000));
      await tokens.update({ tenantId: tenant.id, id }, { expiresAt: end });
      return insertNew(tokens, tenant, { name: old.name, scopes: old.scopes, expiresAt }, now);
    });
    this.authentication.forgetToken(id);
    return issued;
  }

  private async get(tokens: Repository<TokenEntity>, tenant: Owner, id: string, options = {}): Promise<TokenEntity> {
    const found = isUuid(id) ? await tokens.findOne({ where: { tenantId: tenant.id, id }, ...options }) : undefined;
    if (!found) throw new ScimError('notFound', `The tenant has no token with the id ${quote(id)}.`);
    return found;
  }

  private refuseIfConfigured(name: string): void {
    if (name !== configuredTokenName || this.config.scimToken === undefined) return;
    throw new ScimError('conflict', 'This token is SCIM_TOKEN of the configuration: change it there.');
  }
}

const shown = {
  tenantId: true,
  id: true,
  name: true,
  secretStart: true,
  scopes: true,
  createdAt: true,
  expiresAt: true,
  revokedAt: true,
  lastUsedAt: true,
} as const;

async function insertNew(
  tokens: Repository<TokenEntity>,
  tenant: Owner,
  request: TokenRequest,
  now: Date,
): Promise<IssuedToken> {
  const secret = newSecret();
  const row = tokenRow(tenant, request, secret, now);
  await tokens.insert(row);
  const { secretHash: _hash, ...token } = row;
  return { token, secret };
}

function tokenRow(tenant: Owner, request: TokenRequest, secret: string, now: Date): Omit<TokenEntity, 'tenant'> {
  return {
    tenantId: tenant.id,
    id: uuid(),
    name: request.name,
    secretHash: Buffer.from(hashOf(secret), 'base64'),
    secretStart: startOf(secret),
    scopes: [...(request.scopes ?? allScopes)],
    createdAt: now,
    expiresAt: endOf(request, now),
    revokedAt: null,
    lastUsedAt: null,
  };
}
