import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { ErrorDto } from '../http/scim-messages.dto.js';
import { messageUrn } from '../scim/index.js';

/** One operation of a bulk request (RFC 7644 section 3.7). */
@ApiSchema({ name: 'BulkOperation' })
export class BulkOperationDto {
  @ApiProperty({ enum: ['POST', 'PUT', 'PATCH', 'DELETE'] }) method!: string;
  @ApiProperty({ description: 'Relative to the SCIM base URL.', example: '/Users' }) path!: string;
  @ApiPropertyOptional({ description: 'Required for POST; others refer to it as `bulkId:` and this.' }) bulkId?: string;
  @ApiPropertyOptional({ description: 'Acts as If-Match.' }) version?: string;
  @ApiPropertyOptional({ type: Object, description: 'The body that the same request would have on its own.' })
  data?: object;
}

/** The body of POST /Bulk (RFC 7644 section 3.7). */
@ApiSchema({ name: 'BulkRequest' })
export class BulkRequestDto {
  @ApiProperty({ type: [String], example: [messageUrn.bulkRequest] }) schemas!: string[];
  @ApiPropertyOptional({ type: 'integer', description: 'How many errors end the request.' }) failOnErrors?: number;
  @ApiProperty({ type: [BulkOperationDto] }) Operations!: BulkOperationDto[];
}

/** The answer to one operation. */
@ApiSchema({ name: 'BulkResult' })
export class BulkResultDto {
  @ApiProperty() method!: string;
  @ApiPropertyOptional() bulkId?: string;
  @ApiPropertyOptional() version?: string;
  @ApiPropertyOptional() location?: string;
  @ApiProperty({ description: 'The HTTP status, as a string.' }) status!: string;
  @ApiPropertyOptional({ type: ErrorDto }) response?: ErrorDto;
}

/** The answer to a bulk request. */
@ApiSchema({ name: 'BulkResponse' })
export class BulkResponseDto {
  @ApiProperty({ type: [String], example: [messageUrn.bulkResponse] }) schemas!: string[];
  @ApiProperty({ type: [BulkResultDto] }) Operations!: BulkResultDto[];
}
