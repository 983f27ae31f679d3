import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { ArrayNotEmpty, ArrayUnique, IsArray, IsIn, IsOptional, ValidateBy } from 'class-validator';
import { allScopes, type Scope } from '../http/scope.js';
import { signatureAlgorithms, type SignatureAlgorithm } from '../oauth/issuer.entity.js';
import type { IssuerRecord, IssuerRequest } from '../oauth/issuers.service.js';
import { isJsonObject } from '../scim/index.js';
import { MayBeAbsent } from './validation.js';

const mostEntries = 100;
// In UTF-8: an issuer and an audience together are an entry of an index.
const mostBytes = 1_024;
const standardAlgorithms: SignatureAlgorithm[] = ['RS256'];

const isText = (value: unknown): value is string =>
  typeof value === 'string' && /^\P{Cc}+$/u.test(value) && Buffer.byteLength(value) <= mostBytes;

/** An object whose members are lists of which each entry passes a check. */
function ListsByName(isEntry: (entry: unknown) => boolean, rule: string): PropertyDecorator {
  const isList = (list: unknown): boolean =>
    Array.isArray(list) && list.length > 0 && list.length <= mostEntries && list.every(isEntry);
  return ValidateBy({
    name: 'isListsByName',
    validator: {
      validate: (value: unknown) =>
        isJsonObject(value) &&
        Object.keys(value).length <= mostEntries &&
        Object.entries(value as object).every(([name, list]) => isText(name) && isList(list)),
      defaultMessage: (given) => `${given?.property} must have at most ${mostEntries} members, each ${rule}`,
    },
  });
}

/** What an issuer claims of itself, in a URL or an audience. */
const Text = (name: string): PropertyDecorator =>
  ValidateBy(
    { name: 'isText', validator: { validate: isText } },
    { message: `${name} must have 1 to ${mostBytes} bytes, and no control characters` },
  );

const scopesMessage = `scopes must be some of ${allScopes.join(', ')}, each once`;
const algorithmsMessage = `algorithms must be one or more of ${signatureAlgorithms.join(', ')}, each once`;

/** What is said of an issuer. */
@ApiSchema({ name: 'IssuerDefinition' })
export class IssuerDefinitionDto {
  @ApiProperty({ description: 'The `iss` of its tokens, exactly.', example: 'https://login.example.com/acme' })
  @Text('issuer')
  issuer!: string;

  @ApiProperty({ description: 'The `aud` that its tokens must have.', example: 'api://rollcall' })
  @Text('audience')
  audience!: string;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    default: null,
    description: "Where its keys are. Null: where the issuer's metadata says.",
  })
  @IsOptional()
  @Text('jwksUri')
  jwksUri?: string | null;

  @ApiPropertyOptional({ isArray: true, enum: signatureAlgorithms, default: standardAlgorithms })
  @MayBeAbsent()
  @IsArray({ message: algorithmsMessage })
  @ArrayNotEmpty({ message: algorithmsMessage })
  @ArrayUnique({ message: algorithmsMessage })
  @IsIn(signatureAlgorithms, { each: true, message: algorithmsMessage })
  algorithms?: SignatureAlgorithm[];

  @ApiPropertyOptional({ isArray: true, enum: allScopes, default: [], description: 'What every token of it allows.' })
  @MayBeAbsent()
  @IsArray({ message: scopesMessage })
  @ArrayUnique({ message: scopesMessage })
  @IsIn(allScopes, { each: true, message: scopesMessage })
  scopes?: Scope[];

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    default: null,
    description: 'The claim that says what a token allows: `roles` of Entra ID, `scp` of Okta.',
  })
  @IsOptional()
  @Text('scopeClaim')
  scopeClaim?: string | null;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string', enum: [...allScopes] } },
    default: {},
    description: 'What each value of the scope claim allows.',
    example: { 'Scim.ReadWrite': ['read', 'write', 'bulk'] },
  })
  @MayBeAbsent()
  @ListsByName((entry) => (allScopes as readonly unknown[]).includes(entry), `a list of ${allScopes.join(', ')}`)
  scopeValues?: Record<string, Scope[]>;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string' } },
    default: {},
    description: 'Claims that a token must have, each with the values of which it must have one.',
    example: { azp: ['00000003-0000-0000-c000-000000000000'] },
  })
  @MayBeAbsent()
  @ListsByName(isText, 'a list of texts')
  requiredClaims?: Record<string, string[]>;
}

/** An outside issuer. */
@ApiSchema({ name: 'Issuer' })
export class IssuerDto extends IssuerDefinitionDto {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
}

/** A page of issuers, from the oldest on. */
@ApiSchema({ name: 'IssuerList' })
export class IssuerListDto {
  @ApiProperty({ type: [IssuerDto] })
  items!: IssuerDto[];

  @ApiPropertyOptional({ description: 'The cursor of the next page, when there is one.' })
  nextCursor?: string;
}

/** Completes what was said of an issuer. */
export const issuerRequest = (given: IssuerDefinitionDto): IssuerRequest => ({
  issuer: given.issuer,
  audience: given.audience,
  jwksUri: given.jwksUri ?? null,
  algorithms: given.algorithms ?? standardAlgorithms,
  scopes: given.scopes ?? [],
  scopeClaim: given.scopeClaim ?? null,
  scopeValues: given.scopeValues ?? {},
  requiredClaims: given.requiredClaims ?? {},
});

/** Shows an issuer to operators. */
export function issuerDto(record: IssuerRecord): IssuerDto {
  const { tenantId: _tenant, createdAt, requiredClaims, scopeValues, ...shown } = record;
  return {
    ...shown,
    scopeValues: { ...scopeValues },
    requiredClaims: { ...requiredClaims },
    createdAt: createdAt.toISOString(),
  };
}
