import { applyDecorators, type Type } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiExtraModels,
  ApiHeader,
  ApiParam,
  ApiQuery,
  ApiResponse,
  getSchemaPath,
  type ApiResponseOptions,
} from '@nestjs/swagger';
import { errorMessage, limits, ScimError, type ScimErrorName } from '../scim/index.js';
import { scimMediaType } from './scim-media-type.js';
import { ErrorDto } from './scim-messages.dto.js';

/** Request bodies to try, by name. */
export type Examples = Readonly<Record<string, { readonly summary: string; readonly value: object }>>;

const statusText: Readonly<Record<number, string>> = {
  400: 'The request is not valid; scimType says in which way.',
  401: 'The bearer token is missing, unknown or expired.',
  403: 'The request is refused.',
  404: 'There is no such resource.',
  405: 'The method is not allowed here; Allow names those that are.',
  406: 'The Accept header allows neither SCIM nor JSON.',
  409: 'A unique value is taken.',
  412: 'The resource has changed since the version in If-Match.',
  413: 'The body is too large.',
  415: 'The body is not SCIM or JSON in UTF-8.',
  429: 'Too many requests; Retry-After says when to try again.',
  503: 'The directory cannot be reached now; Retry-After says when to try again.',
};

/** The errors of each status, in the order given. */
function groupByStatus<E extends { error: ScimError }>(errors: readonly E[]): Map<number, E[]> {
  const groups = new Map<number, E[]>();
  for (const each of errors) groups.set(each.error.status, [...(groups.get(each.error.status) ?? []), each]);
  return groups;
}

/** Documents the errors of an operation, with an example for each row of the error table. */
export function ScimErrors(...rows: ScimErrorName[]): MethodDecorator & ClassDecorator {
  // Whoever is known has limits.
  const shown: ScimErrorName[] = rows.includes('unauthorized') ? [...rows, 'tooManyRequests'] : rows;
  const errors = shown.map((row) => ({ row, error: new ScimError(row) }));
  const byStatus = groupByStatus(errors);
  return applyDecorators(
    ApiExtraModels(ErrorDto),
    ...[...byStatus].map(([status, group]) =>
      ApiResponse({
        status,
        description: statusText[status] ?? 'The request failed.',
        content: {
          [scimMediaType]: {
            schema: { $ref: getSchemaPath(ErrorDto) },
            examples: Object.fromEntries(
              group.map(({ row, error }) => [row, { summary: row, value: errorMessage(error) }]),
            ),
          },
        },
      } satisfies ApiResponseOptions),
    ),
  );
}

/** Documents a request body with examples to send. */
export function ScimRequest(dto: Type, examples: Examples): MethodDecorator {
  return applyDecorators(ApiConsumes(scimMediaType), ApiBody({ type: dto, examples: { ...examples } }));
}

type ResponseHeaders = NonNullable<ApiResponseOptions['headers']>;

/** The headers of an answer about one resource. */
export const resourceHeaders: ResponseHeaders = {
  ETag: { description: 'The version, equal to meta.version.', schema: { type: 'string' } },
  Location: { description: 'The permanent URL of the resource.', schema: { type: 'string' } },
};

/** Documents an answer that carries a message or a resource. */
export function ScimAnswer(
  status: number,
  description: string,
  dto: Type,
  example: object,
  headers: ResponseHeaders = {},
): MethodDecorator {
  const schema = { $ref: getSchemaPath(dto) };
  return applyDecorators(
    ApiExtraModels(dto),
    ApiResponse({ status, description, content: { [scimMediaType]: { schema, example } }, headers }),
  );
}

/** Documents an answer that carries a discovery resource or a list of them: their own schemas describe them. */
export function ScimDiscovery(description: string, example: object): MethodDecorator {
  const content = { [scimMediaType]: { schema: { type: 'object' }, example } };
  return ApiResponse({ status: 200, description, content });
}

/** Documents the parameters that choose attributes (RFC 7644 section 3.9). */
export function ProjectionParameters(): MethodDecorator {
  return applyDecorators(
    ApiQuery({
      name: 'attributes',
      required: false,
      type: String,
      description: 'The attributes to return, separated by commas.',
    }),
    ApiQuery({
      name: 'excludedAttributes',
      required: false,
      type: String,
      description: 'The attributes not to return, separated by commas. Not together with `attributes`.',
    }),
  );
}

/** Documents the parameters of a list (RFC 7644 section 3.4.2). */
export function ListParameters(filter: string): MethodDecorator {
  return applyDecorators(
    ApiQuery({
      name: 'filter',
      required: false,
      type: String,
      description: 'Which resources to return.',
      example: filter,
    }),
    ApiQuery({
      name: 'startIndex',
      required: false,
      type: 'integer',
      description: 'The 1-based index of the first resource.',
    }),
    ApiQuery({
      name: 'count',
      required: false,
      type: 'integer',
      description: `How many resources at most; ${limits.defaultCount} unless given, ${limits.maxResults} at most.`,
    }),
    ApiQuery({
      name: 'cursor',
      required: false,
      type: String,
      allowEmptyValue: true,
      description:
        'Asks for pages by cursor instead of startIndex: empty for the first page, then nextCursor of the page before.',
    }),
    ApiQuery({ name: 'sortBy', required: false, type: String, description: 'The attribute to sort by.' }),
    ApiQuery({ name: 'sortOrder', required: false, enum: ['ascending', 'descending'] }),
    ProjectionParameters(),
  );
}

/** Documents the id in the path. */
export const IdParameter = (): MethodDecorator =>
  ApiParam({ name: 'id', description: "The resource's id.", schema: { type: 'string' } });

/** Documents the If-Match header (RFC 7644 section 3.14). */
export const IfMatchHeader = (): MethodDecorator =>
  ApiHeader({ name: 'If-Match', required: false, description: 'Change the resource only if it is at this version.' });
