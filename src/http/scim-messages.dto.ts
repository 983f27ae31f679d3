import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { messageUrn } from '../scim/index.js';

/** The Error message (RFC 7644 section 3.12). */
@ApiSchema({ name: 'Error' })
export class ErrorDto {
  @ApiProperty({ type: [String], example: [messageUrn.error] })
  schemas!: string[];

  @ApiProperty({ description: 'The HTTP status, as a string.', example: '404' })
  status!: string;

  @ApiPropertyOptional({ description: 'The kind of error, where RFC 7644 table 9 names one.', example: 'invalidValue' })
  scimType?: string;

  @ApiProperty({
    description: 'What was wrong, where, and what would be right.',
    example: 'There is no User with the id "00919288221112222".',
  })
  detail!: string;
}

/** One operation of a PATCH request (RFC 7644 section 3.5.2). */
@ApiSchema({ name: 'PatchOperation' })
export class PatchOperationDto {
  @ApiProperty({ enum: ['add', 'remove', 'replace'], description: 'In any case: Entra ID writes "Replace".' })
  op!: string;

  @ApiPropertyOptional({
    description: 'The attribute to change. Without it, `value` is an object of attributes.',
    example: 'emails[type eq "work"].value',
  })
  path?: string;

  @ApiPropertyOptional({ description: 'The new value; an array for multi-valued attributes.', example: false })
  value?: unknown;
}

/** The body of a PATCH request (RFC 7644 section 3.5.2). */
@ApiSchema({ name: 'PatchRequest' })
export class PatchRequestDto {
  @ApiProperty({ type: [String], example: [messageUrn.patchOp] })
  schemas!: string[];

  @ApiProperty({ type: [PatchOperationDto], minItems: 1 })
  Operations!: PatchOperationDto[];
}

/** The body of POST /.search (RFC 7644 section 3.4.3). */
@ApiSchema({ name: 'SearchRequest' })
export class SearchRequestDto {
  @ApiProperty({ type: [String], example: [messageUrn.searchRequest] })
  schemas!: string[];

  @ApiPropertyOptional({ type: [String], description: 'The attributes to return.' })
  attributes?: string[];

  @ApiPropertyOptional({ type: [String], description: 'The attributes not to return.' })
  excludedAttributes?: string[];

  @ApiPropertyOptional({ description: 'Which resources to return.' })
  filter?: string;

  @ApiPropertyOptional({ description: 'The attribute to sort by.' })
  sortBy?: string;

  @ApiPropertyOptional({ enum: ['ascending', 'descending'] })
  sortOrder?: string;

  @ApiPropertyOptional({ type: 'integer', description: 'The 1-based index of the first resource.' })
  startIndex?: number;

  @ApiPropertyOptional({ type: 'integer', description: 'How many resources at most.' })
  count?: number;

  @ApiPropertyOptional({ description: 'The cursor of a page before; "" for the first page (RFC 9865).' })
  cursor?: string;
}

/** The `meta` attribute (RFC 7643 section 3.1). */
@ApiSchema({ name: 'Meta' })
export class MetaDto {
  @ApiProperty({ readOnly: true, example: 'User' })
  resourceType!: string;

  @ApiProperty({ readOnly: true, format: 'date-time' })
  created!: string;

  @ApiProperty({ readOnly: true, format: 'date-time' })
  lastModified!: string;

  @ApiProperty({ readOnly: true, format: 'uri' })
  location!: string;

  @ApiProperty({ readOnly: true, description: 'Equal to the ETag header.', example: 'W/"1"' })
  version!: string;
}

/** A page of resources (RFC 7644 section 3.4.2). */
@ApiSchema({ name: 'ListResponse' })
export class ListResponseDto {
  @ApiProperty({ type: [String], example: [messageUrn.listResponse] })
  schemas!: string[];

  @ApiProperty({ type: 'integer', description: 'How many resources match in all.', example: 1 })
  totalResults!: number;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'The 1-based index of the first resource of this page. Not with cursor.',
    example: 1,
  })
  startIndex?: number;

  @ApiProperty({ type: 'integer', description: 'How many resources this page holds.', example: 1 })
  itemsPerPage!: number;

  @ApiPropertyOptional({ description: 'The cursor of the next page, when there is one (RFC 9865).' })
  nextCursor?: string;
}
