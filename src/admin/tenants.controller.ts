import { Delete, Get, HttpCode, Param, Patch, Post, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiQuery } from '@nestjs/swagger';
import type { Response } from 'express';
import { Config } from '../config.js';
import { ScimErrors } from '../http/scim-docs.js';
import type { Author } from '../persistence/audit.js';
import { quote, ScimError, type TenantSettings } from '../scim/index.js';
import type { TenantRecord } from '../tenants/tenant.js';
import { TenantsService } from '../tenants/tenants.service.js';
import {
  AdminApi,
  adminPath,
  JsonAnswer,
  JsonRequest,
  listed,
  ListQueryParameters,
  TenantParameter,
  type Listed,
} from './admin-api.js';
import { Operator } from './author.js';
import { SettingsDto } from './settings.dto.js';
import {
  NewTenantDto,
  TenantChangesDto,
  TenantDeletionQuery,
  tenantDto,
  TenantDto,
  TenantListDto,
  TenantListQuery,
} from './tenants.dto.js';
import { Json, Parameters } from './validation.js';

const settingsExample = { strict: { summary: 'By the letter of the RFC', value: { profile: 'strict' } } };

/** The tenants: each a customer with a directory, tokens and settings of its own. */
@AdminApi('/tenants', 'Tenants')
export class TenantsController {
  constructor(
    private readonly tenants: TenantsService,
    private readonly config: Config,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Create a tenant' })
  @JsonRequest(NewTenantDto, {
    plain: { summary: 'With the standard settings', value: { name: 'acme' } },
    chosen: { summary: 'With settings', value: { name: 'acme', settings: { profile: 'entra-legacy' } } },
  })
  @JsonAnswer(201, 'The tenant; it has no token yet.', TenantDto)
  @ScimErrors('invalidSyntax', 'invalidValue', 'uniqueness')
  async create(
    @Json(NewTenantDto) { name, settings }: NewTenantDto,
    @Operator() author: Author,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TenantDto> {
    const created = await this.tenants.create(author, name, settings);
    response.setHeader('Location', `${this.config.publicUrl}${adminPath}/tenants/${name}`);
    return this.show(created);
  }

  @Get()
  @ApiOperation({ summary: 'List tenants' })
  @ListQueryParameters()
  @ApiQuery({ name: 'prefix', required: false, type: String, description: 'What their names start with.' })
  @JsonAnswer(200, 'One page of the tenants, in the order of their names.', TenantListDto)
  @ScimErrors('invalidSyntax', 'invalidValue')
  async list(@Parameters(TenantListQuery) query: TenantListQuery): Promise<Listed<TenantDto>> {
    const page = await listed(
      query,
      (wanted) => this.tenants.list(wanted, query.prefix),
      ({ name }) => name,
    );
    return { ...page, items: page.items.map((tenant) => this.show(tenant)) };
  }

  @Get(':tenant')
  @TenantParameter()
  @ApiOperation({ summary: 'Read a tenant' })
  @JsonAnswer(200, 'The tenant.', TenantDto)
  @ScimErrors('notFound')
  async read(@Param('tenant') name: string): Promise<TenantDto> {
    return this.show(await this.tenants.get(name));
  }

  @Patch(':tenant')
  @TenantParameter()
  @ApiOperation({
    summary: 'Rename a tenant or change its settings',
    description: 'Settings that are not named stay. Under a new name the addresses with the old one are 404.',
  })
  @JsonRequest(TenantChangesDto, { rename: { summary: 'Rename it', value: { name: 'acme-inc' } } })
  @JsonAnswer(200, 'The tenant as it is now.', TenantDto)
  @ScimErrors('invalidSyntax', 'invalidValue', 'notFound', 'uniqueness', 'conflict')
  async change(
    @Param('tenant') name: string,
    @Json(TenantChangesDto) changes: TenantChangesDto,
    @Operator() author: Author,
  ): Promise<TenantDto> {
    return this.show(await this.tenants.change(author, name, changes));
  }

  @Post(':tenant/suspend')
  @HttpCode(200)
  @TenantParameter()
  @ApiOperation({
    summary: 'Suspend a tenant',
    description: 'SCIM answers 503 with Retry-After, so that identity providers try again and lose nothing.',
  })
  @JsonAnswer(200, 'The tenant as it is now.', TenantDto)
  @ScimErrors('notFound')
  async suspend(@Param('tenant') name: string, @Operator() author: Author): Promise<TenantDto> {
    return this.show(await this.tenants.suspend(author, name));
  }

  @Post(':tenant/resume')
  @HttpCode(200)
  @TenantParameter()
  @ApiOperation({ summary: 'End a suspension' })
  @JsonAnswer(200, 'The tenant as it is now.', TenantDto)
  @ScimErrors('notFound', 'conflict')
  async resume(@Param('tenant') name: string, @Operator() author: Author): Promise<TenantDto> {
    return this.show(await this.tenants.resume(author, name));
  }

  @Delete(':tenant')
  @HttpCode(204)
  @TenantParameter()
  @ApiOperation({
    summary: 'Delete a tenant and everything it has',
    description: 'It cannot be undone. When it is interrupted, the tenant is shown as erasing: delete it again.',
  })
  @ApiQuery({ name: 'name', required: true, type: String, description: 'The name again, to say that it is meant.' })
  @ApiNoContentResponse({ description: 'Everything is erased.' })
  @ScimErrors('invalidSyntax', 'invalidValue', 'notFound', 'conflict')
  async delete(
    @Param('tenant') name: string,
    @Parameters(TenantDeletionQuery) { name: confirmed }: TenantDeletionQuery,
    @Operator() author: Author,
  ): Promise<void> {
    if (confirmed !== name) {
      throw new ScimError('invalidValue', `name must be ${quote(name)}, to say that this tenant is to be erased.`);
    }
    await this.tenants.erase(author, name);
  }

  @Get(':tenant/settings')
  @TenantParameter()
  @ApiOperation({ summary: "Read a tenant's settings" })
  @JsonAnswer(200, 'All settings.', SettingsDto)
  @ScimErrors('notFound')
  async readSettings(@Param('tenant') name: string): Promise<TenantSettings> {
    return (await this.tenants.get(name)).settings;
  }

  @Patch(':tenant/settings')
  @TenantParameter()
  @ApiOperation({ summary: 'Change settings', description: 'Those that are not named stay.' })
  @JsonRequest(SettingsDto, settingsExample)
  @JsonAnswer(200, 'All settings as they are now.', SettingsDto)
  @ScimErrors('invalidSyntax', 'invalidValue', 'notFound')
  async changeSettings(
    @Param('tenant') name: string,
    @Json(SettingsDto) settings: SettingsDto,
    @Operator() author: Author,
  ): Promise<TenantSettings> {
    return (await this.tenants.change(author, name, { settings })).settings;
  }

  private show(record: TenantRecord): TenantDto {
    return tenantDto(record, this.config.publicUrl);
  }
}
