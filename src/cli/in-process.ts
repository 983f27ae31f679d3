import { NestFactory } from '@nestjs/core';
import type { DynamicModule, INestApplicationContext } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { v7 as uuid } from 'uuid';
import { AuditController, TenantAuditController } from '../admin/audit.controller.js';
import { AuditListQuery } from '../admin/audit.dto.js';
import { ListQuery } from '../admin/admin-api.js';
import { IssuersController } from '../admin/issuers.controller.js';
import { IssuerDefinitionDto } from '../admin/issuers.dto.js';
import { OAuthClientsController } from '../admin/oauth-clients.controller.js';
import { NewClientDto, SecretRotationDto } from '../admin/oauth-clients.dto.js';
import { RequestsController } from '../admin/requests.controller.js';
import { RequestListQuery } from '../admin/requests.dto.js';
import { SettingsDto } from '../admin/settings.dto.js';
import { TenantsController } from '../admin/tenants.controller.js';
import { NewTenantDto, TenantChangesDto, tenantDto, TenantListQuery } from '../admin/tenants.dto.js';
import { TokensController } from '../admin/tokens.controller.js';
import { NewTokenDto, TokenRotationDto } from '../admin/tokens.dto.js';
import { checked } from '../admin/validation.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { TokenAuthentication } from '../auth/token-authentication.js';
import { TokenEntity } from '../auth/token.entity.js';
import { TokensService } from '../auth/tokens.service.js';
import type { Config } from '../config.js';
import { ConfigModule } from '../config.module.js';
import { AccessTokensService } from '../oauth/access-tokens.service.js';
import { IssuerEntity } from '../oauth/issuer.entity.js';
import { Issuers } from '../oauth/issuers.service.js';
import { OAuthClientSecretEntity } from '../oauth/oauth-client-secret.entity.js';
import { OAuthClientEntity } from '../oauth/oauth-client.entity.js';
import { OAuthClients } from '../oauth/oauth-clients.service.js';
import type { Author } from '../persistence/audit.js';
import type { EmbeddedDatabase } from '../persistence/embedded.js';
import { PersistenceModule } from '../persistence/persistence.module.js';
import { RequestLog } from '../request-log/request-log.service.js';
import { RequestRecorder } from '../request-log/request-recorder.js';
import { TenantsModule } from '../tenants/tenants.module.js';
import { TenantsService } from '../tenants/tenants.service.js';
import type { Administration } from './administration.js';

/** A command takes no access tokens, so it remembers none that it would have to forget. */
const noAccessTokens: Pick<AccessTokensService, 'forget'> = { forget: () => undefined };

/** The server's own services, and no more of it than the administration needs: a command is to start at once. */
class CliModule {
  static on(database: string | EmbeddedDatabase, config: Config): DynamicModule {
    return {
      module: CliModule,
      imports: [
        ConfigModule.with(config),
        PersistenceModule.on(database, config),
        TenantsModule,
        TypeOrmModule.forFeature([TokenEntity, OAuthClientEntity, OAuthClientSecretEntity, IssuerEntity]),
      ],
      providers: [
        ...[TokensService, TokenAuthentication, OAuthClients, Issuers, AuditTrail, RequestRecorder, RequestLog],
        { provide: AccessTokensService, useValue: noAccessTokens },
      ],
    };
  }
}

/** Does work with the administration on a database, in this process. The database is migrated first. */
export async function inProcess<T>(
  config: Config,
  database: string | EmbeddedDatabase,
  work: (administration: Administration) => Promise<T>,
): Promise<T> {
  const context = await NestFactory.createApplicationContext(CliModule.on(database, config), {
    logger: false,
    abortOnError: false,
  });
  try {
    return await work(administrationIn(context, config));
  } finally {
    await context.close();
  }
}

/** The admin API's controllers without HTTP: what they take is checked as a body or a query is. */
function administrationIn(context: INestApplicationContext, config: Config): Administration {
  // The audit trail names the command line, by an id that all changes of one command share.
  const author: Author = { actor: 'cli', requestId: uuid() };
  const tenants = context.get(TenantsService);
  const trail = context.get(AuditTrail);
  const [all, one] = [new AuditController(trail), new TenantAuditController(trail, tenants)];
  const requests = new RequestsController(tenants, context.get(RequestLog));
  return {
    tenants: tenantsIn(tenants, config, author),
    tokens: tokensIn(new TokensController(tenants, context.get(TokensService)), author),
    clients: clientsIn(new OAuthClientsController(tenants, context.get(OAuthClients)), author),
    issuers: issuersIn(new IssuersController(tenants, context.get(Issuers)), author),
    audit: (tenant, query) => {
      const wanted = checked(AuditListQuery, query);
      return tenant === undefined ? all.list(wanted) : one.list(tenant, wanted);
    },
    requests: (tenant, query) => requests.list(tenant, checked(RequestListQuery, query)),
  };
}

function tenantsIn(service: TenantsService, config: Config, author: Author): Administration['tenants'] {
  const tenants = new TenantsController(service, config);
  return {
    create: async (body) => {
      const { name, settings } = checked(NewTenantDto, body);
      return tenantDto(await service.create(author, name, settings), config.publicUrl);
    },
    list: (query) => tenants.list(checked(TenantListQuery, query)),
    read: (name) => tenants.read(name),
    change: (name, body) => tenants.change(name, checked(TenantChangesDto, body), author),
    suspend: (name) => tenants.suspend(name, author),
    resume: (name) => tenants.resume(name, author),
    erase: (name) => tenants.delete(name, { name }, author),
    readSettings: (name) => tenants.readSettings(name),
    changeSettings: (name, body) => tenants.changeSettings(name, checked(SettingsDto, body), author),
  };
}

const tokensIn = (tokens: TokensController, author: Author): Administration['tokens'] => ({
  create: (tenant, body) => tokens.create(tenant, checked(NewTokenDto, body), author),
  list: (tenant, query) => tokens.list(tenant, checked(ListQuery, query)),
  revoke: (tenant, id) => tokens.revoke(tenant, id, author),
  rotate: (tenant, id, body) => tokens.rotate(tenant, id, checked(TokenRotationDto, body), author),
});

const clientsIn = (clients: OAuthClientsController, author: Author): Administration['clients'] => ({
  create: (tenant, body) => clients.create(tenant, checked(NewClientDto, body), author),
  list: (tenant, query) => clients.list(tenant, checked(ListQuery, query)),
  read: (tenant, id) => clients.read(tenant, id),
  revoke: (tenant, id) => clients.revoke(tenant, id, author),
  rotate: (tenant, id, body) => clients.rotate(tenant, id, checked(SecretRotationDto, body), author),
});

const issuersIn = (issuers: IssuersController, author: Author): Administration['issuers'] => ({
  create: (tenant, body) => issuers.create(tenant, checked(IssuerDefinitionDto, body), author),
  list: (tenant, query) => issuers.list(tenant, checked(ListQuery, query)),
  read: (tenant, id) => issuers.read(tenant, id),
  replace: (tenant, id, body) => issuers.replace(tenant, id, checked(IssuerDefinitionDto, body), author),
  remove: (tenant, id) => issuers.remove(tenant, id, author),
});
