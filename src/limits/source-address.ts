import ipaddr from 'ipaddr.js';

const networkBits = 64;

/**
 * Where a request comes from, as far as limits go: an IPv4 address, or the /64 network of an IPv6 one, for whoever has one
 * address of it has them all.
 * @param addresses the first that is an address counts
 */
export function sourceOf(...addresses: readonly (string | undefined)[]): string {
  const address = addresses.find((candidate) => candidate !== undefined && isAddress(candidate));
  if (address === undefined) return 'unknown';
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  return `${new ipaddr.IPv6([...parsed.parts.slice(0, networkBits / 16), 0, 0, 0, 0]).toString()}/${networkBits}`;
}

const isAddress = (text: string): boolean => ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
