import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { validate as isUuid, v7 as uuid } from 'uuid';
import { MoreThan, Repository, type EntityManager } from 'typeorm';
import { Config } from '../config.js';
import { recordEvent, type AuditEvent } from '../persistence/audit-event.js';
import type { Author } from '../persistence/audit.js';
import { toScimError } from '../persistence/database-error.js';
import { quote, ScimError } from '../scim/index.js';
import type { Tenant } from '../tenants/principal.js';
import type { PageRequest } from '../tenants/tenants.service.js';
import { AccessTokensService } from './access-tokens.service.js';
import { readIssuerUrl } from './issuer-url.js';
import { IssuerEntity } from './issuer.entity.js';

/** The tenant that an issuer is of. */
type Owner = Pick<Tenant, 'id'>;

/** An outside issuer as its operators see it. */
export type IssuerRecord = Omit<IssuerEntity, 'tenant'>;

/** What an issuer is to be. */
export type IssuerRequest = Omit<IssuerRecord, 'tenantId' | 'id' | 'createdAt'>;

// A tenant has one identity provider, or a few while it moves.
const mostIssuers = 20;

/**
 * Tenants' outside issuers. What comes is checked by type already; here it is checked by meaning. Every change is an event
 * of the audit trail.
 */
@Injectable()
export class Issuers {
  constructor(
    @InjectRepository(IssuerEntity) private readonly issuers: Repository<IssuerEntity>,
    private readonly accessTokens: AccessTokensService,
    private readonly config: Config,
  ) {}

  /**
   * Adds an issuer.
   * @throws ScimError invalidValue for addresses that are not allowed and for tokens that could do nothing; uniqueness when
   * a tenant has the issuer with this audience
   */
  async create(author: Author, tenant: Owner, request: IssuerRequest, now = new Date()): Promise<IssuerRecord> {
    this.check(request);
    if ((await this.issuers.countBy({ tenantId: tenant.id })) >= mostIssuers) {
      throw new ScimError('conflict', `The tenant has ${mostIssuers} issuers, which is the most; remove one first.`);
    }
    const row = { ...request, tenantId: tenant.id, id: uuid(), createdAt: now };
    await this.changed(async (manager) => {
      await manager.insert(IssuerEntity, row);
      await recordEvent(manager, author, { ...eventOf('create', row), after: told(row) });
    });
    return row;
  }

  /** A tenant's issuers from the oldest on. */
  list(tenant: Owner, { after, count }: PageRequest): Promise<IssuerRecord[]> {
    const where = { tenantId: tenant.id, ...(after === undefined ? {} : { id: MoreThan(after) }) };
    return this.issuers.find({ where, order: { id: 'ASC' }, take: count });
  }

  /** @throws ScimError notFound */
  async get(tenant: Owner, id: string): Promise<IssuerRecord> {
    const issuer = isUuid(id) ? await this.issuers.findOneBy({ tenantId: tenant.id, id }) : null;
    if (!issuer) throw noIssuer(id);
    return issuer;
  }

  /**
   * Changes an issuer: in this process at once, in others within five seconds.
   * @throws ScimError notFound, or what `create` throws
   */
  async replace(author: Author, tenant: Owner, id: string, request: IssuerRequest): Promise<IssuerRecord> {
    await this.get(tenant, id);
    this.check(request);
    await this.changed(async (manager) => {
      const known = await lock(manager, tenant, id);
      await manager.update(IssuerEntity, { tenantId: tenant.id, id }, request);
      const images = { before: told(known), after: told({ ...known, ...request }) };
      await recordEvent(manager, author, { ...eventOf('update', known), ...images });
    });
    this.accessTokens.forget(tenant.id);
    return this.get(tenant, id);
  }

  /** Removes an issuer and ends its tokens: in this process at once, in others within five seconds. @throws ScimError notFound */
  async remove(author: Author, tenant: Owner, id: string): Promise<void> {
    await this.get(tenant, id);
    await this.changed(async (manager) => {
      const known = await lock(manager, tenant, id);
      await manager.delete(IssuerEntity, { tenantId: tenant.id, id });
      await recordEvent(manager, author, { ...eventOf('delete', known), before: told(known) });
    });
    this.accessTokens.forget(tenant.id);
  }

  private changed(work: (manager: EntityManager) => Promise<void>): Promise<void> {
    return this.issuers.manager.transaction(work).catch(refuseTaken);
  }

  private check({ issuer, jwksUri, scopes, scopeClaim, scopeValues }: IssuerRequest): void {
    const { loopbackIssuers, publicUrl } = this.config;
    readIssuerUrl(issuer, 'issuer', loopbackIssuers);
    if (issuer.includes('?')) throw new ScimError('invalidValue', 'issuer must have no query.');
    if (issuer === publicUrl) {
      throw new ScimError(
        'invalidValue',
        "issuer is this server itself: its tokens are accepted for the clients' tenants.",
      );
    }
    if (jwksUri !== null) readIssuerUrl(jwksUri, 'jwksUri', loopbackIssuers);
    if ((scopeClaim === null) !== (Object.keys(scopeValues).length === 0)) {
      throw new ScimError('invalidValue', 'scopeClaim and scopeValues go together: give both or neither.');
    }
    if (scopes.length === 0 && Object.values(scopeValues).flat().length === 0) {
      throw new ScimError('invalidValue', 'The tokens could do nothing: give scopes, or scopeClaim and scopeValues.');
    }
  }
}

/** Reads an issuer that nobody else changes until the transaction ends. @throws ScimError notFound */
async function lock(manager: EntityManager, tenant: Owner, id: string): Promise<IssuerEntity> {
  const where = { tenantId: tenant.id, id };
  const issuer = await manager.findOne(IssuerEntity, { where, lock: { mode: 'pessimistic_write' } });
  if (!issuer) throw noIssuer(id);
  return issuer;
}

const noIssuer = (id: string): ScimError =>
  new ScimError('notFound', `The tenant has no issuer with the id ${quote(id)}.`);

/** What the audit trail says of an issuer. */
const told = ({ tenantId: _tenantId, id: _id, createdAt: _createdAt, ...definition }: IssuerRecord): object =>
  definition;

const eventOf = (operation: AuditEvent['operation'], { tenantId, id }: Pick<IssuerRecord, 'tenantId' | 'id'>) =>
  ({ operation, tenantId, resourceType: 'Issuer', resourceId: id }) as const;

function refuseTaken(error: unknown): never {
  throw toScimError(error) ?? error;
}
