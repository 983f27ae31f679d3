import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { MoreThan, Not, Repository, type EntityManager } from 'typeorm';
import { v7 as uuid, validate as isUuid } from 'uuid';
import { Config } from '../config.js';
import { allScopes } from '../http/scope.js';
import { recordEvent, type AuditEvent } from '../persistence/audit-event.js';
import type { Author } from '../persistence/audit.js';
import { quote, ScimError } from '../scim/index.js';
import { checkCredential, endOf, type CredentialRequest } from '../tenants/credential.js';
import { hashOf, newSecret, secretPrefix, startOf } from '../tenants/secret.js';
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

/**
 * Issues bearer tokens, lists and ends them (RFC 6750 section 5.3, RFC 7644 section 7.4). Every change is an event of the
 * audit trail.
 */
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
  async issue(author: Author, tenant: Owner, request: TokenRequest, now = new Date()): Promise<IssuedToken> {
    checkCredential(request, now);
    if (request.name === configuredTokenName) {
      throw new ScimError(
        'invalidValue',
        `name: ${configuredTokenName} is the name of the token in the configuration.`,
      );
    }
    return this.tokens.manager.transaction(async (manager) => {
      const issued = await insertNew(manager, tenant, request, now);
      await recordEvent(manager, author, { ...eventOf('create', issued.token), ...created(issued.token) });
      return issued;
    });
  }

  /** Issues the tenant's first token. @returns its secret, or undefined when the tenant has or had a token */
  async issueFirst(author: Author, tenant: Owner): Promise<string | undefined> {
    return this.tokens.manager.transaction(async (manager) => {
      // Processes that start together take turns here, and those behind the first see its token.
      await manager.findOneOrFail(TenantEntity, { where: { id: tenant.id }, lock: { mode: 'for_no_key_update' } });
      const tokens = manager.getRepository(TokenEntity);
      if (await tokens.existsBy({ tenantId: tenant.id })) return undefined;
      const request = { name: 'First token, made at the first start' };
      const { token, secret } = await insertNew(manager, tenant, request, new Date());
      await recordEvent(manager, author, { ...eventOf('create', token), ...created(token) });
      return secret;
    });
  }

  /** Makes a secret out of the configuration the tenant's token, in place of the one configured before. */
  async configure(author: Author, tenant: Owner, secret: string): Promise<void> {
    const row = { ...tokenRow(tenant, { name: configuredTokenName }, secret, new Date()), secretStart: null };
    const { secretHash } = row;
    await this.tokens.manager.transaction(async (manager) => {
      const former = { tenantId: tenant.id, name: configuredTokenName, secretHash: Not(secretHash) };
      const [replaced] = await manager.find(TokenEntity, { where: former });
      await manager.delete(TokenEntity, former);
      const known = await manager.findOneBy(TokenEntity, { tenantId: tenant.id, secretHash });
      await manager
        .createQueryBuilder()
        .insert()
        .into(TokenEntity)
        .values(row)
        .orUpdate(['tenant_id', 'name', 'scopes', 'secret_start', 'expires_at', 'revoked_at'], ['secret_hash'])
        .execute();
      // At most starts it is what it was, but for its end.
      if (known && !known.revokedAt && known.name === configuredTokenName) return;
      const token = await manager.findOneByOrFail(TokenEntity, { tenantId: tenant.id, secretHash });
      const before = replaced && { before: shownToOperators(replaced) };
      await recordEvent(manager, author, {
        ...eventOf(replaced ? 'rotate' : 'create', token),
        ...created(token),
        ...before,
      });
    });
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
  async revoke(author: Author, tenant: Owner, id: string, now = new Date()): Promise<void> {
    await this.tokens.manager.transaction(async (manager) => {
      const token = await this.lock(manager, tenant, id);
      this.refuseIfConfigured(token.name);
      if (token.revokedAt) return;
      const end = { revokedAt: now, expiresAt: token.expiresAt < now ? token.expiresAt : now };
      await manager.update(TokenEntity, { tenantId: tenant.id, id }, end);
      await recordEvent(manager, author, {
        ...eventOf('revoke', token),
        before: shownToOperators(token),
        after: shownToOperators({ ...token, ...end }),
      });
    });
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
    author: Author,
    tenant: Owner,
    id: string,
    { overlapSeconds, expiresAt }: TokenRotation,
    now = new Date(),
  ): Promise<IssuedToken> {
    checkCredential({ expiresAt }, now);
    const issued = await this.tokens.manager.transaction(async (manager) => {
      const old = await this.lock(manager, tenant, id);
      this.refuseIfConfigured(old.name);
      if (old.revokedAt || old.expiresAt <= now) {
        throw new ScimError('conflict', `The token ${quote(id)} has ended; create a new one.`);
      }
      const end = new Date(Math.min(old.expiresAt.getTime(), now.getTime() + overlapSeconds * 1000));
      await manager.update(TokenEntity, { tenantId: tenant.id, id }, { expiresAt: end });
      const replacement = await insertNew(manager, tenant, { name: old.name, scopes: old.scopes, expiresAt }, now);
      await recordEvent(manager, author, {
        ...eventOf('rotate', old),
        ...created(replacement.token),
        before: { ...shownToOperators(old), overlapUntil: end },
      });
      return replacement;
    });
    this.authentication.forgetToken(id);
    return issued;
  }

  /** Reads a token that nobody else changes until the transaction ends. @throws ScimError notFound */
  private async lock(manager: EntityManager, tenant: Owner, id: string): Promise<TokenEntity> {
    const options = { where: { tenantId: tenant.id, id }, lock: { mode: 'for_no_key_update' } as const };
    const found = isUuid(id) ? await manager.findOne(TokenEntity, options) : undefined;
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

type Shown = Pick<TokenEntity, 'id' | 'name' | 'secretStart' | 'scopes' | 'expiresAt' | 'revokedAt'>;

/** What the audit trail says of a token. */
const shownToOperators = ({ id, name, secretStart, scopes, expiresAt, revokedAt }: Shown): object => ({
  ...{ id, name, prefix: secretStart === null ? null : secretPrefix + secretStart, scopes, expiresAt, revokedAt },
});

const created = (token: Shown) => ({ after: shownToOperators(token), secrets: ['secret'] });

const eventOf = (operation: AuditEvent['operation'], { tenantId, id }: Pick<TokenEntity, 'tenantId' | 'id'>) =>
  ({ operation, tenantId, resourceType: 'Token', resourceId: id }) as const;

async function insertNew(
  manager: EntityManager,
  tenant: Owner,
  request: TokenRequest,
  now: Date,
): Promise<IssuedToken> {
  const secret = newSecret();
  const row = tokenRow(tenant, request, secret, now);
  await manager.insert(TokenEntity, row);
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
