import { Get, Param } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { ScimErrors } from '../http/scim-docs.js';
import { RequestLog } from '../request-log/request-log.service.js';
import { TenantsService } from '../tenants/tenants.service.js';
import { AdminApi, JsonAnswer, ListQueryParameters, TenantParameter, type Listed } from './admin-api.js';
import {
  LoggedRequestDto,
  loggedRequestDto,
  LoggedRequestListDto,
  requestFilter,
  requestFilters,
  RequestListQuery,
} from './requests.dto.js';
import { momentPage, TimeLineFilters, timeLineQuery } from './time-line-query.js';
import { Parameters } from './validation.js';

/** A tenant's requests, and what became of them: to find out why an identity provider says "error". */
@TenantParameter()
@AdminApi('/tenants/:tenant/requests', 'Requests')
export class RequestsController {
  constructor(
    private readonly tenants: TenantsService,
    private readonly log: RequestLog,
  ) {}

  @Get()
  @ApiOperation({
    summary: "Read a tenant's requests",
    description:
      'All that failed and all changes of the last days; of the reads that went well some. Values are hidden.',
  })
  @ListQueryParameters()
  @TimeLineFilters(requestFilters)
  @JsonAnswer(200, 'One page of the requests, from the newest on.', LoggedRequestListDto)
  @ScimErrors('invalidSyntax', 'invalidValue', 'notFound')
  async list(
    @Param('tenant') tenant: string,
    @Parameters(RequestListQuery) query: RequestListQuery,
  ): Promise<Listed<LoggedRequestDto>> {
    const { id } = await this.tenants.get(tenant);
    const { rows, next } = await this.log.list(requestFilter(query), timeLineQuery(id, query));
    return momentPage(rows.map(loggedRequestDto), next);
  }
}
