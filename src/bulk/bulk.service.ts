import { Injectable, Logger } from '@nestjs/common';
import { GroupsService } from '../groups/groups.service.js';
import type { ResourcePage } from '../http/representation.js';
import type { RequestContext } from '../http/request-context.js';
import { TenantLimits } from '../limits/tenant-limits.js';
import type { ResourceEntity } from '../persistence/resource.entity.js';
import type { ResourceService } from '../resources/resource.service.js';
import { SearchService } from '../resources/search.service.js';
import { readBulkRequest, ScimError, type JsonValue, type SearchRequest } from '../scim/index.js';
import { UsersService } from '../users/users.service.js';
import { BulkRun, longestRun, type BulkResult, type Services } from './bulk-run.js';

/** What is about more than one resource type: bulk requests, and searches at the root. */
@Injectable()
export class BulkService {
  private readonly logger = new Logger(BulkService.name);
  private readonly services: Services;

  constructor(
    users: UsersService,
    groups: GroupsService,
    private readonly searches: SearchService,
    private readonly limits: TenantLimits,
  ) {
    this.services = new Map<string, ResourceService<ResourceEntity>>([
      [users.endpoint, users],
      [groups.endpoint, groups],
    ]);
  }

  /**
   * Carries out a bulk request (RFC 7644 section 3.7).
   * @throws ScimError when the request as a whole is not valid, or the tenant may not send so much now; the errors of
   *   operations are in the answer
   */
  async run(ctx: RequestContext, body: JsonValue): Promise<{ schemas: [string]; Operations: BulkResult[] }> {
    const request = readBulkRequest(body, ctx.profile, ctx.settings.maxBulkOperations ?? undefined);
    const { length } = request.operations;
    // The request itself was counted when it came.
    const charge = this.limits.reserve({ id: ctx.tenant.id, settings: ctx.settings }, length - 1);
    const until = performance.now() + longestRun;
    const bounds = { begin: () => charge.begin(), isLate: () => performance.now() > until };
    try {
      return await new BulkRun(ctx, request, this.services, (error) => this.known(error, ctx), bounds).run();
    } finally {
      charge.end();
    }
  }

  /**
   * Finds resources of all types (RFC 7644 section 3.4.2.1).
   * @param isInUrl whether the query is part of a URL
   * @throws ScimError as `SearchService.search`
   */
  search(ctx: RequestContext, search: SearchRequest, isInUrl = false): Promise<ResourcePage> {
    const searched = [...this.services.values()].map((service) => service.searched(ctx));
    return this.searches.search(ctx, searched, search, isInUrl);
  }

  private known(error: unknown, { requestId }: RequestContext): ScimError {
    const known = error instanceof ScimError ? error : undefined;
    const reason: unknown = known ? known.cause : error;
    // As of a request of its own: the log says why, the client learns only that it should come back.
    if ((known?.status ?? 500) >= 500 && reason !== undefined) {
      this.logger.error('operation of a bulk request failed', { err: reason, requestId });
    }
    if (known) return known;
    return new ScimError(
      'internal',
      `The server met an unexpected condition; its log has the details under ${requestId}.`,
    );
  }
}
