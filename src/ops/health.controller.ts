import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { Public } from '../http/public.js';
import { ScimError } from '../scim/index.js';
import { Lifecycle } from './lifecycle.js';

/** Probes for whoever runs the process. */
@ApiTags('Operation')
@Public()
@Controller()
export class HealthController {
  constructor(
    private readonly dataSource: DataSource,
    private readonly lifecycle: Lifecycle,
  ) {}

  @Get('livez')
  @ApiOperation({ summary: 'Whether the process runs' })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('readyz')
  @ApiOperation({ summary: 'Whether requests can be served: the database answers, and no shutdown has begun' })
  async ready(): Promise<{ status: 'ok' }> {
    if (this.lifecycle.isStopping)
      throw new ScimError('unavailable', 'The server is shutting down.', { 'Retry-After': '5' });
    await this.dataSource.query('SELECT 1');
    return { status: 'ok' };
  }
}
