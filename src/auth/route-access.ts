import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { publicKey } from '../http/public.js';
import { scopesKey, type Scope } from '../http/scope.js';

/** What a route asks of credentials. */
export interface RouteAccess {
  readonly credentials: 'required' | 'optional' | 'public';
  /** The scopes it needs; absent where its method says so. */
  readonly scopes?: readonly Scope[] | undefined;
}

type Handler = ReturnType<ExecutionContext['getHandler']>;

/** Reads what routes ask of credentials, each once: it does not change, and every request needs it. */
export class RouteAccessReader {
  private readonly known = new WeakMap<object, WeakMap<Handler, RouteAccess>>();

  constructor(private readonly reflector: Reflector) {}

  /** What the route that an execution is about asks. */
  read(execution: ExecutionContext): RouteAccess {
    const controller = execution.getClass();
    const handler = execution.getHandler();
    const access = this.known.get(controller)?.get(handler);
    return access ?? this.readFirst(controller, handler);
  }

  // A handler can be inherited by several controllers.
  private readFirst(controller: ReturnType<ExecutionContext['getClass']>, handler: Handler): RouteAccess {
    const targets = [handler, controller];
    const access: RouteAccess = {
      credentials: this.reflector.getAllAndOverride<RouteAccess['credentials']>(publicKey, targets) ?? 'required',
      scopes: this.reflector.getAllAndOverride<Scope[] | undefined>(scopesKey, targets),
    };
    const handlers = this.known.get(controller) ?? new WeakMap<Handler, RouteAccess>();
    this.known.set(controller, handlers.set(handler, access));
    return access;
  }
}
