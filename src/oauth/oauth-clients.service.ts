import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { validate as isUuid, v7 as uuid } from 'uuid';
import { In, MoreThan, Repository, type EntityManager } from 'typeorm';
import { allScopes } from '../http/scope.js';
import { recordEvent, type AuditEvent } from '../persistence/audit-event.js';
import type { Author } from '../persistence/audit.js';
import { ReservedConnections } from '../persistence/reserved-connections.js';
import { quote, ScimError } from '../scim/index.js';
import { checkCredential, endOf, type CredentialRequest } from '../tenants/credential.js';
import type { Tenant } from '../tenants/principal.js';
import { hashOf, newSecret, secretPrefix, startOf } from '../tenants/secret.js';
import type { PageRequest } from '../tenants/tenants.service.js';
import { AccessTokensService } from './access-tokens.service.js';
import { OAuthClientSecretEntity } from './oauth-client-secret.entity.js';
import { OAuthClientEntity } from './oauth-client.entity.js';

/** The tenant that a client is of. */
type Owner = Pick<Tenant, 'id'>;

/** A secret as operators see it. */
export type ClientSecretRecord = Pick<OAuthClientSecretEntity, 'id' | 'secretStart' | 'createdAt' | 'expiresAt'>;

/** A client as operators see it, with the secrets that have not expired, the oldest first. */
export type ClientRecord = Omit<OAuthClientEntity, 'tenant'> & { readonly secrets: readonly ClientSecretRecord[] };

/** A client with a secret that was just made, which is not kept. */
export interface IssuedClient {
  readonly client: ClientRecord;
  readonly secret: string;
}

/** What a new client is to be; `expiresAt` is when its secret ends. */
export interface ClientRequest extends CredentialRequest {
  /** What it is. */
  readonly name: string;
}

/** How a secret is replaced. */
export interface SecretRotation {
  /** For how long the one before stays good: 0 or more, and never longer than it would have been. */
  readonly overlapSeconds: number;
  /** When the new one ends: in a year unless given. */
  readonly expiresAt?: Date | undefined;
}

/** A client that showed a good secret, and when that secret ends. */
export interface AuthenticatedClient {
  readonly client: OAuthClientEntity;
  readonly until: Date;
}

/**
 * Tenants' clients of the token endpoint (RFC 6749 section 2), and their secrets, of which two may live at once. Every change
 * is an event of the audit trail.
 */
@Injectable()
export class OAuthClients {
  constructor(
    @InjectRepository(OAuthClientEntity) private readonly clients: Repository<OAuthClientEntity>,
    @InjectRepository(OAuthClientSecretEntity) private readonly secrets: Repository<OAuthClientSecretEntity>,
    private readonly accessTokens: AccessTokensService,
    private readonly connections: ReservedConnections,
  ) {}

  /** Creates a client with its first secret. @throws ScimError invalidValue */
  async create(author: Author, tenant: Owner, request: ClientRequest, now = new Date()): Promise<IssuedClient> {
    checkCredential(request, now);
    const client = {
      tenantId: tenant.id,
      id: uuid(),
      name: request.name,
      scopes: [...(request.scopes ?? allScopes)],
      createdAt: now,
      lastUsedAt: null,
    };
    return this.clients.manager.transaction(async (manager) => {
      await manager.insert(OAuthClientEntity, client);
      const { secret, row } = await insertSecret(manager, client, now, endOf(request, now));
      const created = { ...client, secrets: [shown(row)] };
      await recordEvent(manager, author, { ...eventOf('create', client), after: told(created), secrets: ['secret'] });
      return { client: created, secret };
    });
  }

  /** A tenant's clients from the oldest on. */
  async list(tenant: Owner, { after, count }: PageRequest, now = new Date()): Promise<ClientRecord[]> {
    const where = { tenantId: tenant.id, ...(after === undefined ? {} : { id: MoreThan(after) }) };
    const clients = await this.clients.find({ where, order: { id: 'ASC' }, take: count });
    const secrets = await this.secrets.find({
      where: { tenantId: tenant.id, clientId: In(clients.map(({ id }) => id)), expiresAt: MoreThan(now) },
      order: { id: 'ASC' },
    });
    return clients.map((client) => ({
      ...client,
      secrets: secrets.filter(({ clientId }) => clientId === client.id).map(shown),
    }));
  }

  /** @throws ScimError notFound */
  async get(tenant: Owner, id: string, now = new Date()): Promise<ClientRecord> {
    const client = await find(this.clients, tenant, id);
    const where = { tenantId: tenant.id, clientId: client.id, expiresAt: MoreThan(now) };
    const secrets = await this.secrets.find({ where, order: { id: 'ASC' } });
    return { ...client, secrets: secrets.map(shown) };
  }

