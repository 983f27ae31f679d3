import type { JsonObject } from '../scim/index.js';
import type { Administration, Query } from './administration.js';
import { ServerRefused, ServerUnreachable } from './refusals.js';

const jsonType = 'application/json';

interface Call {
  readonly query?: Query;
  readonly body?: JsonObject;
}

/** Asks a server. @returns what it answers, undefined for an answer without a body */
type Ask = <T>(method: string, path: readonly string[], call?: Call) => Promise<T>;

/**
 * The administration that a server offers over HTTP.
 * @param server its address, without the path of the admin API
 * @param token the operators' token, ADMIN_TOKEN
 */
export function overHttp(server: string, token: string): Administration {
  const ask: Ask = (method, path, call) => send(server, token, { method, path, ...call });
  const of = (tenant: string, ...path: string[]): string[] => ['tenants', tenant, ...path];
  return {
    tenants: {
      create: (body) => ask('POST', ['tenants'], { body }),
      list: (query) => ask('GET', ['tenants'], { query }),
      read: (name) => ask('GET', of(name)),
      change: (name, body) => ask('PATCH', of(name), { body }),
      suspend: (name) => ask('POST', of(name, 'suspend')),
      resume: (name) => ask('POST', of(name, 'resume')),
      erase: (name) => ask('DELETE', of(name), { query: { name } }),
      readSettings: (name) => ask('GET', of(name, 'settings')),
      changeSettings: (name, body) => ask('PATCH', of(name, 'settings'), { body }),
    },
    tokens: credentials(ask, 'tokens'),
    clients: { ...credentials(ask, 'clients'), read: (tenant, id) => ask('GET', of(tenant, 'clients', id)) },
    issuers: {
      create: (tenant, body) => ask('POST', of(tenant, 'issuers'), { body }),
      list: (tenant, query) => ask('GET', of(tenant, 'issuers'), { query }),
      read: (tenant, id) => ask('GET', of(tenant, 'issuers', id)),
      replace: (tenant, id, body) => ask('PUT', of(tenant, 'issuers', id), { body }),
      remove: (tenant, id) => ask('DELETE', of(tenant, 'issuers', id)),
    },
    audit: (tenant, query) => ask('GET', tenant === undefined ? ['audit'] : of(tenant, 'audit'), { query }),
    requests: (tenant, query) => ask('GET', of(tenant, 'requests'), { query }),
  };
}

/** What tokens and clients have in common. */
const credentials = (ask: Ask, kind: 'tokens' | 'clients') => ({
  create: <T>(tenant: string, body: JsonObject) => ask<T>('POST', ['tenants', tenant, kind], { body }),
  list: <T>(tenant: string, query: Query) => ask<T>('GET', ['tenants', tenant, kind], { query }),
  revoke: (tenant: string, id: string) => ask<void>('DELETE', ['tenants', tenant, kind, id]),
  rotate: <T>(tenant: string, id: string, body: JsonObject) =>
    ask<T>('POST', ['tenants', tenant, kind, id, 'rotate'], { body }),
});

/**
 * Sends one request and reads its answer. It follows no redirect: the token is for this server.
 * @throws ServerUnreachable
 * @throws ServerRefused also for a name or an id that no path can carry
 */
async function send<T>(
  server: string,
  token: string,
  { method, path, query = {}, body }: Call & { readonly method: string; readonly path: readonly string[] },
): Promise<T> {
  const lost = path.find((part) => part === '' || part === '.' || part === '..');
  if (lost !== undefined) throw new ServerRefused(`There is nothing called "${lost}".`, false);
  const url = new URL(`${server}/admin/v1/${path.map(encodeURIComponent).join('/')}`);
  url.search = new URLSearchParams(query).toString();
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      Accept: jsonType,
      Authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'Content-Type': jsonType }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    throw new ServerUnreachable(server, error);
  });
  const text = await response.text();
  if (!response.ok) throw refusalOf(server, response, text);
  return parsed<T>(text) ?? (undefined as T);
}

/** What is said by an answer that is not one of success. */
function refusalOf(server: string, { status, headers }: Response, text: string): ServerRefused {
  const { detail, scimType } = parsed<{ detail?: unknown; scimType?: unknown }>(text) ?? {};
  if (status === 401) {
    return new ServerRefused(`${server} refuses ADMIN_TOKEN: set the one that the server was started with.`, false);
  }
  const location = headers.get('location');
  if (status >= 300 && status < 400 && location !== null) {
    return new ServerRefused(`${server} sends on to ${location}: give the server's own address.`, false);
  }
  if (typeof detail !== 'string') {
    return new ServerRefused(`${server} answers ${status}: there is no Rollcall, or it has no ADMIN_TOKEN.`, false);
  }
  return new ServerRefused(detail, status === 400 && (scimType === 'invalidSyntax' || scimType === 'invalidValue'));
}

function parsed<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
