import {
  Injectable,
  SetMetadata,
  type CallHandler,
  type CustomDecorator,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import type { Observable } from 'rxjs';
import { profiles } from '../scim/index.js';
import { defaultBodyLimits, readBody, responseMediaType, type BodyLimits } from './scim-media-type.js';

const scimKey = 'rollcall:scim';
const bodyKey = 'rollcall:body';

/** Marks a controller whose messages are SCIM: its answers are negotiated and labelled as such. */
export const ScimMessages = (): CustomDecorator => SetMetadata(scimKey, true);

/** Makes a handler read its request's body, within limits of its own where it needs them. */
export const ReadsBody = (bodyLimits: BodyLimits = defaultBodyLimits): CustomDecorator =>
  SetMetadata(bodyKey, bodyLimits);

/**
 * Negotiates the media type and reads the body (RFC 7644 section 3.8). It is an interceptor and not a middleware so that
 * the guard comes first: nobody's body is read before they are known.
 */
@Injectable()
export class ScimMessageInterceptor implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  async intercept(execution: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const targets = [execution.getHandler(), execution.getClass()];
    if (!this.reflector.getAllAndOverride<boolean>(scimKey, targets)) return next.handle();
    const http = execution.switchToHttp();
    const request = http.getRequest<Request>();
    const mediaType = responseMediaType(request.headers.accept);
    http.getResponse<Response>().setHeader('Content-Type', `${mediaType}; charset=utf-8`);
    const bodyLimits = this.reflector.getAllAndOverride<BodyLimits | undefined>(bodyKey, targets);
    if (bodyLimits) request.body = await readBody(request, request.context?.profile ?? profiles.default, bodyLimits);
    return next.handle();
  }
}
