import {
  All,
  applyDecorators,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Put,
  Req,
  Res,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiBearerAuth, ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { answerUnrouted } from '../http/fallback.controller.js';
import { Options, Query, type WriteOptions } from '../http/query-parameters.js';
import type { ResourcePage, ResourceRepresentation } from '../http/representation.js';
import { Context, type RequestContext } from '../http/request-context.js';
import { ScimErrors } from '../http/scim-docs.js';
import type { BodyLimits } from '../http/request-bodies.js';
import { Message } from '../http/scim-message.js';
import { basePath } from '../http/scim-path.js';
import { Needs } from '../http/scope.js';
import { fallbackRoute } from '../http/unrouted.js';
import type { ResourceEntity } from '../persistence/resource.entity.js';
import { readSearchRequest, type JsonValue, type SearchRequest } from '../scim/index.js';
import { operationDocs, type EndpointDocs } from './resource.docs.js';
import type { ResourceService } from './resource.service.js';

/** What differs between the endpoints of two resource types: how large a body may be, and the documentation. */
export interface ResourceEndpoint extends EndpointDocs {
  readonly bodyLimits: BodyLimits;
}

/** Serves a resource type at its endpoint. */
export function ServesResource({ type }: ResourceEndpoint): ClassDecorator {
  return applyDecorators(
    ApiTags(`${type.name}s`),
    ApiBearerAuth(),
    ScimErrors('unauthorized', 'notAcceptable', 'unavailable'),
    Controller(basePath + type.endpoint),
  );
}

/** The operations of an endpoint (RFC 7644 section 3.2). */
export interface ResourceOperations {
  create(ctx: RequestContext, body: JsonValue, options: WriteOptions): Promise<ResourceRepresentation>;
  list(ctx: RequestContext, query: SearchRequest): Promise<ResourcePage>;
  search(ctx: RequestContext, body: JsonValue): Promise<ResourcePage>;
  read(ctx: RequestContext, id: string, query: SearchRequest): Promise<ResourceRepresentation>;
  replace(ctx: RequestContext, id: string, body: JsonValue, options: WriteOptions): Promise<ResourceRepresentation>;
  patch(ctx: RequestContext, id: string, body: JsonValue, options: WriteOptions): Promise<ResourceRepresentation>;
  delete(ctx: RequestContext, id: string, options: WriteOptions): Promise<void>;
}

/** What a controller is made with: the resource type's service. */
type MadeWithService<T> = abstract new (service: ResourceService<ResourceEntity>) => T;

/**
 * Makes the operations of an endpoint, documented, for a controller to extend.
 * @returns a class whose constructor takes the resource type's service
 */
export function resourceOperations(endpoint: ResourceEndpoint): MadeWithService<ResourceOperations> {
  const docs = operationDocs(endpoint);

  // The routes of a subclass stand before those of its superclass: `.search` is taken here, and no id.
  abstract class Operations extends itemOperations(endpoint) implements ResourceOperations {
    @Inject(HttpAdapterHost) private readonly host!: HttpAdapterHost;

    @Post()
    @docs.create
    create(
      @Context() ctx: RequestContext,
      @Message(endpoint.bodyLimits) body: JsonValue,
      @Options() options: WriteOptions,
    ) {
      return this.service.create(ctx, body, options);
    }

    @Get()
    @docs.list
    list(@Context() ctx: RequestContext, @Query() query: SearchRequest) {
      return this.service.search(ctx, query, true);
    }

    @Post('.search')
    @Needs('read')
    @HttpCode(200)
    @docs.search
    search(@Context() ctx: RequestContext, @Message() body: JsonValue) {
      return this.service.search(ctx, readSearchRequest(body, ctx.profile));
    }

    @All(`.search{/${fallbackRoute}}`)
    @Needs()
    @ApiExcludeEndpoint()
    otherThanSearch(@Req() request: Request, @Res() response: Response): void {
      answerUnrouted(this.host, request, response);
    }
  }
  return Operations;
}

type ItemOperations = Pick<ResourceOperations, 'read' | 'replace' | 'patch' | 'delete'> & {
  readonly service: ResourceService<ResourceEntity>;
};

/** The operations on one resource. */
function itemOperations(endpoint: ResourceEndpoint): MadeWithService<ItemOperations> {
  const docs = operationDocs(endpoint);

  abstract class Operations implements ItemOperations {
    constructor(readonly service: ResourceService<ResourceEntity>) {}

    @Get(':id')
    @docs.read
    read(@Context() ctx: RequestContext, @Param('id') id: string, @Query() query: SearchRequest) {
      return this.service.read(ctx, id, query);
    }

    @Put(':id')
    @docs.replace
    replace(
      @Context() ctx: RequestContext,
      @Param('id') id: string,
      @Message(endpoint.bodyLimits) body: JsonValue,
      @Options() options: WriteOptions,
    ) {
      return this.service.replace(ctx, id, body, options);
    }

    @Patch(':id')
    @docs.patch
    patch(
      @Context() ctx: RequestContext,
      @Param('id') id: string,
      @Message(endpoint.bodyLimits) body: JsonValue,
      @Options() options: WriteOptions,
    ) {
      return this.service.patch(ctx, id, body, options);
    }

    @Delete(':id')
    @HttpCode(204)
    @docs.delete
    delete(@Context() ctx: RequestContext, @Param('id') id: string, @Options() options: WriteOptions) {
      return this.service.delete(ctx, id, options);
    }
  }
  return Operations;
}
