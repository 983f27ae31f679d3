import { All, Controller, Req, Res, UseGuards } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { answerUnrouted } from '../http/fallback.controller.js';
import { Public } from '../http/public.js';
import { fallbackRoute } from '../http/unrouted.js';
import { AdminAuthGuard } from './admin-auth.guard.js';
import { adminPath } from './admin-api.js';

/** Answers what no other route of the administration takes: to operators only, not to clients of a tenant. */
@ApiExcludeController()
@Public()
@UseGuards(AdminAuthGuard)
@Controller(`${adminPath}{/${fallbackRoute}}`)
export class AdminFallbackController {
  constructor(private readonly host: HttpAdapterHost) {}

  @All()
  answer(@Req() request: Request, @Res() response: Response): void {
    answerUnrouted(this.host, request, response);
  }
}
