import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { ArrayNotEmpty, ArrayUnique, IsArray, IsIn, IsInt, Matches, Max, Min, ValidateBy } from 'class-validator';
import type { IssuedToken, TokenRecord } from '../auth/tokens.service.js';
import { allScopes, type Scope } from '../http/scope.js';
import { instant } from '../scim/index.js';
import { secretPrefix } from '../tenants/secret.js';
import { MayBeAbsent } from './validation.js';

/** Of the old credential's seconds beside the new one: a day unless somebody says otherwise, and a month at most. */
export const overlap = { standard: 86_400, most: 2_592_000 } as const;

const dateTimeExample = '2027-01-31T00:00:00Z';

/** What a credential is called: one line. */
export const CredentialName = (): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ description: 'What it is for.', maxLength: 200, example: 'Okta' }),
    Matches(/^[^\p{Cc}]{1,200}$/u, { message: 'name must have 1 to 200 characters, and no control characters' }),
  );

/** What a credential allows. */
export const Scopes = (): PropertyDecorator => {
  const message = `scopes must be one or more of ${allScopes.join(', ')}, each once`;
  return applyDecorators(
    ApiPropertyOptional({
      isArray: true,
      enum: allScopes,
      description: 'read: GET and searches. write: changes. bulk: bulk requests, beside write. All unless given.',
    }),
    MayBeAbsent(),
    IsArray({ message }),
    ArrayNotEmpty({ message }),
    ArrayUnique({ message }),
    IsIn(allScopes, { each: true, message }),
  );
};

/** When a credential ends. */
export const ExpiresAt = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ format: 'date-time', description: 'In a year unless given; in ten at most.' }),
    MayBeAbsent(),
    ValidateBy({
      name: 'isInstant',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && instant(value) !== undefined,
        defaultMessage: () => `expiresAt must be a date and time with its zone, such as ${dateTimeExample}`,
      },
    }),
  );

/** For how long a credential that is replaced stays good. */
export const OverlapSeconds = (): PropertyDecorator => {
  const message = `overlapSeconds must be a whole number from 0 to ${overlap.most}`;
  return applyDecorators(
    ApiPropertyOptional({ type: 'integer', minimum: 0, maximum: overlap.most, default: overlap.standard }),
    MayBeAbsent(),
    IsInt({ message }),
    Min(0, { message }),
    Max(overlap.most, { message }),
  );
};

/** A token to be. */
@ApiSchema({ name: 'NewToken' })
export class NewTokenDto {
  @CredentialName()
  name!: string;

  @Scopes()
  scopes?: Scope[];

  @ExpiresAt()
  expiresAt?: string;
}

/** How a token is replaced. */
@ApiSchema({ name: 'TokenRotation' })
export class TokenRotationDto {
  @OverlapSeconds()
  overlapSeconds?: number;

  @ExpiresAt()
  expiresAt?: string;
}

/** A token, without its secret. */
@ApiSchema({ name: 'Token' })
export class TokenDto {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ description: 'What it is for.' })
  name!: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'How the secret starts; null where that is not known.',
    example: `${secretPrefix}4kT9aZ`,
  })
  prefix!: string | null;

  @ApiProperty({ isArray: true, enum: allScopes })
  scopes!: Scope[];

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time' })
  expiresAt!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  revokedAt!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Written down once a minute.' })
  lastUsedAt!: string | null;
}

/** A token that was just made. */
@ApiSchema({ name: 'IssuedToken' })
export class IssuedTokenDto extends TokenDto {
  @ApiProperty({ description: 'Shown this once.' })
  secret!: string;
}

/** A page of tokens, from the oldest on. */
@ApiSchema({ name: 'TokenList' })
export class TokenListDto {
  @ApiProperty({ type: [TokenDto] })
  items!: TokenDto[];

  @ApiPropertyOptional({ description: 'The cursor of the next page, when there is one.' })
  nextCursor?: string;
}

/** Shows a token to operators. */
export function tokenDto(token: TokenRecord): TokenDto {
  const { id, name, secretStart, scopes, createdAt, expiresAt, revokedAt, lastUsedAt } = token;
  return {
    id,
    name,
    prefix: secretStart === null ? null : secretPrefix + secretStart,
    scopes,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    revokedAt: revokedAt?.toISOString() ?? null,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  };
}

/** Shows a token that was just made, with its secret. */
export const issuedTokenDto = ({ token, secret }: IssuedToken): IssuedTokenDto => ({ ...tokenDto(token), secret });

/** The instant that was given, if any. */
export const instantOf = (text: string | undefined): Date | undefined =>
  text === undefined ? undefined : new Date(instant(text) ?? text);
