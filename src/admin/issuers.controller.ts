import { Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { ScimErrors, type Examples } from '../http/scim-docs.js';
import { Issuers } from '../oauth/issuers.service.js';
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
import { IssuerDefinitionDto, IssuerDto, issuerDto, IssuerListDto, issuerRequest } from './issuers.dto.js';
import { Json, Parameters } from './validation.js';

const IdParameter = (): MethodDecorator =>
  ApiParam({ name: 'id', description: "The issuer's id.", schema: { type: 'string', format: 'uuid' } });

const examples: Examples = {
  entra: {
    summary: 'Microsoft Entra ID',
    value: {
      issuer: 'https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0',
      audience: 'api://rollcall',
      scopeClaim: 'roles',
      scopeValues: { 'Scim.ReadWrite': ['read', 'write', 'bulk'] },
    },
  },
  okta: {
    summary: 'Okta',
    value: {
      issuer: 'https://acme.okta.com/oauth2/default',
      audience: 'api://rollcall',
      scopeClaim: 'scp',
      scopeValues: { 'scim.read': ['read'], 'scim.write': ['write', 'bulk'] },
    },
  },
};

/** The outside issuers whose access tokens a tenant accepts. */
@TenantParameter()
@AdminApi('/tenants/:tenant/issuers', 'Issuers')
export class IssuersController {
  constructor(
    private readonly tenants: TenantsService,
    private readonly issuers: Issuers,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Accept the tokens of an issuer',
    description: 'An issuer with an audience is one tenant’s.',
  })
  @JsonRequest(IssuerDefinitionDto, examples)
  @JsonAnswer(201, 'The issuer.', IssuerDto)
  @ScimErrors('invalidSyntax', 'invalidValue', 'notFound', 'uniqueness', 'conflict')
  async create(
    @Param('tenant') tenant: string,
    @Json(IssuerDefinitionDto) definition: IssuerDefinitionDto,
    @Operator() author: Author,
  ): Promise<IssuerDto> {
    return issuerDto(await this.issuers.create(author, await this.tenants.get(tenant), issuerRequest(definition)));
  }

  @Get()
  @ApiOperation({ summary: 'List issuers' })
  @ListQueryParameters()
  @JsonAnswer(200, 'One page of the issuers, from the oldest on.', IssuerListDto)
  @ScimErrors('invalidSyntax', 'invalidValue', 'notFound')
  async list(@Param('tenant') tenant: string, @Parameters(ListQuery) query: ListQuery): Promise<Listed<IssuerDto>> {
    const owner = await this.tenants.get(tenant);
    const page = await listed(
      query,
      (wanted) => this.issuers.list(owner, wanted),
      ({ id }) => id,
    );
    return { ...page, items: page.items.map(issuerDto) };
  }

  @Get(':id')
  @IdParameter()
  @ApiOperation({ summary: 'Read an issuer' })
  @JsonAnswer(200, 'The issuer.', IssuerDto)
  @ScimErrors('notFound')
  async read(@Param('tenant') tenant: string, @Param('id') id: string): Promise<IssuerDto> {
    return issuerDto(await this.issuers.get(await this.tenants.get(tenant), id));
  }

  @Put(':id')
  @IdParameter()
  @ApiOperation({ summary: 'Replace an issuer', description: 'Omitted fields get their defaults.' })
  @JsonRequest(IssuerDefinitionDto, examples)
  @JsonAnswer(200, 'The issuer as it is now.', IssuerDto)
  @ScimErrors('invalidSyntax', 'invalidValue', 'notFound', 'uniqueness')
  async replace(
    @Param('tenant') tenant: string,
    @Param('id') id: string,
    @Json(IssuerDefinitionDto) definition: IssuerDefinitionDto,
    @Operator() author: Author,
  ): Promise<IssuerDto> {
    return issuerDto(await this.issuers.replace(author, await this.tenants.get(tenant), id, issuerRequest(definition)));
  }

  @Delete(':id')
  @HttpCode(204)
  @IdParameter()
  @ApiOperation({
    summary: 'Stop accepting the tokens of an issuer',
    description: 'The process that is asked refuses them at once, others within five seconds.',
  })
  @ApiNoContentResponse({ description: 'Its tokens are no good any more.' })
  @ScimErrors('notFound')
  async remove(@Param('tenant') tenant: string, @Param('id') id: string, @Operator() author: Author): Promise<void> {
    await this.issuers.remove(author, await this.tenants.get(tenant), id);
  }
}
