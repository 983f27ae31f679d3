import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { LimitsModule } from '../limits/limits.module.js';
import { TenantsModule } from '../tenants/tenants.module.js';
import { AccessTokensService } from './access-tokens.service.js';
import { IssuerTokens } from './issuer-tokens.js';
import { IssuerEntity } from './issuer.entity.js';
import { Issuers } from './issuers.service.js';
import { OAuthClientSecretEntity } from './oauth-client-secret.entity.js';
import { OAuthClientEntity } from './oauth-client.entity.js';
import { OAuthClients } from './oauth-clients.service.js';
import { OAuthMetadataController } from './oauth-metadata.controller.js';
import { OwnTokens } from './own-tokens.js';
import { SigningKeyEntity } from './signing-key.entity.js';
import { SigningKeys } from './signing-keys.js';
import { TokenController } from './token.controller.js';

/** Access tokens: the token endpoint that issues ours, and the outside issuers whose tokens are accepted. */
@Module({
  imports: [
    TenantsModule,
    LimitsModule,
    TypeOrmModule.forFeature([OAuthClientEntity, OAuthClientSecretEntity, IssuerEntity, SigningKeyEntity]),
  ],
  controllers: [TokenController, OAuthMetadataController],
  providers: [AccessTokensService, OAuthClients, Issuers, OwnTokens, IssuerTokens, SigningKeys],
  exports: [AccessTokensService, OAuthClients, Issuers],
})
export class OAuthModule {}
