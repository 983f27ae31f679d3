import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import passport from 'passport';
import { Config } from '../config.js';
import type { Scope } from '../http/scope.js';
import { scimBaseUrl } from '../http/scim-path.js';
import { FailedAuthentications } from '../limits/failed-authentications.js';
import type { TenantLimits } from '../limits/tenant-limits.js';
import { profiles, quote, registryFor, ScimError } from '../scim/index.js';
import type { Principal } from '../tenants/principal.js';
import { Quotas } from '../tenants/quotas.js';
import { suspensionRetrySeconds } from '../tenants/tenant.js';
import { BearerStrategy } from './bearer.strategy.js';
import { RouteAccessReader, type RouteAccess } from './route-access.js';

const realm = 'Bearer realm="rollcall"';
const bearer = /^Bearer ([^ ]+)$/i;
const readScopes: readonly Scope[] = ['read'];
const writeScopes: readonly Scope[] = ['write'];

/** Requires a bearer token, and makes the request's context from it (RFC 7644 section 2). */
@Injectable()
export class ScimAuthGuard implements CanActivate {
  private readonly authenticator = new passport.Authenticator();
  private readonly routes: RouteAccessReader;
  private readonly limits: TenantLimits;

  constructor(
    reflector: Reflector,
    private readonly strategy: BearerStrategy,
    private readonly failures: FailedAuthentications,
    private readonly quotas: Quotas,
    private readonly config: Config,
  ) {
    this.limits = quotas.limits;
    this.routes = new RouteAccessReader(reflector);
    this.authenticator.use(strategy);
  }

  /**
   * Lets a request pass whose credentials are good for its route. Those that were used a moment ago are recognised at once.
   * @throws ScimError unauthorized with the challenge of RFC 6750 section 3; notFound at another tenant's address;
   * unavailable for a suspended tenant; forbidden where a scope is missing; tooManyRequests beyond a limit
   */
  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const access = this.routes.read(execution);
    if (access.credentials === 'public') return true;
    const http = execution.switchToHttp();
    const request = http.getRequest<Request>();
    const { authorization } = request.headers;
    const credential = credentialIn(authorization);
    const known = credential === undefined ? undefined : this.strategy.recognise(credential);
    const response = http.getResponse<Response>();
    return known ? this.admit(known, request, response, access) : this.authenticate(request, response, access);
  }

  private async authenticate(request: Request, response: Response, access: RouteAccess): Promise<boolean> {
    const { authorization } = request.headers;
    const principal =
      authorization === undefined
        ? undefined
        : await this.failures.lookUp(request, authorization, () => this.askPassport(authorization));
    if (principal) return this.admit(principal, request, response, access);
    if (access.credentials === 'optional') return true;
    const credential = credentialIn(authorization);
    const former = credential === undefined ? undefined : this.strategy.former(credential);
    if (former) request.principal = former;
    throw unauthorized(authorization !== undefined);
  }

  /**
   * Shows passport the Authorization header only: a token in the query string or the body is not accepted, for it would
   * end up in logs (RFC 6750 section 5.3).
   */
  private askPassport(authorization: string): Promise<Principal | undefined> {
    const credentials = { headers: { authorization } };
    return new Promise((resolve, reject) => {
      const answer = (error: unknown, principal: Principal | false | null): void => {
        if (error) reject(error instanceof Error ? error : new Error('Authentication failed'));
        else resolve(principal || undefined);
      };
      // By name: passport makes a strategy for each request then. Given the object, it would answer through that one's
      // last request, whoever asked.
      const middleware = this.authenticator.authenticate('bearer', { session: false }, answer) as (
        request: object,
        response: object,
        next: (error?: unknown) => void,
      ) => void;
      middleware(credentials, {}, reject);
    });
  }

  /** Makes the context of a request whose credentials are good, if they are good for this request. */
  private admit(principal: Principal, request: Request, response: Response, access: RouteAccess): true {
    request.principal = principal;
    const { tenant, actor, scopes } = principal;
    this.limits.admit(tenant, response);
    const { addressedTenant } = request;
    // In the same words whether the tenant is another one or none: neither may be told from the other.
    if (addressedTenant !== undefined && addressedTenant !== tenant.name) {
      throw new ScimError('notFound', `There is no tenant ${quote(addressedTenant)} for these credentials.`);
    }
    if (tenant.state === 'suspended') throw suspended();
    for (const scope of access.scopes ?? scopesOf(request.method)) {
      if (!scopes.includes(scope)) throw insufficientScope(scope);
    }
    request.context = {
      tenant,
      settings: tenant.settings,
      registry: registryFor(tenant.settings),
      profile: profiles[tenant.settings.profile] ?? profiles.default,
      actor,
      scopes,
      baseUrl: scimBaseUrl(this.config.publicUrl, addressedTenant),
      requestId: String(request.id),
      isGone: () => response.destroyed,
      onGone: (listener) => {
        response.once('close', listener);
        return () => response.off('close', listener);
      },
      quota: this.quotas.of(tenant),
      hold: (bytes) => this.limits.bytes.hold(tenant.id, bytes),
    };
    return true;
  }
}

const credentialIn = (authorization = ''): string | undefined => bearer.exec(authorization)?.[1];

const scopesOf = (method: string): readonly Scope[] =>
  method === 'GET' || method === 'HEAD' ? readScopes : writeScopes;

function unauthorized(wasSent: boolean): ScimError {
  return new ScimError(
    'unauthorized',
    wasSent ? 'The bearer token is not valid: it is unknown, expired or malformed.' : undefined,
    { 'WWW-Authenticate': wasSent ? `${realm}, error="invalid_token"` : realm },
  );
}

/** A suspended tenant's clients are to try again and lose nothing, so it is no refusal. */
function suspended(): ScimError {
  return new ScimError('unavailable', 'The tenant is suspended; try again later.', {
    'Retry-After': String(suspensionRetrySeconds),
  });
}

function insufficientScope(scope: Scope): ScimError {
  return new ScimError('forbidden', `The credentials lack the scope "${scope}", which this request needs.`, {
    'WWW-Authenticate': `${realm}, error="insufficient_scope", scope="${scope}"`,
  });
}
