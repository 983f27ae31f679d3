import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { ListResponseDto, MetaDto } from '../http/scim-messages.dto.js';
import { enterpriseUserUrn, userUrn } from '../scim/index.js';

/** The components of a name (RFC 7643 section 4.1.1). */
@ApiSchema({ name: 'Name' })
export class NameDto {
  @ApiPropertyOptional() formatted?: string;
  @ApiPropertyOptional() familyName?: string;
  @ApiPropertyOptional() givenName?: string;
  @ApiPropertyOptional() middleName?: string;
  @ApiPropertyOptional() honorificPrefix?: string;
  @ApiPropertyOptional() honorificSuffix?: string;
}

/** One value of a multi-valued attribute (RFC 7643 section 2.4). */
@ApiSchema({ name: 'MultiValued' })
export class MultiValuedDto {
  @ApiPropertyOptional() value?: string;
  @ApiPropertyOptional() display?: string;
  @ApiPropertyOptional({ example: 'work' }) type?: string;
  @ApiPropertyOptional() primary?: boolean;
}

/** A mailing address (RFC 7643 section 4.1.2). */
@ApiSchema({ name: 'Address' })
export class AddressDto {
  @ApiPropertyOptional() formatted?: string;
  @ApiPropertyOptional() streetAddress?: string;
  @ApiPropertyOptional() locality?: string;
  @ApiPropertyOptional() region?: string;
  @ApiPropertyOptional() postalCode?: string;
  @ApiPropertyOptional({ description: 'ISO 3166-1 alpha-2' }) country?: string;
  @ApiPropertyOptional({ example: 'work' }) type?: string;
  @ApiPropertyOptional() primary?: boolean;
}

/** A group the user belongs to (RFC 7643 section 4.1.2). */
@ApiSchema({ name: 'UserGroup' })
export class UserGroupDto {
  @ApiPropertyOptional({ readOnly: true }) value?: string;
  @ApiPropertyOptional({ readOnly: true, format: 'uri' }) $ref?: string;
  @ApiPropertyOptional({ readOnly: true }) display?: string;
  @ApiPropertyOptional({ readOnly: true, enum: ['direct', 'indirect'] }) type?: string;
}

/** The user's manager (RFC 7643 section 4.3). */
@ApiSchema({ name: 'Manager' })
export class ManagerDto {
  @ApiPropertyOptional({ description: "The id of the manager's User resource." }) value?: string;
  @ApiPropertyOptional({ format: 'uri' }) $ref?: string;
  @ApiPropertyOptional({ readOnly: true }) displayName?: string;
}

/** The enterprise extension (RFC 7643 section 4.3). */
@ApiSchema({ name: 'EnterpriseUser' })
export class EnterpriseUserDto {
  @ApiPropertyOptional() employeeNumber?: string;
  @ApiPropertyOptional() costCenter?: string;
  @ApiPropertyOptional() organization?: string;
  @ApiPropertyOptional() division?: string;
  @ApiPropertyOptional() department?: string;
  @ApiPropertyOptional({ type: ManagerDto }) manager?: ManagerDto;
}

/** A User (RFC 7643 section 4.1). The schema, not this class, says what is valid. */
@ApiSchema({ name: 'User' })
export class UserDto {
  @ApiProperty({ type: [String], example: [userUrn] }) schemas!: string[];
  @ApiProperty({ readOnly: true }) id!: string;
  @ApiPropertyOptional({ description: "The identity provider's own id." }) externalId?: string;
  @ApiProperty({ readOnly: true, type: MetaDto }) meta!: MetaDto;
  @ApiProperty({ description: 'Unique in the tenant, whatever its case.' }) userName!: string;
  @ApiPropertyOptional({ type: NameDto }) name?: NameDto;
  @ApiPropertyOptional() displayName?: string;
  @ApiPropertyOptional() nickName?: string;
  @ApiPropertyOptional({ format: 'uri' }) profileUrl?: string;
  @ApiPropertyOptional() title?: string;
  @ApiPropertyOptional() userType?: string;
  @ApiPropertyOptional() preferredLanguage?: string;
  @ApiPropertyOptional() locale?: string;
  @ApiPropertyOptional() timezone?: string;
  @ApiPropertyOptional({ description: 'Whether the user may use the application.' }) active?: boolean;
  @ApiPropertyOptional({ writeOnly: true, description: 'Never returned.' }) password?: string;
  @ApiPropertyOptional({ type: [MultiValuedDto] }) emails?: MultiValuedDto[];
  @ApiPropertyOptional({ type: [MultiValuedDto] }) phoneNumbers?: MultiValuedDto[];
  @ApiPropertyOptional({ type: [MultiValuedDto] }) ims?: MultiValuedDto[];
  @ApiPropertyOptional({ type: [MultiValuedDto] }) photos?: MultiValuedDto[];
  @ApiPropertyOptional({ type: [AddressDto] }) addresses?: AddressDto[];
  @ApiPropertyOptional({ type: [UserGroupDto], readOnly: true }) groups?: UserGroupDto[];
  @ApiPropertyOptional({ type: [MultiValuedDto] }) entitlements?: MultiValuedDto[];
  @ApiPropertyOptional({ type: [MultiValuedDto] }) roles?: MultiValuedDto[];
  @ApiPropertyOptional({ type: [MultiValuedDto] }) x509Certificates?: MultiValuedDto[];
  @ApiPropertyOptional({ type: EnterpriseUserDto }) [enterpriseUserUrn]?: EnterpriseUserDto;
}

/** A page of users. */
@ApiSchema({ name: 'UserList' })
export class UserListDto extends ListResponseDto {
  @ApiProperty({ type: [UserDto] }) Resources!: UserDto[];
}
