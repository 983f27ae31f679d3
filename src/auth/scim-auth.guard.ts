import { Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { Request } from 'express';
import { Config } from '../config.js';
import { publicKey } from '../http/public.js';
import type { RequestContext } from '../http/request-context.js';
import { basePath } from '../http/scim-path.js';
import { coreRegistry, profiles, ScimError } from '../scim/index.js';
import type { Principal } from './tokens.service.js';

const realm = 'Bearer realm="rollcall"';

/** Requires a bearer token, and makes the request's context from it (RFC 7644 section 2). */
@Injectable()
export class ScimAuthGuard extends AuthGuard('bearer') {
  constructor(
    private readonly reflector: Reflector,
    private readonly config: Config,
  ) {
    super();
  }

  override async canActivate(execution: ExecutionContext): Promise<boolean> {
    if (this.reflector.getAllAndOverride<boolean>(publicKey, [execution.getHandler(), execution.getClass()]))
      return true;
    const credentials = this.getRequest(execution);
    await super.canActivate(execution);
    const request = execution.switchToHttp().getRequest<Request & { context?: RequestContext }>();
    request.context = this.contextOf(credentials.user as Principal, request);
    return true;
  }

  /**
   * Shows passport the Authorization header only: a token in the query string or the body is not accepted, for it would
   * end up in logs (RFC 6750 section 5.3). One view a request, because passport leaves the user on it.
   */
  override getRequest(execution: ExecutionContext): { headers: { authorization?: string }; user?: unknown } {
    const request = execution
      .switchToHttp()
      .getRequest<Request & { credentials?: { headers: { authorization?: string } } }>();
    const { authorization } = request.headers;
    request.credentials ??= { headers: authorization === undefined ? {} : { authorization } };
    return request.credentials;
  }

  /** @throws ScimError unauthorized, with the challenge of RFC 6750 section 3 */
  override handleRequest<P>(error: unknown, principal: P | false, _info: unknown, execution: ExecutionContext): P {
    if (error) throw error instanceof Error ? error : new Error('Authentication failed');
    if (principal) return principal;
    const wasSent = this.getRequest(execution).headers.authorization !== undefined;
    throw new ScimError(
      'unauthorized',
      wasSent ? 'The bearer token is not valid: it is unknown, expired or malformed.' : undefined,
      {
        'WWW-Authenticate': wasSent ? `${realm}, error="invalid_token"` : realm,
      },
    );
  }

  private contextOf({ tokenId, tenant }: Principal, request: Request): RequestContext {
    return {
      tenant: { id: tenant.id, name: tenant.name },
      registry: coreRegistry,
      profile: profiles[tenant.profile] ?? profiles.default,
      actor: tokenId,
      baseUrl: this.config.publicUrl + basePath,
      requestId: String(request.id),
    };
  }
}