  /**
   * Ends a client, its secrets and its tokens: in this process at once, in others within five seconds.
   * @throws ScimError notFound
   */
  async revoke(author: Author, tenant: Owner, id: string, now = new Date()): Promise<void> {
    await this.clients.manager.transaction(async (manager) => {
      const client = await find(manager.getRepository(OAuthClientEntity), tenant, id, {
        lock: { mode: 'pessimistic_write' },
      });
      const where = { tenantId: tenant.id, clientId: client.id, expiresAt: MoreThan(now) };
      const secrets = await manager.find(OAuthClientSecretEntity, { where, order: { id: 'ASC' } });
      await manager.delete(OAuthClientEntity, { tenantId: tenant.id, id: client.id });
      const before = told({ ...client, secrets: secrets.map(shown) });
      await recordEvent(manager, author, { ...eventOf('revoke', client), before });
    });
    this.accessTokens.forget(tenant.id);
  }

  /**
   * Issues another secret. The last one ends after the overlap, so that the client can change over without a failed
   * request; those before it end now.
   * @throws ScimError notFound or invalidValue
   */
  async rotate(
    author: Author,
    tenant: Owner,
    id: string,
    rotation: SecretRotation,
    now = new Date(),
  ): Promise<IssuedClient> {
    checkCredential({ expiresAt: rotation.expiresAt }, now);
    const secret = await this.clients.manager.transaction(async (manager) => {
      const clients = manager.getRepository(OAuthClientEntity);
      const client = await find(clients, tenant, id, { lock: { mode: 'for_no_key_update' } as const });
      const where = { tenantId: tenant.id, clientId: client.id };
      const [last, ...older] = await manager.find(OAuthClientSecretEntity, { where, order: { id: 'DESC' } });
      await manager.delete(OAuthClientSecretEntity, { ...where, id: In(older.map((row) => row.id)) });
      if (last) {
        const end = endOfOverlap(last, rotation, now);
        await manager.update(OAuthClientSecretEntity, { ...where, id: last.id }, { expiresAt: end });
      }
      const { secret, row } = await insertSecret(manager, client, now, endOf(rotation, now));
      const left = last && last.expiresAt > now ? { ...last, expiresAt: endOfOverlap(last, rotation, now) } : undefined;
      const images = {
        before: told({ ...client, secrets: last ? [shown(last)] : [] }),
        after: told({ ...client, secrets: [...(left ? [shown(left)] : []), shown(row)] }),
      };
      await recordEvent(manager, author, { ...eventOf('rotate', client), ...images, secrets: ['secret'] });
      return secret;
    });
    return { client: await this.get(tenant, id, now), secret };
  }

  /**
   * Finds whose credentials these are, and notes that they were used. It is the secret's hash that is looked up, so timing
   * says nothing of how much of a guess is right.
   * @returns undefined for an unknown or expired secret, and for one of another client
   */
  async authenticate(id: string, secret: string, now = new Date()): Promise<AuthenticatedClient | undefined> {
    const secretHash = Buffer.from(hashOf(secret), 'base64');
    const secrets = this.connections.repository(OAuthClientSecretEntity);
    const found = await secrets.findOne({ where: { secretHash }, relations: { client: { tenant: true } } });
    if (!found?.client || found.clientId !== id.toLowerCase() || found.expiresAt <= now) return undefined;
    const clients = this.connections.repository(OAuthClientEntity);
    await clients.update({ tenantId: found.tenantId, id: found.clientId }, { lastUsedAt: now });
    return { client: found.client, until: found.expiresAt };
  }
}

async function find(
  clients: Repository<OAuthClientEntity>,
  tenant: Owner,
  id: string,
  options = {},
): Promise<OAuthClientEntity> {
  const client = isUuid(id) ? await clients.findOne({ where: { tenantId: tenant.id, id }, ...options }) : null;
  if (!client) throw new ScimError('notFound', `The tenant has no client with the id ${quote(id)}.`);
  return client;
}

const shown = ({ id, secretStart, createdAt, expiresAt }: OAuthClientSecretEntity): ClientSecretRecord => ({
  id,
  secretStart,
  createdAt,
  expiresAt,
});

const endOfOverlap = ({ expiresAt }: OAuthClientSecretEntity, { overlapSeconds }: SecretRotation, now: Date): Date =>
  new Date(Math.min(expiresAt.getTime(), now.getTime() + overlapSeconds * 1000));

/** What the audit trail says of a client. */
const told = ({ name, scopes, secrets }: Pick<ClientRecord, 'name' | 'scopes' | 'secrets'>): object => ({
  name,
  scopes,
  secrets: secrets.map(({ id, secretStart, expiresAt }) => ({ id, prefix: secretPrefix + secretStart, expiresAt })),
});

const eventOf = (operation: AuditEvent['operation'], { tenantId, id }: Pick<OAuthClientEntity, 'tenantId' | 'id'>) =>
  ({ operation, tenantId, resourceType: 'Client', resourceId: id }) as const;

async function insertSecret(
  manager: EntityManager,
  { tenantId, id: clientId }: Pick<OAuthClientEntity, 'tenantId' | 'id'>,
  now: Date,
  expiresAt: Date,
): Promise<{ secret: string; row: OAuthClientSecretEntity }> {
  const secret = newSecret();
  const row = {
    tenantId,
    clientId,
    id: uuid(),
    secretStart: startOf(secret),
    secretHash: Buffer.from(hashOf(secret), 'base64'),
    createdAt: now,
    expiresAt,
  };
  await manager.insert(OAuthClientSecretEntity, row);
  return { secret, row };
}
