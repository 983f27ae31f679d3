import ipaddr from 'ipaddr.js';
import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { quote, ScimError } from '../scim/index.js';

/**
 * Kinds of addresses that an issuer may have. Link-local ones, where clouds tell machines their secrets, are none of them;
 * private ones are, for identity providers run there too.
 */
const allowedKinds = new Set<string>(['unicast', 'private', 'uniqueLocal']);

/** Where clouds tell machines about themselves by addresses that are not link-local. */
const metadataAddresses = new Set(['fd00:ec2::254', '168.63.129.16', '100.100.100.200', '192.0.0.192']);

/** Whether a request may go to an address. @param loopback whether it may stay on this machine */
export function mayConnect(address: string, loopback: boolean): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (metadataAddresses.has(parsed.toString())) return false;
  const kind = parsed.range();
  return allowedKinds.has(kind) || (loopback && kind === 'loopback');
}

const longestUrl = 2_048;

/**
 * Reads a URL that requests are sent to on behalf of a tenant: https, without credentials or a fragment, and not to this
 * machine or its network (RFC 9700 section 2.6).
 * @param name what it is called to whoever gave it
 * @param loopback whether plain http to this machine is fine, as in development
 * @throws ScimError invalidValue
 */
export function readIssuerUrl(text: string, name: string, loopback: boolean): URL {
  const refuse = (rule: string): ScimError => new ScimError('invalidValue', `${name} ${quote(text)} ${rule}.`);
  if (text.length > longestUrl) throw refuse(`is longer than ${longestUrl} characters`);
  if (!URL.canParse(text)) throw refuse('is not a URL');
  const url = new URL(text);
  const host = hostOf(url);
  const isAddress = ipaddr.isValid(host);
  const isHere =
    host === 'localhost' || host.endsWith('.localhost') || (isAddress && ipaddr.process(host).range() === 'loopback');
  if (url.protocol !== 'https:' && !(loopback && isHere && url.protocol === 'http:')) throw refuse('must be https');
  if (url.username !== '' || url.password !== '') throw refuse('must have no credentials');
  if (text.includes('#')) throw refuse('must have no fragment');
  if (isHere ? !loopback : isAddress && !mayConnect(host, loopback))
    throw refuse('is at an address that is not allowed');
  return url;
}

/** The host of a URL; an IPv6 address without its brackets. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1');

/** Resolves names as the system does, and fails for one that has an address which is not allowed. */
export function guardedLookup(loopback: boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error || !first) return callback(error ?? new Error('The name has no address'), '', 0);
      if (!addresses.every(({ address }) => mayConnect(address, loopback))) {
        return callback(new Error('The name has an address that is not allowed'), '', 0);
      }
      if (options.all) return callback(null, addresses);
      callback(null, first.address, first.family);
    });
  };
}
