import { applyDecorators, Controller, UseGuards, type Type } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiExtraModels,
  ApiParam,
  ApiQuery,
  ApiResponse,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, IsUUID, Matches, Max, Min } from 'class-validator';
import { Public } from '../http/public.js';
import { ScimErrors, type Examples } from '../http/scim-docs.js';
import { AdminAuthGuard } from './admin-auth.guard.js';
import { tenantNamePattern } from '../tenants/tenant.js';
import { MayBeAbsent } from './validation.js';

/** Where operators administer tenants. */
export const adminPath = '/admin/v1';

/** Serves a part of the administration: with the operators' token, and without any tenant's. */
export function AdminApi(path: string, tag: string): ClassDecorator {
  return applyDecorators(
    ApiTags(tag),
    ApiBearerAuth('admin'),
    ScimErrors('unauthorized', 'unavailable'),
    Public(),
    UseGuards(AdminAuthGuard),
    Controller(adminPath + path),
  );
}

/** Documents the tenant in the path. */
export const TenantParameter = (): MethodDecorator & ClassDecorator =>
  ApiParam({ name: 'tenant', description: "The tenant's name.", schema: { type: 'string', example: 'acme' } });

/** Documents a JSON body with examples to send. */
export function JsonRequest(dto: Type, examples: Examples): MethodDecorator {
  return ApiBody({ type: dto, examples: { ...examples } });
}

/** Documents a JSON answer. */
export function JsonAnswer(status: number, description: string, dto: Type): MethodDecorator {
  return applyDecorators(
    ApiExtraModels(dto),
    ApiResponse({ status, description, content: { 'application/json': { schema: { $ref: getSchemaPath(dto) } } } }),
  );
}

/** How much of a list is shown unless somebody says otherwise. */
export const standardCount = 100;
const mostCount = 200;

const cursorRule = { message: 'cursor must be the nextCursor of the page before' };

/** How much of a list is wanted. Where from is said by `cursor`, which differs by what the list is ordered by. */
export abstract class CountQuery {
  @MayBeAbsent()
  @Transform(({ value }: { value: unknown }) => (/^\d{1,9}$/.test(String(value)) ? Number(value) : value))
  @IsInt({ message: `count must be a whole number from 1 to ${mostCount}` })
  @Min(1, { message: `count must be a whole number from 1 to ${mostCount}` })
  @Max(mostCount, { message: `count must be a whole number from 1 to ${mostCount}` })
  count?: number;

  abstract cursor?: string;
}

/** Which part of a list in the order of ids is wanted. */
export class ListQuery extends CountQuery {
  @MayBeAbsent()
  @IsUUID(undefined, cursorRule)
  cursor?: string;
}

/** Which part of a list in the order of names is wanted. */
export class NameListQuery extends CountQuery {
  @MayBeAbsent()
  @Matches(tenantNamePattern, cursorRule)
  cursor?: string;
}

/** Documents the parameters that `ListQuery` reads. */
export const ListQueryParameters = (): MethodDecorator =>
  applyDecorators(
    ApiQuery({
      name: 'count',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: mostCount, default: standardCount },
      description: 'How many at most.',
    }),
    ApiQuery({ name: 'cursor', required: false, type: String, description: 'nextCursor of the page before.' }),
  );

/** One page of a list. */
export interface Listed<T> {
  readonly items: T[];
  /** Absent from the last page. */
  readonly nextCursor?: string;
}

/**
 * Reads a page of a list: one more than is wanted is asked for, to know whether there is another page.
 * @param read gives at most `count` items behind `after`
 * @param cursorOf what the next page is behind
 */
export async function listed<T>(
  { count = standardCount, cursor }: CountQuery,
  read: (page: { count: number; after?: string }) => Promise<T[]>,
  cursorOf: (item: T) => string,
): Promise<Listed<T>> {
  const found = await read({ count: count + 1, ...(cursor === undefined ? {} : { after: cursor }) });
  const items = found.slice(0, count);
  const last = items.at(-1);
  return found.length > count && last !== undefined ? { items, nextCursor: cursorOf(last) } : { items };
}
