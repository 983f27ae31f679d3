import { Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import { ScimErrors } from '../http/scim-docs.js';
import { OAuthClients } from '../oauth/oauth-clients.service.js';
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
  ClientDto,
  clientDto,
  ClientListDto,
  IssuedClientDto,
  issuedClientDto,
  NewClientDto,
  SecretRotationDto,
} from './oauth-clients.dto.js';
import { instantOf, overlap } from './tokens.dto.js';
import { Json, Parameters } from './validation.js';

const IdParameter = (): MethodDecorator =>
  ApiParam({ name: 'id', description: 'The client_id.', schema: { type: 'string', format: 'uuid' } });

/** The clients of a tenant at the token endpoint (RFC 6749 section 4.4). */
@TenantParameter()
@AdminApi('/tenants/:tenant/clients', 'Clients')
export class OAuthClientsController {
  constructor(
    private readonly tenants: TenantsService,
    private readonly clients: OAuthClients,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Create a client' })
  @JsonRequest(NewClientDto, {
    plain: { summary: 'For everything, with a secret for a year', value: { name: 'Entra ID' } },
    reading: { summary: 'To read only', value: { name: 'Reports', scopes: ['read'] } },
  })
  @JsonAnswer(201, 'The client, with its secret, which is shown this once.', IssuedClientDto)
  @ScimErrors('invalidSyntax', 'invalidValue', 'notFound')
  async create(
    @Param('tenant') tenant: string,
    @Json(NewClientDto) { name, scopes, expiresAt }: NewClientDto,
    @Operator() author: Author,
  ): Promise<IssuedClientDto> {
    const request = { name, scopes, expiresAt: instantOf(expiresAt) };
    return issuedClientDto(await this.clients.create(author, await this.tenants.get(tenant), request));
  }

  @Get()
  @ApiOperation({ summary: 'List clients' })
  @ListQueryParameters()
  @JsonAnswer(200, 'One page of the clients, from the oldest on.', ClientListDto)
  @ScimErrors('invalidSyntax', 'invalidValue', 'notFound')
  async list(@Param('tenant') tenant: string, @Parameters(ListQuery) query: ListQuery): Promise<Listed<ClientDto>> {
    const owner = await this.tenants.get(tenant);
    const page = await listed(
      query,
      (wanted) => this.clients.list(owner, wanted),
      ({ id }) => id,
    );
    return { ...page, items: page.items.map(clientDto) };
  }

  @Get(':id')
  @IdParameter()
  @ApiOperation({ summary: 'Read a client' })
  @JsonAnswer(200, 'The client.', ClientDto)
  @ScimErrors('notFound')
  async read(@Param('tenant') tenant: string, @Param('id') id: string): Promise<ClientDto> {
    return clientDto(await this.clients.get(await this.tenants.get(tenant), id));
  }

  @Delete(':id')
  @HttpCode(204)
  @IdParameter()
  @ApiOperation({
    summary: 'Revoke a client',
    description: 'The process that is asked refuses its tokens at once, others within five seconds.',
  })
  @ApiNoContentResponse({ description: 'The client, its secrets and its tokens have ended.' })
  @ScimErrors('notFound')
  async revoke(@Param('tenant') tenant: string, @Param('id') id: string, @Operator() author: Author): Promise<void> {
    await this.clients.revoke(author, await this.tenants.get(tenant), id);
  }

  @Post(':id/rotate')
  @IdParameter()
  @ApiOperation({
    summary: "Replace a client's secret",
    description: 'The secret before ends after the overlap. Two live at once at most.',
  })
  @JsonRequest(SecretRotationDto, { hour: { summary: 'With an hour to change over', value: { overlapSeconds: 3600 } } })
  @JsonAnswer(201, 'The client, with its new secret, which is shown this once.', IssuedClientDto)
  @ScimErrors('invalidSyntax', 'invalidValue', 'notFound')
  async rotate(
    @Param('tenant') tenant: string,
    @Param('id') id: string,
    @Json(SecretRotationDto) { overlapSeconds = overlap.standard, expiresAt }: SecretRotationDto,
    @Operator() author: Author,
  ): Promise<IssuedClientDto> {
    const rotation = { overlapSeconds, expiresAt: instantOf(expiresAt) };
    return issuedClientDto(await this.clients.rotate(author, await this.tenants.get(tenant), id, rotation));
  }
}
