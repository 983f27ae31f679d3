import { Module } from '@nestjs/common';
import { RequestLog } from './request-log.service.js';
import { RequestRecorder } from './request-recorder.js';
import { RequestRetention } from './request-retention.js';

/** What became of tenants' requests, for their administrators. */
@Module({ providers: [RequestRecorder, RequestLog, RequestRetention], exports: [RequestRecorder, RequestLog] })
export class RequestLogModule {}
