import { All, Controller, Req, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Needs } from './scope.js';
import { allowedMethods, fallbackRoute, unrouted, type RouterLayer } from './unrouted.js';

/** Answers what no other route takes. Registered last; the guard stands before it as before all others. */
@ApiExcludeController()
@Needs()
@Controller()
export class FallbackController {
  constructor(private readonly host: HttpAdapterHost) {}

  @All(fallbackRoute)
  answer(@Req() request: Request, @Res() response: Response): void {
    answerUnrouted(this.host, request, response);
  }
}

/** Answers OPTIONS with the methods that have a route at the path. @throws ScimError for all others, as `unrouted` */
export function answerUnrouted({ httpAdapter }: HttpAdapterHost, request: Request, response: Response): void {
  const { stack } = httpAdapter.getInstance<{ router: { stack: RouterLayer[] } }>().router;
  const methods = allowedMethods(stack, request.path);
  if (request.method !== 'OPTIONS' || methods.length === 0) throw unrouted(request, methods);
  response.setHeader('Allow', [...methods, 'OPTIONS'].join(', '));
  response.status(204).send();
}
