import { ApiProperty, ApiPropertyOptional, ApiSchema, OmitType } from '@nestjs/swagger';
import { isDeepStrictEqual } from 'node:util';
import type { AuditFilter, AuditRecord } from '../audit/audit-trail.js';
import { ComparedText, TimeQuery } from './time-line-query.js';

/** Which events are wanted. */
export class AuditListQuery extends TimeQuery {
  @ComparedText('actor')
  actor?: string;

  @ComparedText('requestId')
  requestId?: string;

  @ComparedText('operation')
  operation?: string;

  @ComparedText('resourceType')
  resourceType?: string;

  @ComparedText('resourceId')
  resourceId?: string;
}

/** Which events are exported. */
export class AuditExportQuery extends OmitType(AuditListQuery, ['count', 'cursor']) {}

/** What the filters compare. */
export const auditFilters = {
  actor: 'Who did it, such as `admin`, or `token:` and its id.',
  requestId: 'In which request.',
  operation: 'Such as create, replace, patch, update, delete, suspend, revoke, rotate.',
  resourceType: 'User, Group, Tenant, Token, Client or Issuer.',
  resourceId: 'The id of what was changed.',
} as const satisfies Record<keyof AuditFilter, string>;

/** The filters of a query, and nothing else of it. */
export const auditFilter = ({ actor, requestId, operation, resourceType, resourceId }: AuditFilter): AuditFilter => ({
  ...{ actor, requestId, operation, resourceType, resourceId },
});

const image = { type: 'object', nullable: true, additionalProperties: true } as const;

/** A change, and who made it. */
@ApiSchema({ name: 'AuditEvent' })
export class AuditEventDto {
  @ApiProperty({ example: '4711' })
  id!: string;

  @ApiProperty({ format: 'date-time' })
  at!: string;

  @ApiProperty({
    description:
      'token:, client: or issuer: and an id, for who provisions; admin, cli or config for who administers: the admin ' +
      'API, the command line, the configuration.',
    example: 'admin',
  })
  actor!: string;

  @ApiProperty({ description: 'X-Request-Id of the request.' })
  requestId!: string;

  @ApiProperty({ example: 'update' })
  operation!: string;

  @ApiProperty({ example: 'Tenant' })
  resourceType!: string;

  @ApiProperty({ description: 'The id of what was changed.' })
  resourceId!: string;

  @ApiProperty({ ...image, description: 'Null for what was created.' })
  before!: object | null;

  @ApiProperty({ ...image, description: 'Null for what was deleted.' })
  after!: object | null;

  @ApiProperty({ type: [String], description: 'The attributes in which before and after differ.', example: ['name'] })
  changed!: string[];

  @ApiProperty({ type: [String], description: 'What was set and is secret: its name, never its value.' })
  secrets!: readonly string[];

  @ApiProperty({
    ...image,
    description: 'Ids of members that were added and removed, the first 1,000 of each, and how many there were.',
  })
  members!: object | null;
}

/** A page of events, from the newest on. */
@ApiSchema({ name: 'AuditEventList' })
export class AuditEventListDto {
  @ApiProperty({ type: [AuditEventDto] })
  items!: AuditEventDto[];

  @ApiPropertyOptional({ description: 'The cursor of the next page, when there is one.' })
  nextCursor?: string;
}

/** Shows an event to operators. */
export function auditEventDto(record: AuditRecord): AuditEventDto {
  const { id, at, actor, requestId, operation, resourceType, resourceId, before, after, secrets, members } = record;
  const names = before && after ? [...new Set([...Object.keys(before), ...Object.keys(after)])] : [];
  const changed = names.filter((name) => !isDeepStrictEqual(before?.[name], after?.[name]));
  return {
    ...{ id, at: at.toISOString(), actor, requestId, operation, resourceType, resourceId },
    ...{ before, after, changed, secrets, members },
  };
}
