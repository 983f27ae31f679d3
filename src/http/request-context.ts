import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ScimError, type Profile, type SchemaRegistry, type TenantSettings } from '../scim/index.js';
import type { HeldBytes } from '../limits/bytes-in-flight.js';
import type { Quota } from '../limits/quota.js';
import type { Scope } from './scope.js';

/** What a request is made for and by. First argument of every service and repository method. */
export interface RequestContext {
  readonly tenant: { readonly id: string; readonly name: string };
  readonly settings: TenantSettings;
  readonly registry: SchemaRegistry;
  readonly profile: Profile;
  /** Who makes the request: `token:<id>`, `client:<id>` or `issuer:<sub>`. */
  readonly actor: string;
  /** What the request's credentials allow. */
  readonly scopes: readonly Scope[];
  /** The SCIM base URL in the form that the request used, without a trailing slash. */
  readonly baseUrl: string;
  readonly requestId: string;
  /** Whether the client has hung up: nobody reads an answer, so work that goes on step by step ends. */
  readonly isGone: () => boolean;
  /** Calls a listener when the client hangs up, once. @returns what takes the listener away, for when the work is done */
  readonly onGone: (listener: () => void) => () => void;
  /** What the tenant may keep. */
  readonly quota: Quota;
  /** Holds bytes in the tenant's name, as `BytesInFlight.hold`. */
  readonly hold: (bytes: number) => HeldBytes;
}

/** What ends work whose client has hung up. No client reads it. */
export const gone = (): ScimError =>
  new ScimError('requestTimeout', 'The client closed the connection before its answer.');

/** Ends work whose client has hung up. @throws ScimError as `gone` */
export function stopIfGone({ isGone }: Pick<RequestContext, 'isGone'>): void {
  if (isGone()) throw gone();
}

/** Whose credentials a request has. */
export interface RequestPrincipal {
  readonly tenant: { readonly id: string; readonly settings: TenantSettings };
  readonly actor: string;
}

declare module 'express' {
  interface Request {
    /**
     * Set by the guard as soon as it knows whose the credentials are, also where the request is refused then: for what it
     * asks, or because they have ended.
     */
    principal?: RequestPrincipal;
    /** Set by the guard; absent on public routes. */
    context?: RequestContext;
  }
}

declare module 'http' {
  interface IncomingMessage {
    /** Identifies the request in logs and in the X-Request-Id header. */
    id?: string;
  }
}

/** The request's context as a handler's argument. */
export const Context = createParamDecorator((_: unknown, execution: ExecutionContext): RequestContext => {
  const { context } = execution.switchToHttp().getRequest<{ context?: RequestContext }>();
  if (!context) throw new Error('This route has no context: it is public.');
  return context;
});
