import type { Request } from 'express';
import { quote, ScimError } from '../scim/index.js';
import { basePath, tenantBasePath } from './scim-path.js';

/** The part of Express's router that says which routes there are. */
export interface RouterLayer {
  match(path: string): boolean;
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
}

/** The route that takes what no other does. */
export const fallbackRoute = '*path';

const isFallback = (route: string): boolean => route.endsWith(fallbackRoute) || route.endsWith(`${fallbackRoute}}`);

const hasParameters = (route: string): boolean => route.includes(':');

/**
 * The methods that have a route at a path, from the router itself, so that no second list has to be kept. A path that a
 * route spells out, such as `/Users/.search`, is not an id of `/Users/:id` as well.
 * @param layers the router's stack
 */
export function allowedMethods(layers: readonly RouterLayer[], path: string): string[] {
  const routes = layers
    .filter((layer) => layer.route && !isFallback(layer.route.path) && layer.match(path))
    .flatMap(({ route }) => route ?? []);
  const spelledOut = routes.filter((route) => !hasParameters(route.path));
  const methods = new Set<string>();
  for (const route of spelledOut.length > 0 ? spelledOut : routes) {
    for (const method of Object.keys(route.methods)) methods.add(method.toUpperCase());
  }
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods].sort();
}

/**
 * The error for a request that no route takes: 405 with Allow where another method would be, 400 for another protocol
 * version (RFC 7644 section 3.13), and 404 elsewhere.
 * @param methods those that have a route there
 */
export function unrouted(request: Request, methods: readonly string[]): ScimError {
  const { path, addressedTenant } = request;
  if (methods.length > 0) {
    const allow = [...methods, 'OPTIONS'].join(', ');
    return new ScimError('methodNotAllowed', `${request.method} is not allowed here; use ${methods.join(', ')}.`, {
      Allow: allow,
    });
  }
  const version = /^\/scim\/(v[^/]*)(?:\/|$)/i.exec(path)?.[1];
  const base = addressedTenant === undefined ? basePath : tenantBasePath(addressedTenant);
  if (version !== undefined && version.toLowerCase() !== 'v2') {
    return new ScimError('invalidVers', `The protocol version ${quote(version)} is not supported; use ${base}.`);
  }
  const asked = addressedTenant === undefined ? path : `/tenants/${addressedTenant}${path}`;
  return new ScimError('notFound', `There is nothing at ${quote(asked)}; the SCIM base is ${base}.`);
}
