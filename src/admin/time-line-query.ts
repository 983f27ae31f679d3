import { applyDecorators } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import { Matches, ValidateBy } from 'class-validator';
import type { Moment, TimeLineQuery } from '../persistence/time-line.js';
import { instant } from '../scim/index.js';
import { CountQuery, standardCount } from './admin-api.js';
import { instantOf } from './tokens.dto.js';
import { MayBeAbsent } from './validation.js';

const example = '2027-01-31T00:00:00Z';

/** An instant of a query (RFC 3339 section 5.6). */
const Instant = (name: string): PropertyDecorator =>
  applyDecorators(
    MayBeAbsent(),
    ValidateBy({
      name: 'isInstant',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && instant(value) !== undefined,
        defaultMessage: () => `${name} must be a date and time with its zone, such as ${example}`,
      },
    }),
  );

/** A text that something is compared to. */
export const ComparedText = (name: string): PropertyDecorator =>
  applyDecorators(
    MayBeAbsent(),
    Matches(/^[^\p{Cc}]{1,256}$/u, { message: `${name} must have 1 to 256 characters, and no control characters` }),
  );

/** Between which instants, both included. */
export class TimeQuery extends CountQuery {
  @Instant('from')
  from?: string;

  @Instant('to')
  to?: string;

  // Years to 5138, and what a bigint holds.
  @MayBeAbsent()
  @Matches(/^\d{1,14}-\d{1,18}$/, { message: 'cursor must be the nextCursor of the page before' })
  cursor?: string;
}

/** Documents what a time line is filtered by. @param filters the names of what is compared, with a description each */
export function TimeLineFilters(filters: Readonly<Record<string, string>>): MethodDecorator {
  const time = { required: false, schema: { type: 'string', format: 'date-time', example } } as const;
  return applyDecorators(
    ApiQuery({ name: 'from', ...time, description: 'The first instant.' }),
    ApiQuery({ name: 'to', ...time, description: 'The last instant.' }),
    ...Object.entries(filters).map(([name, description]) =>
      ApiQuery({ name, required: false, type: String, description }),
    ),
  );
}

/** The part of a time line that a query is for. */
export function timeLineQuery(
  tenantId: string,
  { count = standardCount, from, to, cursor }: Partial<TimeQuery>,
): Omit<TimeLineQuery, 'conditions'> {
  const [at, id] = cursor?.split('-') ?? [];
  const after = at !== undefined && id !== undefined ? { at: new Date(Number(at)), id } : undefined;
  return { tenantId, from: instantOf(from), to: instantOf(to), after, count };
}

/** A page of a time line as it is answered. */
export function momentPage<T>(items: T[], next: Moment | undefined): { items: T[]; nextCursor?: string } {
  return next ? { items, nextCursor: `${next.at.getTime()}-${next.id}` } : { items };
}
