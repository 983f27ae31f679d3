import { diag, DiagLogLevel, type Span } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { Request } from 'express';
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { routeOf } from './metrics-requests.js';
import { exportingNoPersonalData } from './tracing-privacy.js';
import { version } from './version.js';

const untraced = new Set(['/livez', '/readyz', '/metrics']);
/** How many milliseconds a collector that does not answer may hold up the end of the process. */
const flushTime = 3_000;

/** Traces of requests and of their statements, sent over OTLP. */
export interface Tracing {
  /** Sends what is left, or gives it up after three seconds. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts tracing. The endpoint, headers, sampling and further attributes are those of OpenTelemetry's own environment
 * variables. To be called before the database is opened; this file and all it needs are loaded only then.
 */
export function startTracing(logger: Logger): Tracing {
  const warn = (message: string): void => logger.warn({ message }, 'tracing');
  const ignore = (): void => undefined;
  diag.setLogger({ error: warn, warn, info: ignore, debug: ignore, verbose: ignore }, DiagLogLevel.WARN);
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'rollcall', 'service.version': version() }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(exportingNoPersonalData(new OTLPTraceExporter()))],
  });
  provider.register();
  registerInstrumentations({
    tracerProvider: provider,
    instrumentations: [
      new HttpInstrumentation({
        disableOutgoingRequestInstrumentation: true,
        ignoreIncomingRequestHook: ({ url }) => untraced.has(url?.split('?', 1)[0] ?? ''),
        applyCustomAttributesOnSpan: (span, request) => describe(span, request as IncomingMessage as Request),
      }),
      new PgInstrumentation({ requireParentSpan: true }),
    ],
  });
  // The hooks see what is required, not what is imported; what they patch is the same.
  const require = createRequire(import.meta.url);
  for (const name of ['http', 'pg']) require(name);
  return {
    stop: () => Promise.race([provider.shutdown().catch(() => undefined), delay(flushTime, undefined, { ref: false })]),
  };
}

/** Names a request's span by its route, once that is known. */
function describe(span: Span, request: Request): void {
  const route = routeOf(request);
  span.updateName(`${request.method} ${route}`);
  span.setAttributes({ 'http.route': route, 'rollcall.request_id': request.id ?? '' });
  if (request.context) span.setAttribute('rollcall.tenant', request.context.tenant.name);
}
