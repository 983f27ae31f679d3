import { ApiProperty, ApiPropertyOptional, ApiSchema, OmitType } from '@nestjs/swagger';
import { isDeepStrictEqual } from 'node:util';
import type { AuditFilter, AuditRecord } from '../audit/audit-trail.js';
import type { DocumentChange } from '../persistence/document-changes.js';
import type { JsonValue } from '../scim/index.js';
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

const anyValue = {
  oneOf: [
    ...['string', 'number', 'boolean'].map((type) => ({ type })),
    { type: 'object', additionalProperties: true },
    { type: 'array', items: {} },
  ],
  nullable: true,
};
const image = { type: 'object', nullable: true, additionalProperties: true } as const;

/** What became of one place of a large resource. */
@ApiSchema({ name: 'AuditChange' })
export class AuditChangeDto implements DocumentChange {
  @ApiProperty({ description: 'A JSON Pointer (RFC 6901).', example: '/emails/0/value' })
  path!: string;

  @ApiPropertyOptional({ ...anyValue, description: 'Absent where the value was added.' })
  before?: JsonValue;

  @ApiPropertyOptional({ ...anyValue, description: 'Absent where the value was removed.' })
  after?: JsonValue;
}

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

  @ApiProperty({ ...image, description: 'Null for what was created, and beside `changes`.' })
  before!: object | null;

  @ApiProperty({ ...image, description: 'Null for what was deleted, and beside `changes`.' })
  after!: object | null;

  @ApiPropertyOptional({
    type: [AuditChangeDto],
    description:
      'An update of a large resource has this in place of before and after: what changed in it, in order. In an array, ' +
      'elements behind one that is added or removed move.',
  })
  changes?: readonly AuditChangeDto[];

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
  const { id, at, actor, requestId, operation, resourceType, resourceId, before, after, changes } = record;
  const { secrets, members } = record;
  return {
    ...{ id, at: at.toISOString(), actor, requestId, operation, resourceType, resourceId },
    ...{ before, after, ...(changes && { changes }), changed: changedNames(record), secrets, members },
  };
}

function changedNames({ before, after, changes }: AuditRecord): string[] {
  if (changes) return [...new Set(changes.map(({ path }) => firstName(path)))];
  const names = before && after ? [...new Set([...Object.keys(before), ...Object.keys(after)])] : [];
  return names.filter((name) => !isDeepStrictEqual(before?.[name], after?.[name]));
}

/** The first name of a JSON Pointer (RFC 6901 section 4). */
const firstName = (pointer: string): string =>
  (pointer.split('/', 2)[1] ?? '').replaceAll('~1', '/').replaceAll('~0', '~');
