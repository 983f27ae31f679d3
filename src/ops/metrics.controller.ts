import { Controller, Get, Header, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import ipaddr from 'ipaddr.js';
import { Registry } from 'prom-client';
import { Public } from '../http/public.js';
import { ScimErrors } from '../http/scim-docs.js';
import { ScimError } from '../scim/index.js';
import { Metrics } from './metrics.js';

/** Headers that say a request came through a proxy, behind which anybody may be. */
const forwarded = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const;

/**
 * The metrics beside everything else, where they have no port of their own: only for this machine, because they tell
 * the tenants' names and how busy each is.
 */
@ApiTags('Operation')
@Public()
@Controller()
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get('metrics')
  @Header('Content-Type', Registry.PROMETHEUS_CONTENT_TYPE)
  @ApiOperation({ summary: 'Metrics for Prometheus, to this machine only; METRICS_PORT serves them to others' })
  @ApiOkResponse({ description: 'The metrics.', content: { 'text/plain': { schema: { type: 'string' } } } })
  @ScimErrors('notFound')
  async read(@Req() request: Request): Promise<string> {
    if (!isLocal(request))
      throw new ScimError(
        'notFound',
        'The metrics are served to this machine only; METRICS_PORT serves them to others.',
      );
    return this.metrics.text();
  }
}

function isLocal({ socket, headers }: Request): boolean {
  if (forwarded.some((name) => headers[name] !== undefined)) return false;
  const address = socket.remoteAddress ?? '';
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}
