import { createParamDecorator, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request, Response } from 'express';
import { defaultSettings, profiles, type ErrorMessage, type JsonValue } from '../scim/index.js';
import { bodiesOf, defaultBodyLimits, type BodyLimits } from './request-bodies.js';
import { checkContentType, responseContentType } from './scim-media-type.js';
import { isScimPath } from './scim-path.js';

/**
 * Negotiates the media type of the protocol's answers (RFC 7644 section 3.8). A guard, because it comes behind the one that
 * authenticates and before anything is done.
 */
export class MediaTypeGuard implements CanActivate {
  /** @throws ScimError notAcceptable */
  canActivate(execution: ExecutionContext): true {
    const http = execution.switchToHttp();
    const request = http.getRequest<Request>();
    if (isScimPath(request.url)) {
      http.getResponse<Response>().setHeader('Content-Type', responseContentType(request.headers.accept));
    }
    return true;
  }
}

declare module 'http' {
  interface IncomingMessage {
    /** The body as it was read, as soon as it was. */
    message?: JsonValue;
    /** What became of a bulk request of which operations failed, although it went well as a whole. */
    partialFailure?: PartialFailure;
  }
}

/** The answer to an operation of a bulk request that failed (RFC 7644 section 3.7.3). */
export interface FailedOperation {
  readonly method: string;
  readonly bulkId?: string;
  readonly location?: string;
  readonly status: string;
  readonly response?: ErrorMessage;
}

/** The operations of a bulk request that failed. */
export interface PartialFailure {
  readonly failed: readonly FailedOperation[];
  /** How many operations were carried out. */
  readonly of: number;
}

/** How large a message may be. */
interface MessageLimits extends BodyLimits {
  /** The setting by which a tenant may have less. */
  readonly setting?: 'maxBulkPayloadBytes';
}

/**
 * The body of a request as a handler's argument. It is read here and not in a middleware so that the guard comes first:
 * nobody's body is read before they are known. It stays with the request, for whoever looks at it when it has failed.
 * @param limits how large it may be
 */
export const Message = (limits: MessageLimits = defaultBodyLimits): ParameterDecorator => readMessage(limits);

const readMessage = createParamDecorator(
  async (limits: MessageLimits, execution: ExecutionContext): Promise<JsonValue> => {
    const request = execution.switchToHttp().getRequest<Request>();
    const { profile = profiles.default, settings = defaultSettings } = request.context ?? {};
    const bytes = limits.setting === undefined ? null : settings[limits.setting];
    checkContentType(request, profile);
    const body = await bodiesOf(request).read(request, bytes === null ? limits : { ...limits, bytes });
    request.message = body;
    return body;
  },
);
