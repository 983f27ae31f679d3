import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsIn, Matches } from 'class-validator';
import type { LoggedRequest, RequestFilter } from '../request-log/request-log.service.js';
import type { JsonValue } from '../scim/index.js';
import { ComparedText, TimeQuery } from './time-line-query.js';
import { MayBeAbsent } from './validation.js';

/** Which requests are wanted. */
export class RequestListQuery extends TimeQuery {
  @MayBeAbsent()
  @IsIn(['true', 'false'], { message: 'failed must be true or false' })
  failed?: string;

  @MayBeAbsent()
  @Matches(/^[1-5](?:\d\d|xx)$/, { message: 'status must be a status such as 409, or a class of them such as 4xx' })
  status?: string;

  @MayBeAbsent()
  @Matches(/^[A-Z]{1,16}$/, { message: 'method must be an HTTP method, such as PATCH' })
  method?: string;

  @ComparedText('scimType')
  scimType?: string;

  @ComparedText('requestId')
  requestId?: string;
}

/** What the filters compare. */
export const requestFilters = {
  failed: 'Whether they failed: as a whole, or operations of a bulk request.',
  status: 'A status such as 409, or a class of them such as 4xx.',
  method: 'The HTTP method, such as PATCH.',
  scimType: 'The scimType of the error (RFC 7644 section 3.12), such as uniqueness.',
  requestId: 'X-Request-Id of the request.',
} as const satisfies Record<keyof RequestFilter, string>;

/** The filters of a query. */
export function requestFilter({ failed, status, method, scimType, requestId }: RequestListQuery): RequestFilter {
  return {
    ...{ method, scimType, requestId },
    failed: failed === undefined ? undefined : failed === 'true',
    status: status === undefined ? undefined : statuses(status),
  };
}

const statuses = (status: string): [first: number, last: number] => [
  Number(status.replace('xx', '00')),
  Number(status.replace('xx', '99')),
];

const body = { type: 'object', nullable: true, additionalProperties: true } as const;

/** A request, and what became of it. */
@ApiSchema({ name: 'LoggedRequest' })
export class LoggedRequestDto {
  @ApiProperty({ example: '4711' })
  id!: string;

  @ApiProperty({ format: 'date-time', description: 'When it came.' })
  at!: string;

  @ApiProperty({ description: 'X-Request-Id of the request.' })
  requestId!: string;

  @ApiProperty({ example: 'GET' })
  method!: string;

  @ApiProperty({
    description: 'The path, the names of parameters, and the filter without its values.',
    example: '/scim/v2/Users?filter=userName eq "***"&count',
  })
  path!: string;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Null when the client left before the answer.' })
  status!: number | null;

  @ApiProperty({ type: String, nullable: true, example: 'uniqueness' })
  scimType!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'What was wrong.' })
  detail!: string | null;

  @ApiProperty({ type: 'integer' })
  durationMs!: number;

  @ApiProperty({ description: 'token:, client: or issuer: and an id.' })
  actor!: string;

  @ApiProperty({ ...body, description: 'What was sent, of a request that failed, with *** for values.' })
  requestBody!: JsonValue;

  @ApiProperty({ ...body, description: 'What was answered to a request that failed, with *** for values.' })
  responseBody!: JsonValue;
}

/** A page of requests, from the newest on. */
@ApiSchema({ name: 'LoggedRequestList' })
export class LoggedRequestListDto {
  @ApiProperty({ type: [LoggedRequestDto] })
  items!: LoggedRequestDto[];

  @ApiPropertyOptional({ description: 'The cursor of the next page, when there is one.' })
  nextCursor?: string;
}

/** Shows a request to operators. */
export function loggedRequestDto(logged: LoggedRequest): LoggedRequestDto {
  const { id, at, requestId, method, path, status, scimType, detail, durationMs, actor } = logged;
  const { requestBody, responseBody } = logged;
  return {
    ...{ id, at: at.toISOString(), requestId, method, path, status, scimType, detail, durationMs, actor },
    ...{ requestBody, responseBody },
  };
}
