import { applyDecorators, type Type } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation } from '@nestjs/swagger';
import {
  IdParameter,
  IfMatchHeader,
  ListParameters,
  ProjectionParameters,
  resourceHeaders,
  ScimAnswer,
  ScimErrors,
  ScimRequest,
  type Examples,
} from '../http/scim-docs.js';
import { PatchRequestDto, SearchRequestDto } from '../http/scim-messages.dto.js';
import { messageUrn, type ResourceType } from '../scim/index.js';

/** The operations of a resource type's endpoint. */
export type Operation = 'create' | 'list' | 'search' | 'read' | 'replace' | 'patch' | 'delete';

/** What the documentation of an endpoint shows. */
export interface EndpointDocs {
  readonly type: ResourceType;
  readonly dto: Type;
  readonly listDto: Type;
  readonly filterExample: string;
  readonly resourceExample: object;
  readonly listExample: object;
  readonly createExamples: Examples;
  readonly replaceExamples: Examples;
  readonly patchExamples: Examples;
  /** What the operations' pages say beyond their summary. */
  readonly notes: Readonly<Partial<Record<Operation, string>>>;
}

const writeErrors = ['invalidSyntax', 'invalidValue', 'uniqueness', 'payloadTooLarge', 'unsupportedMediaType'] as const;
const changeErrors = [...writeErrors, 'mutability', 'notFound', 'preconditionFailed'] as const;

const cursorErrors = ['invalidCursor', 'expiredCursor', 'invalidCount'] as const;

/** What can be wrong with a search by GET and by POST. */
export const listErrors = ['invalidFilter', 'tooMany', 'invalidValue', ...cursorErrors] as const;
export const searchErrors = ['invalidSyntax', ...listErrors, 'payloadTooLarge', 'unsupportedMediaType'] as const;

/** Bodies of POST /.search: the query, kept out of the URL. */
export function searchExamples(filter: string): Examples {
  return {
    search: {
      summary: 'A query that stays out of logs and histories',
      value: { schemas: [messageUrn.searchRequest], filter, attributes: ['displayName'], startIndex: 1, count: 10 },
    },
  };
}

/** Documents the operations of an endpoint. */
export function operationDocs(docs: EndpointDocs): Readonly<Record<Operation, MethodDecorator>> {
  const { dto, listDto, notes } = docs;
  const name = docs.type.name.toLowerCase();
  const operation = (key: Operation, summary: string): MethodDecorator =>
    ApiOperation({ summary, ...(notes[key] === undefined ? {} : { description: notes[key] }) });
  const current = ScimAnswer(200, `The ${name} as it is now.`, dto, docs.resourceExample, resourceHeaders);
  const change = [IdParameter(), IfMatchHeader(), ProjectionParameters()];
  return {
    create: applyDecorators(
      operation('create', `Create a ${name}`),
      ProjectionParameters(),
      ScimRequest(dto, docs.createExamples),
      ScimAnswer(201, `The ${name} was created.`, dto, docs.resourceExample, resourceHeaders),
      ScimErrors(...writeErrors),
    ),
    list: applyDecorators(
      operation('list', `List or find ${name}s`),
      ListParameters(docs.filterExample),
      ScimAnswer(200, `One page of the ${name}s that match; none is an empty page.`, listDto, docs.listExample),
      ScimErrors(...listErrors),
    ),
    search: applyDecorators(
      operation('search', `Find ${name}s by a query in the body`),
      ScimRequest(SearchRequestDto, searchExamples(docs.filterExample)),
      ScimAnswer(200, `One page of the ${name}s that match.`, listDto, docs.listExample),
      ScimErrors(...searchErrors),
    ),
    read: applyDecorators(
      operation('read', `Read a ${name}`),
      IdParameter(),
      ProjectionParameters(),
      ScimAnswer(200, `The ${name}.`, dto, docs.resourceExample, resourceHeaders),
      ScimErrors('invalidValue', 'notFound'),
    ),
    replace: applyDecorators(
      operation('replace', `Replace a ${name}`),
      ...change,
      ScimRequest(dto, docs.replaceExamples),
      current,
      ScimErrors(...changeErrors),
    ),
    patch: applyDecorators(
      operation('patch', `Change a ${name}`),
      ...change,
      ScimRequest(PatchRequestDto, docs.patchExamples),
      current,
      ApiNoContentResponse({ description: `The ${name} is changed, and nobody asked to see it.` }),
      ScimErrors(...changeErrors, 'invalidPath', 'invalidFilter', 'noTarget'),
    ),
    delete: applyDecorators(
      operation('delete', `Delete a ${name}`),
      IdParameter(),
      IfMatchHeader(),
      ApiNoContentResponse({ description: `The ${name} is deleted.` }),
      ScimErrors('notFound', 'preconditionFailed'),
    ),
  };
}
