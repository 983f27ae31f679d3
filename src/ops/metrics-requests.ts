import { Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Counter, Gauge, Registry } from 'prom-client';
import { Config } from '../config.js';
import { fallbackRoute } from '../http/unrouted.js';
import { Durations, type DurationSeries } from './metrics-durations.js';

const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
// Fewer than above: there are as many of these as tenants.
const tenantBuckets = [0.005, 0.025, 0.1, 0.25, 1, 2.5, 10];

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Tenants that have no label of their own. A tenant's name has no underscore, so it cannot be one of these. */
const noTenant = '_none';
const otherTenants = '_other';

/** Finds what belongs to a key, or makes it. */
function at<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

/**
 * Counts and times the requests. Every label has a bound: routes are templates, methods those that SCIM uses, and the
 * first METRICS_TENANTS tenants to come have a label of their own.
 */
@Injectable()
export class RequestMetrics {
  private readonly duration: Durations;
  private readonly tenantDuration: Durations;
  private readonly errors: Counter<'error' | 'scim_type' | 'status'>;
  /** By route, method and status. */
  private readonly byRoute = new Map<string, Map<string, Map<string, DurationSeries>>>();
  /** By tenant and status. */
  private readonly byTenant = new Map<string, Map<string, DurationSeries>>();
  private readonly tenantLimit: number;
  private tenants = 0;
  private inFlight = 0;

  constructor(registry: Registry, config: Config) {
    this.tenantLimit = config.metricsTenants;
    this.duration = new Durations(
      registry,
      'rollcall_http_request_duration_seconds',
      'How long requests took, by route template, method and status; "aborted" is one whose client left before the answer.',
      requestBuckets,
    );
    this.tenantDuration = new Durations(
      registry,
      'rollcall_tenant_request_duration_seconds',
      'How long requests took, by tenant and status. The first tenants have a label of their own; the rest are "_other".',
      tenantBuckets,
    );
    this.errors = new Counter({
      name: 'rollcall_scim_errors_total',
      help: 'Requests answered with a SCIM error, by its name, scimType (RFC 7644 section 3.12) and status.',
      labelNames: ['error', 'scim_type', 'status'],
      registers: [registry],
    });
    const count = (): number => this.inFlight;
    new Gauge({
      name: 'rollcall_http_requests_in_flight',
      help: 'Requests that are being answered now.',
      registers: [registry],
      collect() {
        this.set(count());
      },
    });
  }

  started(): void {
    this.inFlight++;
  }

  /** @param seconds from the request's headers to its connection being done with it */
  finished(request: Request, response: Response, seconds: number): void {
    this.inFlight--;
    const status = response.headersSent ? String(response.statusCode) : 'aborted';
    this.ofRoute(request, status).observe(seconds);
    this.ofTenant(request.context?.tenant.name, status).observe(seconds);
    const { failure } = request;
    if (failure) this.errors.inc({ error: failure.row, scim_type: failure.scimType ?? '', status });
  }

  private ofRoute(request: Request, status: string): DurationSeries {
    const route = routeOf(request);
    const method = methods.has(request.method) ? request.method : 'other';
    const byMethod = at(this.byRoute, route, () => new Map<string, Map<string, DurationSeries>>());
    const byStatus = at(byMethod, method, () => new Map<string, DurationSeries>());
    return at(byStatus, status, () => this.duration.series({ method, route, status }));
  }

  private ofTenant(name: string | undefined, status: string): DurationSeries {
    const tenant = name === undefined ? noTenant : this.byTenant.has(name) ? name : this.admit(name);
    const byStatus = at(this.byTenant, tenant, () => new Map<string, DurationSeries>());
    return at(byStatus, status, () => this.tenantDuration.series({ tenant, status }));
  }

  /** The label of a tenant that has none yet: its name, while there is room. */
  private admit(name: string): string {
    if (this.tenants >= this.tenantLimit) return otherTenants;
    this.tenants++;
    return name;
  }
}

/** The template of the route that took the request, such as /scim/v2/Users/:id. */
export function routeOf(request: Request): string {
  const route = request.route as { readonly path: string } | undefined;
  // Files of the Swagger UI have no route, and neither has what was refused before the router.
  if (route === undefined) return 'none';
  return route.path === `/${fallbackRoute}` ? 'unmatched' : route.path;
}
