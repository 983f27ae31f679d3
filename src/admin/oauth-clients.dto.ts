import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { allScopes, type Scope } from '../http/scope.js';
import type { ClientRecord, ClientSecretRecord, IssuedClient } from '../oauth/oauth-clients.service.js';
import { secretPrefix } from '../tenants/secret.js';
import { CredentialName, ExpiresAt, OverlapSeconds, Scopes } from './tokens.dto.js';

/** A client to be. */
@ApiSchema({ name: 'NewClient' })
export class NewClientDto {
  @CredentialName()
  name!: string;

  @Scopes()
  scopes?: Scope[];

  @ExpiresAt()
  expiresAt?: string;
}

/** How a client's secret is replaced. */
@ApiSchema({ name: 'SecretRotation' })
export class SecretRotationDto {
  @OverlapSeconds()
  overlapSeconds?: number;

  @ExpiresAt()
  expiresAt?: string;
}

/** A secret, but for itself. */
@ApiSchema({ name: 'ClientSecret' })
export class ClientSecretDto {
  @ApiProperty({ description: 'How the secret starts.', example: `${secretPrefix}4kT9aZ` })
  prefix!: string;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time' })
  expiresAt!: string;
}

/** A client of the token endpoint. */
@ApiSchema({ name: 'Client' })
export class ClientDto {
  @ApiProperty({ format: 'uuid', description: 'The client_id.' })
  id!: string;

  @ApiProperty({ description: 'What it is.' })
  name!: string;

  @ApiProperty({ isArray: true, enum: allScopes, description: 'What its tokens may allow at most.' })
  scopes!: Scope[];

  @ApiProperty({ type: [ClientSecretDto], description: 'Those that have not expired, the oldest first.' })
  secrets!: ClientSecretDto[];

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'When it got its last token.' })
  lastUsedAt!: string | null;
}

/** A client with a secret that was just made. */
@ApiSchema({ name: 'IssuedClient' })
export class IssuedClientDto extends ClientDto {
  @ApiProperty({ description: 'The client_secret, shown this once.' })
  secret!: string;
}

/** A page of clients, from the oldest on. */
@ApiSchema({ name: 'ClientList' })
export class ClientListDto {
  @ApiProperty({ type: [ClientDto] })
  items!: ClientDto[];

  @ApiPropertyOptional({ description: 'The cursor of the next page, when there is one.' })
  nextCursor?: string;
}

const secretDto = ({ secretStart, createdAt, expiresAt }: ClientSecretRecord): ClientSecretDto => ({
  prefix: secretPrefix + secretStart,
  createdAt: createdAt.toISOString(),
  expiresAt: expiresAt.toISOString(),
});

/** Shows a client to operators. */
export const clientDto = ({ id, name, scopes, secrets, createdAt, lastUsedAt }: ClientRecord): ClientDto => ({
  id,
  name,
  scopes,
  secrets: secrets.map(secretDto),
  createdAt: createdAt.toISOString(),
  lastUsedAt: lastUsedAt?.toISOString() ?? null,
});

/** Shows a client with a secret that was just made. */
export const issuedClientDto = ({ client, secret }: IssuedClient): IssuedClientDto => ({
  ...clientDto(client),
  secret,
});
