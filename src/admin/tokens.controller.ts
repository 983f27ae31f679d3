import { Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { TokensService } from '../auth/tokens.service.js';
import { ScimErrors } from '../http/scim-docs.js';
import type { Author } from '../persistence/audit.js';
import { TenantsService } from '../tenants/tenants.service.js';
import {
  AdminApi,
  JsonAnswer,
  JsonRequest,
  listed,
  ListQuery,
  ListQueryParameters,
  TenantParameter,
  type Listed,
} from './admin-api.js';
import { Operator } from './author.js';
import {
  instantOf,
  IssuedTokenDto,
  issuedTokenDto,
  NewTokenDto,
  overlap,
  tokenDto,
  TokenDto,
  TokenListDto,
  TokenRotationDto,
} from './tokens.dto.js';
import { Json, Parameters } from './validation.js';

const IdParameter = (): MethodDecorator =>
  ApiParam({ name: 'id', description: "The token's id.", schema: { type: 'string', format: 'uuid' } });

/** The bearer tokens of a tenant. */
@TenantParameter()
@AdminApi('/tenants/:tenant/tokens', 'Tokens')
export class TokensController {
  constructor(
    private readonly tenants: TenantsService,
    private readonly tokens: TokensService,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Create a token' })
  @JsonRequest(NewTokenDto, {
    plain: { summary: 'For everything, for a year', value: { name: 'Okta' } },
    reading: { summary: 'To read only', value: { name: 'Reports', scopes: ['read'] } },
  })
  @JsonAnswer(201, 'The token, with its secret, which is shown this once.', IssuedTokenDto)
  @ScimErrors('invalidSyntax', 'invalidValue', 'notFound')
  async create(
    @Param('tenant') tenant: string,
    @Json(NewTokenDto) { name, scopes, expiresAt }: NewTokenDto,
    @Operator() author: Author,
  ): Promise<IssuedTokenDto> {
    const request = { name, scopes, expiresAt: instantOf(expiresAt) };
    return issuedTokenDto(await this.tokens.issue(author, await this.tenants.get(tenant), request));
  }

  @Get()
  @ApiOperation({ summary: 'List tokens', description: 'Those that have ended are among them.' })
  @ListQueryParameters()
  @JsonAnswer(200, 'One page of the tokens, from the oldest on.', TokenListDto)
  @ScimErrors('invalidSyntax', 'invalidValue', 'notFound')
  async list(@Param('tenant') tenant: string, @Parameters(ListQuery) query: ListQuery): Promise<Listed<TokenDto>> {
    const owner = await this.tenants.get(tenant);
    const page = await listed(
      query,
      (wanted) => this.tokens.list(owner, wanted),
      ({ id }) => id,
    );
    return { ...page, items: page.items.map(tokenDto) };
  }

  @Delete(':id')
  @HttpCode(204)
  @IdParameter()
  @ApiOperation({
    summary: 'Revoke a token',
    description: 'The process that is asked refuses it at once, others within five seconds.',
  })
  @ApiNoContentResponse({ description: 'It has ended.' })
  @ScimErrors('notFound', 'conflict')
  async revoke(@Param('tenant') tenant: string, @Param('id') id: string, @Operator() author: Author): Promise<void> {
    await this.tokens.revoke(author, await this.tenants.get(tenant), id);
  }

  @Post(':id/rotate')
  @IdParameter()
  @ApiOperation({
    summary: 'Replace a token',
    description: 'The new one has the same name and scopes. The old one ends after the overlap.',
  })
  @JsonRequest(TokenRotationDto, { hour: { summary: 'With an hour to change over', value: { overlapSeconds: 3600 } } })
  @JsonAnswer(201, 'The new token, with its secret, which is shown this once.', IssuedTokenDto)
  @ScimErrors('invalidSyntax', 'invalidValue', 'notFound', 'conflict')
  async rotate(
    @Param('tenant') tenant: string,
    @Param('id') id: string,
    @Json(TokenRotationDto) { overlapSeconds = overlap.standard, expiresAt }: TokenRotationDto,
    @Operator() author: Author,
  ): Promise<IssuedTokenDto> {
    const rotation = { overlapSeconds, expiresAt: instantOf(expiresAt) };
    return issuedTokenDto(await this.tokens.rotate(author, await this.tenants.get(tenant), id, rotation));
  }
}
