import type { INestApplication } from '@nestjs/common';
import { BearerStrategy } from './auth/bearer.strategy.js';
import { BytesInFlight } from './limits/bytes-in-flight.js';
import { TenantLimits } from './limits/tenant-limits.js';
import { Metrics } from './ops/metrics.js';
import { RequestRecorder } from './request-log/request-recorder.js';
import { Quotas } from './tenants/quotas.js';
import { StoredAmounts } from './tenants/stored-amounts.js';

/**
 * Shows in the metrics what the parts of the application say of themselves: caches, limits, gates. A part has plain
 * numbers, and a line here; it knows nothing of metrics.
 */
export function watchParts(app: INestApplication): void {
  const metrics = app.get(Metrics);
  const { lookups } = app.get(BearerStrategy, { strict: false });
  metrics.watchCache('credential', () => lookups);

  const bytes = app.get(BytesInFlight, { strict: false });
  metrics.watch({
    name: 'rollcall_bytes_in_flight',
    help: 'Bytes of bodies and answers that requests hold in this process.',
    read: () => [{ value: bytes.held }],
  });
  metrics.watch({
    name: 'rollcall_bytes_in_flight_max',
    help: 'The most bytes of bodies and answers that requests may hold in this process.',
    read: () => [{ value: bytes.limit }],
  });
  metrics.watchRefusals(() => ({
    bytes_in_flight_of_tenant: bytes.refused.tenant,
    bytes_in_flight_of_process: bytes.refused.process,
  }));

  const { refused: limited } = app.get(TenantLimits, { strict: false });
  metrics.watchRefusals(() => limited);
  const recorder = app.get(RequestRecorder, { strict: false });
  metrics.watchGate('request_log', () => ({ running: recorder.isWriting ? 1 : 0, waiting: recorder.queued }));
  watchTenants(app, metrics);
}

function watchTenants(app: INestApplication, metrics: Metrics): void {
  const { refused } = app.get(Quotas, { strict: false });
  metrics.watchRefusals(() => refused);
  const stored = app.get(StoredAmounts, { strict: false });
  metrics.watch({
    name: 'rollcall_tenant_stored',
    help: 'How many users, groups and bytes a tenant has; bytes about. The METRICS_TENANTS oldest tenants.',
    labels: ['tenant', 'kind'],
    read: () => stored.amounts.map(({ tenant, kind, value }) => ({ labels: { tenant, kind }, value })),
  });
  metrics.watch({
    name: 'rollcall_tenant_stored_max',
    help: 'How many users, groups and bytes a tenant may have, where there is a limit.',
    labels: ['tenant', 'kind'],
    read: () =>
      stored.amounts.flatMap(({ tenant, kind, most }) =>
        most === undefined ? [] : [{ labels: { tenant, kind }, value: most }],
      ),
  });
}
