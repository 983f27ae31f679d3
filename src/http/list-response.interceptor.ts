import {
  applyDecorators,
  HttpCode,
  Injectable,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { map, type Observable } from 'rxjs';
import { messageUrn } from '../scim/index.js';
import { ResourcePage } from './representation.js';

/** Shapes pages as ListResponse messages (RFC 7644 section 3.4.2). The resources' text is passed on as it is. */
@Injectable()
export class ListResponseInterceptor implements NestInterceptor {
  intercept(_execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((value: unknown) => (value instanceof ResourcePage ? listResponse(value) : value)));
  }
}

/** Marks a handler that answers with a page. */
export const AnswersList = applyDecorators(HttpCode(200), UseInterceptors(ListResponseInterceptor));

function listResponse({ json, size, totalResults, place }: ResourcePage): string {
  const head = { schemas: [messageUrn.listResponse], totalResults, ...place, itemsPerPage: size };
  return `${JSON.stringify(head).slice(0, -1)},"Resources":[${json}]}`;
}
