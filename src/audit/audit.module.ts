import { Module } from '@nestjs/common';
import { AuditRetention } from './audit-retention.js';
import { AuditTrail } from './audit-trail.js';

/** Reading the audit trail, and how long it is kept. Events are written with the changes themselves. */
@Module({ providers: [AuditTrail, AuditRetention], exports: [AuditTrail] })
export class AuditModule {}
