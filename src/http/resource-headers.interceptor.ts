import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { Request, Response } from 'express';
import { map, type Observable } from 'rxjs';
import { etag, matchesEtag } from '../scim/index.js';
import { ResourceRepresentation } from './representation.js';

/** Answers single resources with their ETag and Location, and with 304 when the client has them (RFC 7644 section 3.14). */
@Injectable()
export class ResourceHeadersInterceptor implements NestInterceptor {
  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = execution.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    return next
      .handle()
      .pipe(
        map((value: unknown) => (value instanceof ResourceRepresentation ? answer(value, request, response) : value)),
      );
  }
}

function answer(resource: ResourceRepresentation, request: Request, response: Response): string | undefined {
  response.setHeader('ETag', etag(resource.version));
  response.setHeader('Location', resource.location);
  const ifNoneMatch = request.headers['if-none-match'];
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (isRead && ifNoneMatch !== undefined && matchesEtag(ifNoneMatch, resource.version)) {
    response.status(304);
    return undefined;
  }
  if (resource.isReturned) return resource.json;
  response.status(204);
  return undefined;
}
