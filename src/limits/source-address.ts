import ipaddr from 'ipaddr.js';

const siteBits = 48;
const networkBits = 64;
const groups = 8;

/**
 * Where a request comes from, as far as limits go: an IPv4 address, or the /64 network of an IPv6 one, because a client
 * that has one address of it has them all.
 * @param addresses the first that is an address counts
 */
export function sourceOf(...addresses: readonly (string | undefined)[]): string {
  const parsed = parse(addresses);
  if (parsed === undefined) return 'unknown';
  return parsed instanceof ipaddr.IPv4 ? parsed.toString() : network(parsed, networkBits);
}

/**
 * The /48 network that an IPv6 request comes from, which providers give to one customer; undefined for IPv4.
 * @param addresses the first that is an address counts
 */
export function siteOf(...addresses: readonly (string | undefined)[]): string | undefined {
  const parsed = parse(addresses);
  return parsed instanceof ipaddr.IPv6 ? network(parsed, siteBits) : undefined;
}

function parse(addresses: readonly (string | undefined)[]): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const address = addresses.find((candidate) => candidate !== undefined && isAddress(candidate));
  return address === undefined ? undefined : ipaddr.process(address);
}

function network({ parts }: ipaddr.IPv6, bits: number): string {
  const kept = parts.slice(0, bits / 16);
  return `${new ipaddr.IPv6([...kept, ...new Array<number>(groups - kept.length).fill(0)]).toString()}/${bits}`;
}

const isAddress = (text: string): boolean => ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
