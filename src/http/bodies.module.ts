import { Module } from '@nestjs/common';
import { LimitsModule } from '../limits/limits.module.js';
import { RequestBodies } from './request-bodies.js';

/** How bodies of requests are received and read. */
@Module({ imports: [LimitsModule], providers: [RequestBodies], exports: [RequestBodies] })
export class BodiesModule {}
