import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { Author } from '../persistence/audit.js';

/** Whoever has the operators' token, as a handler's argument: the author of what the request changes. */
export const Operator = createParamDecorator((_: unknown, execution: ExecutionContext): Author => {
  const { id } = execution.switchToHttp().getRequest<Request>();
  return { actor: 'admin', requestId: String(id) };
});
