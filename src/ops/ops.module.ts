import { Module, type DynamicModule } from '@nestjs/common';
import { Registry } from 'prom-client';
import type { Config } from '../config.js';
import { HealthController } from './health.controller.js';
import { Lifecycle } from './lifecycle.js';
import { DatabaseMetrics } from './metrics-database.js';
import { RequestMetrics } from './metrics-requests.js';
import { MetricsController } from './metrics.controller.js';
import { Metrics } from './metrics.js';

/** What whoever runs the process looks at: probes and metrics. */
@Module({})
export class OpsModule {
  /** @param config with a port for the metrics, they are not served beside everything else */
  static on({ metricsPort }: Config): DynamicModule {
    return {
      module: OpsModule,
      controllers: [HealthController, ...(metricsPort === undefined ? [MetricsController] : [])],
      providers: [
        Lifecycle,
        { provide: Registry, useFactory: () => new Registry() },
        Metrics,
        RequestMetrics,
        DatabaseMetrics,
      ],
      exports: [Lifecycle, Metrics, RequestMetrics],
    };
  }
}
