import { All, Controller, Get, HttpCode, Post, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiExcludeEndpoint, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { Query } from '../http/query-parameters.js';
import type { ResourcePage } from '../http/representation.js';
import { Context, type RequestContext } from '../http/request-context.js';
import { ListParameters, ScimAnswer, ScimErrors, ScimRequest } from '../http/scim-docs.js';
import { Message } from '../http/scim-message.js';
import { ListResponseDto, SearchRequestDto } from '../http/scim-messages.dto.js';
import { basePath } from '../http/scim-path.js';
import { Needs } from '../http/scope.js';
import { listErrors, searchErrors, searchExamples } from '../resources/resource.docs.js';
import {
  limits,
  listResponse,
  readSearchRequest,
  ScimError,
  type JsonValue,
  type SearchRequest,
} from '../scim/index.js';
import { BulkRequestDto, BulkResponseDto } from './bulk.dto.js';
import { bulkExamples, bulkResponseExample } from './bulk.examples.js';
import { BulkService } from './bulk.service.js';

const bulkBody = {
  bytes: limits.bulkBytes,
  keys: limits.bulkKeys,
  arrayElements: limits.resourceMembers,
  name: 'maxPayloadSize',
  anyText: true,
  setting: 'maxBulkPayloadBytes',
} as const;
const filterExample = 'meta.lastModified gt "2026-01-01T00:00:00Z"';

/** The endpoints at the root: bulk, and searches of all types (RFC 7644 sections 3.4.2.1, 3.4.3, 3.7 and 3.11). */
@ApiTags('All types')
@ApiBearerAuth()
@ScimErrors('unauthorized', 'notAcceptable', 'unavailable')
@Controller(basePath)
export class BulkController {
  constructor(private readonly bulk: BulkService) {}

  @Post('Bulk')
  @Needs('write', 'bulk')
  @HttpCode(200)
  @ApiOperation({ summary: 'Many operations in one request', description: 'Each operation has an answer of its own.' })
  @ScimRequest(BulkRequestDto, bulkExamples)
  @ScimAnswer(200, 'What became of the operations.', BulkResponseDto, bulkResponseExample)
  @ScimErrors('invalidSyntax', 'invalidValue', 'payloadTooLarge', 'unsupportedMediaType')
  async run(@Context() ctx: RequestContext, @Message(bulkBody) body: JsonValue, @Req() request: Request) {
    const answer = await this.bulk.run(ctx, body);
    const failed = answer.Operations.filter(({ response }) => response !== undefined);
    if (failed.length > 0) request.partialFailure = { failed, of: answer.Operations.length };
    return answer;
  }

  @Get()
  @ApiOperation({ summary: 'List or find users and groups' })
  @ListParameters(filterExample)
  @ScimAnswer(200, 'One page of the resources that match.', ListResponseDto, listResponse([], 0, 1))
  @ScimErrors(...listErrors)
  list(@Context() ctx: RequestContext, @Query() query: SearchRequest): Promise<ResourcePage> {
    return this.bulk.search(ctx, query, true);
  }

  @Post('.search')
  @Needs('read')
  @HttpCode(200)
  @ApiOperation({ summary: 'Find users and groups by a query in the body' })
  @ScimRequest(SearchRequestDto, searchExamples(filterExample))
  @ScimAnswer(200, 'One page of the resources that match.', ListResponseDto, listResponse([], 0, 1))
  @ScimErrors(...searchErrors)
  search(@Context() ctx: RequestContext, @Message() body: JsonValue): Promise<ResourcePage> {
    return this.bulk.search(ctx, readSearchRequest(body, ctx.profile));
  }

  // A token stands for a tenant and not for a user, so there is nobody that "me" could be.
  @All('Me')
  @ApiExcludeEndpoint()
  me(): never {
    throw new ScimError('notImplemented', '/Me is not supported: the token belongs to a client, not to a user.');
  }
}
