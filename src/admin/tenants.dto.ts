import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsObject, Matches, MaxLength, ValidateNested } from 'class-validator';
import { scimBaseUrl } from '../http/scim-path.js';
import type { TenantSettings } from '../scim/index.js';
import { tenantNamePattern, type TenantRecord } from '../tenants/tenant.js';
import { NameListQuery } from './admin-api.js';
import { SettingsDto } from './settings.dto.js';
import { MayBeAbsent } from './validation.js';

const nameRule = {
  message: 'name must be 1 to 63 lower-case letters, digits and hyphens, and not begin with a hyphen',
};
const nameDocs = { description: 'It stands in addresses.', pattern: tenantNamePattern.source, example: 'acme' };

/** A tenant to be. */
@ApiSchema({ name: 'NewTenant' })
export class NewTenantDto {
  @ApiProperty(nameDocs)
  @Matches(tenantNamePattern, nameRule)
  name!: string;

  @ApiPropertyOptional({ type: SettingsDto })
  @MayBeAbsent()
  @IsObject({ message: 'settings must be an object' })
  @ValidateNested()
  @Type(() => SettingsDto)
  settings?: SettingsDto;
}

/** Changes of a tenant. */
@ApiSchema({ name: 'TenantChanges' })
export class TenantChangesDto {
  @ApiPropertyOptional(nameDocs)
  @MayBeAbsent()
  @Matches(tenantNamePattern, nameRule)
  name?: string;

  @ApiPropertyOptional({ type: SettingsDto })
  @MayBeAbsent()
  @IsObject({ message: 'settings must be an object' })
  @ValidateNested()
  @Type(() => SettingsDto)
  settings?: SettingsDto;
}

/** Which tenants are wanted. */
export class TenantListQuery extends NameListQuery {
  @MayBeAbsent()
  @Matches(/^[^\p{Cc}]{0,63}$/u, { message: 'prefix must be at most 63 characters, none of them a control character' })
  prefix?: string;
}

/** What says that a tenant is meant to be deleted. */
export class TenantDeletionQuery {
  @MayBeAbsent()
  @MaxLength(63, { message: 'name must be the name of the tenant' })
  name?: string;
}

/** A tenant. */
@ApiSchema({ name: 'Tenant' })
export class TenantDto {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty(nameDocs)
  name!: string;

  @ApiProperty({ enum: ['active', 'suspended', 'erasing'] })
  state!: string;

  @ApiProperty({ format: 'uri', description: 'The SCIM base URL that names the tenant.' })
  scimUrl!: string;

  @ApiProperty({ type: SettingsDto, description: 'All of them.' })
  settings!: TenantSettings;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
}

/** A page of tenants, in the order of their names. */
@ApiSchema({ name: 'TenantList' })
export class TenantListDto {
  @ApiProperty({ type: [TenantDto] })
  items!: TenantDto[];

  @ApiPropertyOptional({ description: 'The cursor of the next page, when there is one.' })
  nextCursor?: string;
}

/** Shows a tenant to operators. */
export function tenantDto(record: TenantRecord, publicUrl: string): TenantDto {
  const { id, name, state, settings, createdAt, erasingSince } = record;
  return {
    id,
    name,
    state: erasingSince ? 'erasing' : state,
    scimUrl: scimBaseUrl(publicUrl, name),
    settings,
    createdAt: createdAt.toISOString(),
  };
}
