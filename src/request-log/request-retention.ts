import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Config } from '../config.js';
import { PeriodicRemoval } from '../persistence/periodic-removal.js';
import { removeSql } from './request-rows.js';

const minute = 60 * 1000;
const day = 24 * 60 * minute;
// Any constant: all processes on one database must agree on it.
const retentionLock = 7_264_320;

/** Removes requests that were kept for REQUEST_LOG_DAYS, every few minutes. */
@Injectable()
export class RequestRetention implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly removal: PeriodicRemoval;

  constructor(dataSource: DataSource, { requestLogDays }: Config) {
    this.removal = new PeriodicRemoval(dataSource, {
      name: 'old requests in the request log',
      lock: retentionLock,
      interval: 10 * minute,
      batch: (now, most) => ({ sql: removeSql, values: [new Date(now.getTime() - requestLogDays * day), most] }),
    });
  }

  onApplicationBootstrap(): void {
    this.removal.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.removal.stop();
  }

  /** Removes what is too old now. @returns how many requests went */
  remove(now = new Date()): Promise<number> {
    return this.removal.run(now);
  }
}
