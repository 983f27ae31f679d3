import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { version } from './version.js';

/** What a cache has answered since the start. */
export interface CacheUse {
  readonly hits: number;
  readonly misses: number;
}

/** What is measured of the process itself, whichever applications run in it; made when first asked for. */
let ofProcess: Registry | undefined;

function processMetrics(): Registry {
  if (!ofProcess) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}

/** Everything that is measured, as Prometheus reads it. */
@Injectable()
export class Metrics {
  /** The media type of `text()`. */
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  private readonly caches = new Map<string, () => CacheUse>();

  constructor(private readonly registry: Registry) {
    new Gauge({
      name: 'rollcall_build_info',
      help: 'Always 1; the labels say what runs.',
      labelNames: ['version', 'node_version'] as const,
      registers: [registry],
    }).set({ version: version(), node_version: process.version }, 1);
    const { caches } = this;
    new Counter({
      name: 'rollcall_cache_requests_total',
      help: 'Look-ups in the caches of this process, by cache and result.',
      labelNames: ['cache', 'result'] as const,
      registers: [registry],
      collect() {
        this.reset();
        for (const [cache, use] of caches) {
          const { hits, misses } = use();
          this.inc({ cache, result: 'hit' }, hits);
          this.inc({ cache, result: 'miss' }, misses);
        }
      },
    });
  }

  /**
   * Shows how a cache is used.
   * @param use is asked at each scrape; its numbers only grow
   */
  watchCache(name: string, use: () => CacheUse): void {
    this.caches.set(name, use);
  }

  /** The exposition (text format 0.0.4). */
  async text(): Promise<string> {
    const [own, ofTheProcess] = await Promise.all([this.registry.metrics(), processMetrics().metrics()]);
    return `${own}\n${ofTheProcess}`;
  }
}
