import { Controller, Get, Param, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { OptionalCredentials } from '../http/public.js';
import { Config } from '../config.js';
import { readQuery } from '../http/query-parameters.js';
import { Context, type RequestContext } from '../http/request-context.js';
import { ScimDiscovery, ScimErrors } from '../http/scim-docs.js';
import { basePath, scimBaseUrl } from '../http/scim-path.js';
import {
  coreRegistry,
  defaultSettings,
  groupUrn,
  listResponse,
  quote,
  resourceTypeResource,
  schemaResource,
  ScimError,
  userResourceType,
  type JsonObject,
  type ListResponse,
} from '../scim/index.js';
import { serviceProviderConfig } from './service-provider-config.js';

const all = (resources: JsonObject[]): ListResponse<JsonObject> => listResponse(resources, resources.length, 1);

const exampleBase = `http://localhost:3000${basePath}`;
const schemaExample = schemaResource(coreRegistry.resourceSchema('Group').base, exampleBase);

/** What the server supports, its resource types and its schemas (RFC 7644 section 4). */
@ApiTags('Discovery')
@Controller(basePath)
export class DiscoveryController {
  constructor(private readonly config: Config) {}

  // Open, so that a client can find out how to authenticate (RFC 7643 section 5). It holds nothing of any tenant but the
  // limits, and those only for a client of it.
  @OptionalCredentials()
  @Get('ServiceProviderConfig')
  @ApiOperation({ summary: 'What the server supports' })
  @ScimDiscovery(
    'The configuration.',
    serviceProviderConfig(exampleBase, 'http://localhost:3000/docs', defaultSettings),
  )
  @ScimErrors('forbidden')
  serviceProviderConfig(@Req() request: Request): JsonObject {
    refuseFilter(request);
    const { publicUrl } = this.config;
    const { settings, baseUrl } = request.context ?? {
      settings: defaultSettings,
      baseUrl: scimBaseUrl(publicUrl, request.addressedTenant),
    };
    return serviceProviderConfig(baseUrl, `${publicUrl}/docs`, settings);
  }

  @Get('ResourceTypes')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'The resource types' })
  @ScimDiscovery(
    'All resource types.',
    all(coreRegistry.resourceTypes.map((type) => resourceTypeResource(type, exampleBase))),
  )
  @ScimErrors('unauthorized', 'forbidden')
  resourceTypes(@Context() { registry, baseUrl }: RequestContext, @Req() request: Request): ListResponse<JsonObject> {
    refuseFilter(request);
    return all(registry.resourceTypes.map((type) => resourceTypeResource(type, baseUrl)));
  }

  @Get('ResourceTypes/:name')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'One resource type' })
  @ApiParam({ name: 'name', description: 'The name, in any case.', schema: { type: 'string', example: 'User' } })
  @ScimDiscovery('The resource type.', resourceTypeResource(userResourceType, exampleBase))
  @ScimErrors('unauthorized', 'forbidden', 'notFound')
  resourceType(
    @Context() { registry, baseUrl }: RequestContext,
    @Param('name') name: string,
    @Req() request: Request,
  ): JsonObject {
    refuseFilter(request);
    const type = registry.resourceTypes.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
    if (!type) throw new ScimError('notFound', `There is no resource type ${quote(name)}.`);
    return resourceTypeResource(type, baseUrl);
  }

  @Get('Schemas')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'The schemas' })
  @ScimDiscovery('All schemas; here one of them.', all([schemaExample]))
  @ScimErrors('unauthorized', 'forbidden')
  schemas(@Context() { registry, baseUrl }: RequestContext, @Req() request: Request): ListResponse<JsonObject> {
    refuseFilter(request);
    return all(registry.schemas.map((schema) => schemaResource(schema, baseUrl)));
  }

  @Get('Schemas/:urn')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'One schema' })
  @ApiParam({ name: 'urn', description: 'The URN, in any case.', schema: { type: 'string', example: groupUrn } })
  @ScimDiscovery('The schema.', schemaExample)
  @ScimErrors('unauthorized', 'forbidden', 'notFound')
  schema(
    @Context() { registry, baseUrl }: RequestContext,
    @Param('urn') urn: string,
    @Req() request: Request,
  ): JsonObject {
    refuseFilter(request);
    const schema = registry.schema(urn);
    if (!schema) throw new ScimError('notFound', `There is no schema ${quote(urn)}.`);
    return schemaResource(schema, baseUrl);
  }
}

/** Discovery resources cannot be filtered; other parameters are ignored (RFC 7644 section 4). */
function refuseFilter(request: Request): void {
  if (readQuery(request).filter !== undefined) {
    throw new ScimError('forbidden', 'filter cannot be used here: this endpoint always returns all there is.');
  }
}
