import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Public } from '../http/public.js';
import { ScimErrors } from '../http/scim-docs.js';
import { ReservedConnections } from '../persistence/reserved-connections.js';
import { ScimError } from '../scim/index.js';
import { Lifecycle } from './lifecycle.js';

const okResponse = ApiOkResponse({
  description: 'Yes.',
  content: { 'application/json': { schema: { type: 'object' }, example: { status: 'ok' } } },
});

/** Probes for whoever runs the process. */
@ApiTags('Operation')
@Public()
@Controller()
export class HealthController {
  constructor(
    private readonly connections: ReservedConnections,
    private readonly lifecycle: Lifecycle,
  ) {}

  @Get('livez')
  @ApiOperation({ summary: 'Whether the process runs' })
  @okResponse
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('readyz')
  @ApiOperation({ summary: 'Whether requests can be served: the database answers, and no shutdown has begun' })
  @okResponse
  @ScimErrors('unavailable')
  async ready(): Promise<{ status: 'ok' }> {
    if (this.lifecycle.isStopping)
      throw new ScimError('unavailable', 'The server is shutting down.', { 'Retry-After': '5' });
    await this.connections.query('SELECT 1');
    return { status: 'ok' };
  }
}
