import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { ListResponseDto, MetaDto } from '../http/scim-messages.dto.js';
import { groupUrn } from '../scim/index.js';

/** A member of a group (RFC 7643 section 4.2). */
@ApiSchema({ name: 'Member' })
export class MemberDto {
  @ApiPropertyOptional({ description: 'The id of a user or group.' }) value?: string;
  @ApiPropertyOptional({ format: 'uri' }) $ref?: string;
  @ApiPropertyOptional({ enum: ['User', 'Group'] }) type?: string;
  @ApiPropertyOptional({ readOnly: true }) display?: string;
}

/** A Group (RFC 7643 section 4.2). The schema, not this class, says what is valid. */
@ApiSchema({ name: 'Group' })
export class GroupDto {
  @ApiProperty({ type: [String], example: [groupUrn] }) schemas!: string[];
  @ApiProperty({ readOnly: true }) id!: string;
  @ApiPropertyOptional({ description: "The identity provider's own id." }) externalId?: string;
  @ApiProperty({ readOnly: true, type: MetaDto }) meta!: MetaDto;
  @ApiProperty() displayName!: string;
  @ApiPropertyOptional({ type: [MemberDto] }) members?: MemberDto[];
}

/** A page of groups. */
@ApiSchema({ name: 'GroupList' })
export class GroupListDto extends ListResponseDto {
  @ApiProperty({ type: [GroupDto] }) Resources!: GroupDto[];
}
